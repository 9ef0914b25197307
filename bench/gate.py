"""A gate before a fake vendor, which can be shut for a while: bytes pass, HTTP or SMTP, but for outages."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Mapping
from types import TracebackType
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit, urlunsplit

import uvloop

from koppel_sandbox.ports import free_port

Outage = Literal["drops", "refuses", "unavailable"]
"""``drops`` takes each connection and resets it, ``refuses`` does not listen, ``unavailable`` says so in the vendor's protocol.
Connections that stand are reset when it begins."""
BYTES_AT_ONCE: Final = 65_536
START_WITHIN_S: Final = 10.0
_UNAVAILABLE: Final[Mapping[str, bytes]] = {
    "http": b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "smtp": b"421 4.3.2 not now\r\n",
}


class Gate:
    """Stands before the address of a vendor, in a thread of its own; use as a context manager.

    Args:
        address: where the vendor is: ``http://…`` or ``smtp://…``, with a port.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._scheme, self._inner_port, self._port = parts.scheme, parts.port, free_port()
        self.address = urlunsplit(parts._replace(netloc=f"{parts.hostname}:{self._port}"))
        """Where the mesh finds it."""
        self._outage: Outage | None = None
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gate", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_WITHIN_S)

    def shut(self, outage: Outage) -> None:
        """Begin an outage."""
        self._do(self._begin(outage))

    def open(self) -> None:
        """End it."""
        self._do(self._end())

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(START_WITHIN_S)

    async def _begin(self, outage: Outage) -> None:
        self._outage = outage
        if outage == "refuses" and self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _end(self) -> None:
        outage, self._outage = self._outage, None
        if outage == "refuses":
            await self._open()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=1.0)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", self._port)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                match self._outage:
                    case "unavailable":
                        if self._scheme == "http":
                            await reader.read(BYTES_AT_ONCE)
                        writer.write(_UNAVAILABLE[self._scheme])
                        await writer.drain()
                    case None:
                        await self._pass_on(reader, writer)
                    case _:
                        writer.transport.abort()
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._inner_port)
        pipes = [asyncio.create_task(_pipe(reader, inner_writer)), asyncio.create_task(_pipe(inner_reader, writer))]
        try:
            await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pipe in pipes:
                pipe.cancel()
            inner_writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(BYTES_AT_ONCE):
            writer.write(chunk)
            await writer.drain()
