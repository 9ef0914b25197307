"""A way to a server that a test can cut (connections through it end, new ones are refused) or hold (nothing gets through)."""

import asyncio
import contextlib
from typing import Self

from sqlalchemy.engine import make_url


class Forwarding:
    """Forwards a port of the loopback to the server of an address, for as long as it is open."""

    def __init__(self, address: str) -> None:
        self._to = make_url(address)
        self._port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    @property
    def address(self) -> str:
        """Return the address by way of here; it stays the same when the way is cut and opened again."""
        here = self._to.difference_update_query(["host"]).set(host="127.0.0.1", port=self._port)
        return here.render_as_string(hide_password=False)

    async def open(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End every connection and take no new one."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()

    def hold(self) -> None:
        """Let nothing through any more, and leave the connections as they are."""
        self._flows.clear()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await self._connect()
        both = {writer, inner_writer}
        self._writers |= both
        try:
            await asyncio.wait(
                [
                    asyncio.create_task(self._pass_on(reader, inner_writer)),
                    asyncio.create_task(self._pass_on(inner_reader, writer)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._writers -= both
            for each in both:
                each.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if folder := self._to.query.get("host"):  # our PostgreSQL listens on a socket in a folder
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{self._to.port or 5432}")
        return await asyncio.open_connection(self._to.host, self._to.port)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
