"""What stands before services that run as processes, as an ingress does: it routes by the first segment of the path."""

import asyncio
import contextlib
import itertools
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from koppel_sandbox.ports import free_port

_AWAY = b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_HEAD_MAX = 65_536


class Router:
    """Deals connections out over those who take requests of a service, in turn; it repeats nothing.

    Each connection carries one request, so that one service's trouble is never another's.

    Args:
        ports: gives, by the name of a service, the ports that take its requests now.
        ends_tls: a cookie for TLS alone is one for its callers too, as where the ingress ends TLS.
    """

    def __init__(self, ports: Callable[[str], Sequence[int]], *, ends_tls: bool = False) -> None:
        self._ports = ports
        self._ends_tls = ends_tls
        self._turn = itertools.count()
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self._loop = asyncio.new_event_loop()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Listen for as long as the block lasts, in a thread."""
        thread = threading.Thread(target=self._loop.run_forever, name="router", daemon=True)
        thread.start()
        opening = asyncio.start_server(self._meet, "127.0.0.1", self._port, backlog=1024)
        server = asyncio.run_coroutine_threadsafe(opening, self._loop).result(10)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(server.close)
            self.cut()
            asyncio.run_coroutine_threadsafe(_until_all_end(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)

    def cut(self) -> None:
        """Reset every connection, and those that come, until it is restored."""
        self._is_cut = True
        self._loop.call_soon_threadsafe(self._reset_all)

    def restore(self) -> None:
        """Let connections through again."""
        self._is_cut = False

    def _reset_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._is_cut:
                writer.transport.abort()
                return
            await self._pass_on(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, headers = head.partition(b"\r\n")
        ports = self._ports(line.split(b" ")[1].decode("latin-1").split("/")[1].partition("?")[0])
        try:
            if not ports:
                raise ConnectionRefusedError
            port = ports[next(self._turn) % len(ports)]
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.write(_AWAY)
            await writer.drain()
            return
        inner_writer.write(line + b"\r\nConnection: close\r\n" + _without_connection(headers))
        sending = asyncio.create_task(_pipe(reader, inner_writer))
        try:
            if self._ends_tls:
                writer.write(_without_secure(await inner_reader.readuntil(b"\r\n\r\n")))
            await _pipe(inner_reader, writer)
        finally:
            sending.cancel()
            inner_writer.close()


async def _until_all_end() -> None:
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=5.0)


def _without_connection(headers: bytes) -> bytes:
    kept = (line for line in headers.split(b"\r\n") if not line.lower().startswith(b"connection:"))
    return b"\r\n".join(kept)


def _without_secure(head: bytes) -> bytes:
    return re.sub(rb"(?im)^(set-cookie:.*?); Secure\b", rb"\1", head)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_HEAD_MAX):
            writer.write(chunk)
            await writer.drain()
