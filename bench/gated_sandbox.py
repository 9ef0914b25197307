"""``python -m bench.gated_sandbox --port N``: the sandbox behind a gate that can be shut for a while.

``POST /_gate/{drops|refuses|503}/{seconds}`` begins an outage and answers; it ends by itself. ``drops`` takes each connection and
resets it, ``refuses`` does not listen, ``503`` answers every request with it. Connections that stand are reset when it begins.
"""

import argparse
import asyncio
import contextlib
import re

import uvicorn
import uvloop

from koppel_sandbox.exact.app import create_app

_ORDER = re.compile(rb"POST /_gate/(drops|refuses|503)/([0-9.]+) HTTP")
_UNAVAILABLE = b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_DONE = b"HTTP/1.1 204 Done\r\nConnection: close\r\n\r\n"
BYTES_AT_ONCE = 65_536


class Gate:
    """Passes bytes on, but for outages."""

    def __init__(self, port: int, inner_port: int) -> None:
        self._port, self._inner_port = port, inner_port
        self._outage: str | None = None
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", self._port)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                if self._outage == "drops":
                    writer.transport.abort()
                    return
                begun = await reader.read(BYTES_AT_ONCE)
                if order := _ORDER.match(begun):
                    await self._answer(writer, _DONE)
                    self._begin(order[1].decode(), float(order[2]))
                elif self._outage == "503":
                    await self._answer(writer, _UNAVAILABLE)
                else:
                    await self._pass_on(begun, reader, writer)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        writer.write(answer)
        await writer.drain()

    async def _pass_on(self, begun: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._inner_port)
        try:
            inner_writer.write(begun)
            there = asyncio.create_task(_pipe(reader, inner_writer))
            await _pipe(inner_reader, writer)
            there.cancel()
        finally:
            inner_writer.close()

    def _begin(self, outage: str, seconds: float) -> None:
        task = asyncio.create_task(self._outlast(outage, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _outlast(self, outage: str, seconds: float) -> None:
        self._outage = outage
        if outage == "refuses" and self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(seconds)
        self._outage = None
        if outage == "refuses":
            await self.open()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(BYTES_AT_ONCE):
            writer.write(chunk)
            await writer.drain()


async def serve(port: int) -> None:
    """Run until the process is ended."""
    config = uvicorn.Config(
        create_app(f"http://127.0.0.1:{port}"), host="127.0.0.1", port=0, access_log=False, log_config=None
    )
    sandbox = uvicorn.Server(config)
    running = asyncio.create_task(sandbox.serve())
    while not sandbox.started:
        await asyncio.sleep(0.01)
    await Gate(port, sandbox.servers[0].sockets[0].getsockname()[1]).open()
    await running


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))
