"""Leading a port of the loopback to the socket of our own PostgreSQL, which no other user may open."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy.engine import make_url

PORT = 5432
CHUNK_BYTES = 65_536


@contextmanager
def reachable(database_url: str) -> Iterator[str]:
    """Give the URL of that database for whoever runs as another user, for as long as the block lasts."""
    url = make_url(database_url)
    folder = url.query.get("host")
    if not isinstance(folder, str) or not folder.startswith("/"):
        yield database_url
        return
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(_listening(f"{folder}/.s.PGSQL.{url.query.get('port', url.port or PORT)}"))
    port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        given = url.difference_update_query(["host", "port"]).set(host="127.0.0.1", port=port)
        yield given.render_as_string(hide_password=False)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def _listening(path: str) -> asyncio.Server:
    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(path)
        await asyncio.gather(_copy(reader, back), _copy(there, writer))

    return await asyncio.start_server(forward, "127.0.0.1", 0)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    with suppress(ConnectionError):
        writer.close()
