"""The side that takes mail: SMTP by aiosmtpd, with every kind of bad day (RFC 5321)."""

import asyncio
import contextlib
import warnings
from collections.abc import AsyncIterator
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from . import returned
from .rules import Kind, Rule, follow
from .store import MailStore, files_of

# aiosmtpd hands its methods more than they need.
# ruff: noqa: ARG002
HOST_NAME = "mail.sandbox.example"
SIZE_LIMIT_BYTES = 20_000_000
AFTER: tuple[Kind, ...] = ("drop_after", "hang_after", "half_answer_after", "odd_answer_after")
COMING_BACK: tuple[Kind, ...] = ("bounce", "exchange_report", "plain_bounce", "out_of_office")


class MailTaker:
    """What aiosmtpd asks at each step; the names are its own."""

    def __init__(self, store: MailStore, rules: list[Rule]) -> None:
        self.store = store
        self.rules = rules
        self.seen = 0
        """How many contents came up to their final dot."""
        self.logins_refused = 0

    def reset(self) -> None:
        """Begin anew: no mails, no rules, no switches."""
        self.rules.clear()
        self.store.clear()
        self.seen = self.logins_refused = 0

    @property
    def switches(self) -> dict[str, Any]:
        """What a test has set: ``size_limit_bytes``, ``password``, ``drops_repeats`` (of the files, as some receivers do).

        ``refuses_flags`` is of the side that gives what came back.
        """
        defaults = {
            "size_limit_bytes": SIZE_LIMIT_BYTES,
            "password": "",
            "drops_repeats": False,
            "refuses_flags": False,
        }
        return {**defaults, **self.store.switches()}

    def server(self) -> SMTP:
        """Return the protocol of one connection."""
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # a password without TLS is what it warns of; here it never leaves the machine
            return SMTP(
                self,
                hostname=HOST_NAME,
                ident="Koppel sandbox",
                data_size_limit=int(self.switches["size_limit_bytes"]),
                auth_required=bool(self.switches["password"]),
                auth_require_tls=False,
                authenticator=self._authenticate,
                loop=asyncio.get_running_loop(),
            )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        is_right = isinstance(data, LoginPassword) and data.password.decode() == self.switches["password"]
        self.logins_refused += not is_right
        return AuthResult(success=is_right, handled=is_right)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Reply to RCPT."""
        if (rule := follow(self.rules, [address], "refuse")) is not None:
            return rule.reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Reply to the final dot, once the mail is on the disk."""
        self.seen += 1
        recipients, content = tuple(envelope.rcpt_tos), bytes(envelope.original_content or b"")
        if (refused := follow(self.rules, recipients, "refuse_content")) is not None:
            return refused.reply
        if follow(self.rules, recipients, "drop_before") is not None:
            return await _hang_up(server)
        sender = envelope.mail_from or ""
        if not self.switches["drops_repeats"] or not self._has(recipients, content):
            self.store.add("taken", sender, recipients, content)
        if (coming_back := follow(self.rules, recipients, *COMING_BACK)) is not None:
            self.give_back(coming_back.kind, sender, recipients[0], content)
        match follow(self.rules, recipients, *AFTER):
            case Rule(kind="drop_after"):
                return await _hang_up(server)
            case Rule(kind="hang_after", seconds=seconds):
                await asyncio.sleep(seconds)
                return await _hang_up(server)
            case Rule(kind="half_answer_after"):
                return await _hang_up(server, b"25")
            case Rule(kind="odd_answer_after"):
                return "299 ?"
        return "250 2.0.0 taken"

    def _has(self, recipients: tuple[str, ...], content: bytes) -> bool:
        """Return whether a mail with the same files lies in that mailbox."""
        files = files_of(content)
        return any(
            each.recipients == recipients and files_of(each.content) == files for each in self.store.mails("taken")
        )

    def give_back(self, kind: str, sender: str, recipient: str, content: bytes) -> int:
        """Put what the receiver sends back into the box that IMAP shows; return its number."""
        made = returned.WRITERS[kind](sender, recipient, content)
        return self.store.add("returned", "", (sender,), made)


async def _hang_up(server: SMTP, last: bytes = b"") -> str:
    """End the connection without a whole reply; the server of this connection ends with it."""
    transport = cast("asyncio.WriteTransport", server.transport)
    if last:
        transport.write(last)
        transport.close()
    else:
        transport.abort()
    raise asyncio.CancelledError


@contextlib.asynccontextmanager
async def listening(taker: MailTaker, port: int) -> AsyncIterator[None]:
    """Take mail while this is entered."""
    server = await asyncio.get_running_loop().create_server(taker.server, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
