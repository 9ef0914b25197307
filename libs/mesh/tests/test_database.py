"""A database that goes away in the middle: reported as "away", so that a caller is asked to come back and a batch is kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from koppel_mesh.database import Database, after_commit, is_unavailable
from koppel_mesh.prepared_sql import ROWS_AT_ONCE, Statement

from .conftest import SERVICE

_PID = Statement("SELECT pg_backend_pid() AS pid")


async def test_what_is_to_be_called_after_a_commit_is_not_called_without_one(database: Database) -> None:
    called: list[str] = []
    async with database.transaction() as tx:
        after_commit(tx, lambda: called.append("committed"))
        assert called == []
    assert called == ["committed"]
    with pytest.raises(ValueError, match="no"):
        async with database.transaction() as tx:
            after_commit(tx, lambda: called.append("rolled back"))
            raise ValueError("no")
    async with database.transaction():
        pass
    assert called == ["committed"]


@pytest.mark.parametrize("within", ["transaction", "reading"])
async def test_a_connection_that_is_lost_on_the_way_says_so_and_is_replaced(database: Database, within: str) -> None:
    open_one = database.transaction if within == "transaction" else database.reading
    with pytest.raises(Exception) as lost:
        async with open_one() as connection:
            server = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            async with database.transaction() as other:
                await other.execute(text("SELECT pg_terminate_backend(:server)"), {"server": server})
            await connection.execute(text("SELECT 1"))
    assert is_unavailable(lost.value), repr(lost.value)
    await database.ping()
    assert database.in_use() == 0


async def test_a_server_that_said_it_goes_and_has_not_gone_yet_is_away(database_url: str) -> None:
    async with _never_closed(database_url) as url:
        database = Database(url, SERVICE)
        with pytest.raises(Exception) as lost:
            async with database.transaction() as tx:
                server = (await _PID.one(tx)).pid
                other = await asyncpg.connect(database_url)
                await other.execute("SELECT pg_terminate_backend($1)", server)
                await other.close()
                await asyncio.sleep(0.3)  # its farewell arrives; the end of the connection does not
                await _PID.one(tx)
        assert is_unavailable(lost.value), repr(lost.value)
        await database.ping()
        assert database.in_use() == 0
        async with asyncio.timeout(5):  # SIGTERM has an end of its own, whatever the way to the database does
            await database.close()


@asynccontextmanager
async def _never_closed(database_url: str) -> AsyncIterator[str]:
    """Give a way to the database on which the end of a server's connection is not seen."""
    url = make_url(database_url)
    writers: list[asyncio.StreamWriter] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_unix_connection(f"{url.query['host']}/.s.PGSQL.{url.port or 5432}")
        writers.extend((writer, there[1]))
        await asyncio.gather(pass_on(reader, there[1]), pass_on(there[0], writer), return_exceptions=True)

    between = await asyncio.start_server(take, "127.0.0.1")
    port = between.sockets[0].getsockname()[1]
    yield url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
    for writer in writers:
        writer.close()
    between.close()


async def test_rows_are_streamed_and_a_connection_lost_between_two_says_so(database: Database) -> None:
    many = Statement("SELECT number FROM generate_series(1, CAST(:most AS integer)) AS number")
    most = 3 * ROWS_AT_ONCE + 1
    async with database.transaction() as tx:
        numbers = [row.number async for row in many.stream(tx, {"most": most})]
    assert numbers == list(range(1, most + 1))
    with pytest.raises(Exception) as lost:
        async with database.transaction() as tx:
            server = (await _PID.one(tx)).pid
            async for row in many.stream(tx, {"most": most}):
                if row.number == 1:
                    async with database.transaction() as other:
                        await other.execute(text("SELECT pg_terminate_backend(:server)"), {"server": server})
    assert is_unavailable(lost.value), repr(lost.value)
    await database.ping()
