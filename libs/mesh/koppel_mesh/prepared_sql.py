"""Statements that run for every document: compiled once, run on the driver itself, in the transaction of the caller.

SQLAlchemy writes the SQL. Its machinery around each execution costs twice what the driver needs to run it (measured), which
nobody notices in a route and everybody in the path of a document.
"""

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import asyncpg
from sqlalchemy import JSON, ClauseElement, text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.ext.asyncio import AsyncConnection

_DIALECT: Any = PGDialect_asyncpg()  # type: ignore[no-untyped-call] # SQLAlchemy has not typed it
ROWS_AT_ONCE: Final = 500
"""Of a statement whose rows are streamed."""
Values = Mapping[str, Any]


class Record(asyncpg.Record):  # type: ignore[misc] # asyncpg is not typed
    """A row whose columns are attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Statement:
    """One SQL statement with named values, as text (``:name``) or as one of SQLAlchemy's (``bindparam("name")``).

    Values go to the driver as they are, except for JSON columns of a SQLAlchemy expression: in a text, JSON is given as text.
    """

    def __init__(self, sql: str | ClauseElement) -> None:
        compiled: Any = (text(sql) if isinstance(sql, str) else sql).compile(dialect=_DIALECT)
        self.sql: str = compiled.string
        """As the driver gets it, its values numbered."""
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._json = {name for name in self._names if isinstance(compiled.binds[name].type, JSON)}

    async def all(self, connection: AsyncConnection, values: Values | None = None) -> list[Record]:
        """Return every row.

        Raises:
            DBAPIError: as SQLAlchemy raises it.
        """
        driver = driver_of(connection)
        with as_dbapi_error(driver):
            found: list[Record] = await driver.fetch(self.sql, *self._arguments(values or {}), record_class=Record)
        return found

    async def one_or_none(self, connection: AsyncConnection, values: Values | None = None) -> Record | None:
        """Return the first row, or None."""
        found = await self.all(connection, values)
        return found[0] if found else None

    async def one(self, connection: AsyncConnection, values: Values | None = None) -> Record:
        """Return the first row.

        Raises:
            NoResultFound: there is none.
        """
        found = await self.all(connection, values)
        if not found:
            raise NoResultFound(self.sql[:100])
        return found[0]

    async def stream(self, connection: AsyncConnection, values: Values | None = None) -> AsyncIterator[Record]:
        """Yield every row, of which only some are in memory at a time; within a transaction.

        A statement that changes rows has changed all of them when the first one comes.

        Raises:
            DBAPIError: as SQLAlchemy raises it.
        """
        driver = driver_of(connection)
        with as_dbapi_error(driver):
            rows = driver.cursor(self.sql, *self._arguments(values or {}), prefetch=ROWS_AT_ONCE, record_class=Record)
            async for row in rows:
                yield row

    async def run(self, connection: AsyncConnection, values: Values | None = None) -> None:
        """Run it for its effect."""
        await self.all(connection, values)

    async def run_many(self, connection: AsyncConnection, rows: Iterable[Values]) -> None:
        """Run it once for each of ``rows``, in one go."""
        driver = driver_of(connection)
        with as_dbapi_error(driver):
            await driver.executemany(self.sql, [self._arguments(row) for row in rows])

    def _arguments(self, values: Values) -> list[Any]:
        given = [values[name] for name in self._names]
        if self._json:
            for place, name in enumerate(self._names):
                if name in self._json and given[place] is not None:
                    given[place] = json.dumps(given[place])
        return given


def driver_of(connection: AsyncConnection) -> "asyncpg.Connection[Record]":
    """Return the driver's own connection underneath."""
    # It is None only for a connection that is closed or not started, and nobody is handed one of those.
    driver: asyncpg.Connection[Record] = connection.sync_connection.connection.driver_connection  # type: ignore[union-attr]
    return driver


@contextmanager
def as_dbapi_error(driver: "asyncpg.Connection[Record]") -> Iterator[None]:
    """Let the driver's errors be SQLAlchemy's, so that callers know one kind. Values are left out: they may be secret."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError) as error:
        raise DBAPIError(None, None, error, connection_invalidated=driver.is_closed()) from error
    except asyncpg.InternalClientError as error:
        # The server reported its shutdown, and the driver has not seen the connection end yet: it waits for more (measured).
        raise DBAPIError(None, None, error, connection_invalidated=True) from error
