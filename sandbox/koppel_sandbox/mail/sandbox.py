"""The mail sandbox as it is found by the entry point group ``koppel.sandboxes``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from koppel_sandbox.installed import Demo, Sandbox, SandboxError
from koppel_sandbox.ports import free_port

from . import imap, smtp
from .app import create_app
from .imap import MailGiver
from .smtp import MailTaker
from .store import MailStore

IMAP_PASSWORD: Final = "koppel-sandbox"  # noqa: S105 - of a fake
MAIL_FROM: Final = "billmail@koppel.example"
_OFFICE: Final = "boekhouding@kantoor-peeters.example"
"""The office of the demo dossier that has no package on the platform."""


def environment(address: str) -> dict[str, str]:
    """Return the variables that lead billmail to the sandbox whose pages hang under ``address``."""
    port = _ports_for(address)
    return {
        "KOPPEL_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "KOPPEL_IMAP_URL": f"imap://bounces:{IMAP_PASSWORD}@127.0.0.1:{port + 1}",
        "KOPPEL_MAIL_FROM": MAIL_FROM,
    }


@cache
def _ports_for(_: str) -> int:
    """Return a free port after which another is free: SMTP and IMAP. The same address always gets the same."""
    return free_port(more=1)


@asynccontextmanager
async def start(address: str, folder: Path | None) -> AsyncIterator[ASGIApp]:
    """Take mail at ``address`` (``smtp://…``) and give bounces at the port after it; give the app with the pages.

    Raises:
        SandboxError: a port is taken, or what ``folder`` keeps cannot be read.
    """
    port = urlsplit(address).port
    assert port is not None
    store = MailStore(folder)
    try:
        taker = MailTaker(store, [])
        try:
            async with smtp.listening(taker, port), imap.listening(MailGiver(store, IMAP_PASSWORD), port + 1):
                yield create_app(taker)
        except OSError as error:
            raise SandboxError(f"The sandbox mail cannot listen on {port} and {port + 1}: {error}") from error
    finally:
        store.close()


SANDBOX: Final = Sandbox(
    name="mail",
    address_variable="KOPPEL_SMTP_URL",
    environment=environment,
    start=start,
    demo=Demo(
        "billmail",
        {
            "0836836222": {"profile": "yuki", "addresses": {"purchase": "Studio.Noord@yukiworks.be"}},
            "0765432839": {"profile": "self_mail", "addresses": {"sale": _OFFICE, "purchase": _OFFICE}},
        },
    ),
)
