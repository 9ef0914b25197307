"""A database that goes away while a test holds something in hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from koppel_mesh.database import async_url


@asynccontextmanager
async def database_away(url: str) -> AsyncIterator[None]:
    """End every session of the database at ``url`` and refuse new ones, for as long as the block lasts."""
    here = async_url(url)
    engine = create_async_engine(here.set(database="postgres"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as elsewhere:
        allow = 'ALTER DATABASE "{}" ALLOW_CONNECTIONS {}'
        await elsewhere.execute(text(allow.format(here.database, "false")))
        try:
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            await elsewhere.execute(text(end), {"name": here.database})
            yield
        finally:
            await elsewhere.execute(text(allow.format(here.database, "true")))
    await engine.dispose()
