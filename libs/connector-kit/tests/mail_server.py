"""A mail server on a loopback port (RFC 5321), small enough to break in every way a test wants."""

import asyncio
import email
import email.policy
from collections import deque
from collections.abc import Callable
from email.message import EmailMessage
from typing import Self

from koppel_connector.testing import Fault


class MailServer:
    """Keeps what it takes."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.faults: deque[Fault] = deque()
        self.seen = 0
        self.greeting = b"220 post ready\r\n"
        self.refused: dict[str, bytes] = {}
        """Verb or recipient → the whole reply."""
        self.lost_at = ""
        """The verb after which the connection is lost, once."""
        self.on_recipient: Callable[[], None] = lambda: None
        """Called before a recipient is taken."""
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 24)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(self.greeting)
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, recipients = "", list[str]()
        while line := (await reader.readline()).decode().strip():
            verb, _, rest = line.partition(" ")
            verb = verb.upper()
            address = rest.partition("<")[2].partition(">")[0]
            if self.lost_at == verb:
                self.lost_at = ""
                writer.transport.abort()
                return
            if (refusal := self.refused.get(verb) or self.refused.get(address)) is not None:
                writer.write(refusal)
                continue
            match verb:
                case "EHLO":
                    writer.write(b"250-post\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n")
                case "AUTH":
                    writer.write(b"235 come in\r\n")
                case "MAIL":
                    sender = address
                    writer.write(b"250 ok\r\n")
                case "RCPT":
                    self.on_recipient()
                    recipients.append(address)
                    writer.write(b"250 ok\r\n")
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    content = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
                    self.seen += 1
                    if not await self._take(content, (sender, recipients), writer):
                        return
                    sender, recipients = "", []
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    return
                case _:
                    writer.write(b"250 ok\r\n")

    async def _take(self, content: bytes, envelope: tuple[str, list[str]], writer: asyncio.StreamWriter) -> bool:
        fault = self.faults.popleft() if self.faults else None
        match fault:
            case Fault.RESETS:
                writer.transport.abort()
                return False
            case Fault.THROTTLES:
                writer.write(b"450 later\r\n")
                return True
            case Fault.FORBIDS:
                writer.write(b"550 not from here\r\n")
                return True
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.envelopes.append(envelope)
        match fault:
            case Fault.ACTS_THEN_HANGS:
                await asyncio.sleep(3)
            case Fault.ACTS_THEN_RESETS:
                writer.transport.abort()
                return False
            case Fault.ACTS_THEN_HALF_ANSWER:
                writer.write(b"25")
                return False
            case Fault.ACTS_THEN_ERROR:
                writer.write(b"299 ?\r\n")
            case _:
                writer.write(b"250 taken\r\n")
        return True
