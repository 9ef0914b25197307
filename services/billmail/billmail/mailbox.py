"""The mailbox of bounces, read by IMAP (RFC 3501) with the standard library, in a thread.

A mail is marked as seen once what it says is stored; one that is fetched again after a crash is a repeat without effect.
"""

import asyncio
import imaplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import structlog

from koppel_connector.contract import Notice
from koppel_connector.notices import accept_notice
from koppel_mesh.clock import utc_now
from koppel_mesh.service import Context

from . import bounces
from .settings import BillmailServiceSettings, Mailbox

INTERVAL_S: Final = 60.0
BATCH: Final = 50
SIZE_BYTES_MAX: Final = 1_000_000
"""What of a mail is read: its headers and the status come first."""
DEADLINE_S: Final = 20.0
ADDRESS: Final = "mailbox"
"""Of the notices: what the envelope's sender names is a delivery, whatever connection it is of."""
log = structlog.get_logger(__name__)


async def read_mailbox(context: Context) -> bool:
    """Take what came back since the last look; True when there may be more."""
    settings = context.settings
    assert isinstance(settings, BillmailServiceSettings)
    mailbox = settings.mailbox
    if mailbox is None:
        return False
    try:
        fetched = await asyncio.to_thread(_fetch, mailbox)
        for _, content in fetched:
            await _take(context, content, utc_now())
        if fetched:
            await asyncio.to_thread(_mark, mailbox, [uid for uid, _ in fetched])
    except (imaplib.IMAP4.error, OSError) as error:
        log.warning("the mailbox of bounces cannot be read", error=repr(error))
        return False
    return len(fetched) == BATCH


async def _take(context: Context, content: bytes, received_at: datetime) -> None:
    answer = bounces.read(content)
    connection_id = next((each.connection_id for each in answer.tagged if each.connection_id), None)
    address = str(connection_id) if connection_id else ADDRESS
    if not await accept_notice(context.resources, Notice(address, {}, content, received_at)):
        log.info("a mail in the mailbox of bounces answers none of ours", kind=answer.kind)


def _fetch(mailbox: Mailbox) -> list[tuple[str, bytes]]:
    with _opened(mailbox) as box:
        _, (found,) = box.uid("SEARCH", "UNSEEN")
        return [(uid, _content(box, uid)) for uid in (found or b"").decode().split()[:BATCH]]


def _content(box: imaplib.IMAP4, uid: str) -> bytes:
    _, data = box.uid("FETCH", uid, f"(BODY.PEEK[]<0.{SIZE_BYTES_MAX}>)")
    return next((bytes(part[1]) for part in data if isinstance(part, tuple)), b"")


def _mark(mailbox: Mailbox, uids: Sequence[str]) -> None:
    with _opened(mailbox) as box:
        box.uid("STORE", ",".join(uids), "+FLAGS", "(\\Seen)")


@contextmanager
def _opened(mailbox: Mailbox) -> Iterator[imaplib.IMAP4]:
    trusted = ssl.create_default_context()
    box: imaplib.IMAP4
    if mailbox.security == "tls":
        box = imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=trusted, timeout=DEADLINE_S)
    else:
        box = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=DEADLINE_S)
    with box:
        if mailbox.security == "starttls":
            box.starttls(trusted)
        box.login(mailbox.username, mailbox.password.get_secret_value())
        box.select("INBOX")
        yield box
