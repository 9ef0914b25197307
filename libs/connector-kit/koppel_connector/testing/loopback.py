"""HTTP/1.1 on a real socket in as few lines as may be: a framework could not answer half, reset, or say nothing."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple, Self


class Request(NamedTuple):
    """One request; ``headers`` by their names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class LoopbackServer(ABC):
    """A server on a port of its own; use as an async context manager."""

    url = ""
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @abstractmethod
    async def answer(self, writer: asyncio.StreamWriter, request: Request) -> bool:
        """Write the answer to one request; return whether the connection stays."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_request(reader)) is not None:
                if not await self.answer(writer, request):
                    break
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Read one HTTP/1.1 request; None at the end of the connection."""
    line = (await reader.readline()).decode("latin-1").strip()
    if not line:
        return None
    method, target, _ = line.split(" ", 2)
    headers: dict[str, str] = {}
    while header := (await reader.readline()).decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body)


def http_answer(status: int, content: bytes, headers: Mapping[str, str] = {}) -> bytes:
    """Return the bytes of one HTTP/1.1 answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content
