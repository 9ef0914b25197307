"""A running mail sandbox for tests."""

import email
import email.policy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from starlette.types import ASGIApp

from koppel_sandbox.testing import SandboxThread

from .sandbox import environment, start
from .smtp import MailTaker


class MailSandbox(SandboxThread):
    """Use as a context manager."""

    taker: MailTaker

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        super().__init__(self._app)

    @asynccontextmanager
    async def _app(self, address: str) -> AsyncIterator[ASGIApp]:
        async with start(environment(address)["KOPPEL_SMTP_URL"], self._folder) as app:
            self.taker = app.state.sandbox  # type: ignore[attr-defined] # a Starlette
            yield app

    def environment(self) -> dict[str, str]:
        """Return the variables that lead billmail here."""
        return environment(self.url)

    def mails(self, box: str = "taken") -> list[dict[str, Any]]:
        """Return the mails of a box, oldest first."""
        with urlopen(f"{self.url}/_control/mails?box={box}", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def raw(self, uid: int) -> bytes:
        """Return a mail as it came."""
        with urlopen(f"{self.url}/mails/{uid}/raw", timeout=10) as answer:
            return bytes(answer.read())

    def messages(self, box: str = "taken") -> list[EmailMessage]:
        """Return the mails of a box as messages, oldest first."""
        return [
            email.message_from_bytes(self.raw(mail["uid"]), policy=email.policy.default) for mail in self.mails(box)
        ]
