"""A receiver of webhooks on the loopback that behaves as a test says, well or badly."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


Behaviour = Callable[["Receiver", Received, asyncio.StreamWriter], Awaitable[None]]


def response(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answers(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answer all but challenges so."""

    async def behave(_: "Receiver", request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(response(status, body, **headers))

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Behave in another way each time; the last way remains."""
    left = list(behaviours)

    async def behave(receiver: "Receiver", request: Received, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(receiver, request, writer)

    return behave


async def hangs(_: "Receiver", __: Received, ___: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.sleep(3600)


def slow(step_s: float) -> Behaviour:
    """Answer one byte at a time."""

    async def behave(_: "Receiver", __: Received, writer: asyncio.StreamWriter) -> None:
        for byte in response(200, b"slowly"):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(step_s)

    return behave


async def half_body(_: "Receiver", __: Received, writer: asyncio.StreamWriter) -> None:
    """Promise more than comes."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    writer.close()


async def endless_body(_: "Receiver", __: Received, writer: asyncio.StreamWriter) -> None:
    """Send without end."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
        await writer.drain()


class Receiver:
    """Listens on the loopback; keeps what came in. Challenges are answered rightly unless ``refuses_challenges``."""

    def __init__(self) -> None:
        self.all: list[Received] = []
        self.behaviour: Behaviour = answers(204)
        self.refuses_challenges = False
        self.port = 0
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def events(self) -> list[Any]:
        """What came in beside challenges."""
        return [one.event for one in self.all if one.path == "/hooks" and one.event["type"] != "endpoint.challenge"]

    def of(self, event_type: str) -> list[Received]:
        return [one for one in self.all if one.path == "/hooks" and one.event["type"] == event_type]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while not writer.is_closing():
                await self._serve_one(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Received(head[0].split(" ")[1], headers, body)
        self.all.append(request)
        challenge = request.event["data"].get("challenge") if request.path == "/hooks" else None
        if challenge is not None and not self.refuses_challenges:
            writer.write(response(200, json.dumps({"challenge": challenge}).encode()))
        else:
            await self.behaviour(self, request, writer)
        await writer.drain()
