"""PostgreSQL for one service: a pool bound to the service's schema, and the one place that commits.

Why the timeouts: asyncpg has none of its own, so a query into a partition never returns; and a lock held by a client that
vanished in mid-transaction stays held unless the session itself gives up (both measured).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from .prepared_sql import Statement, as_dbapi_error, driver_of

COMMAND_TIMEOUT_S = 15
ROLLBACK_TIMEOUT_S = 5
CLOSE_TIMEOUT_S = 2
SESSION = {
    "idle_in_transaction_session_timeout": "15s",
    "lock_timeout": "10s",
    "statement_timeout": "14s",
    "default_transaction_read_only": "on",
    "timezone": "UTC",
}
"""Read only unless ``Database.transaction`` says otherwise: what is written is written there or refused by the server."""
_PING = Statement("SELECT 1")
_AFTER_COMMIT = "koppel_after_commit"
_CALLS = "koppel_calls_after_commit"
_SERVICE = "koppel_service"


class DatabaseAwayError(ConnectionError):
    """No connection to the database could be made."""


class Database:
    """A service's own corner of PostgreSQL.

    A connection whose end was seen is replaced before anybody gets it; one that died unseen is found out by whoever uses it
    next, as "unavailable", and loops and callers try again. Asking first would cost every transaction a round trip.

    Tables are named without a schema; the connection's ``search_path`` is the service's schema and nothing else, so a
    service cannot read another's tables by accident.
    """

    def __init__(self, url: str, service: str, *, pool_size: int = 10) -> None:
        self.service = service
        self.schema = schema_of(service)
        self._listeners: list[Callable[[], None]] = []
        self._engine = create_async_engine(
            async_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_use_lifo=True,  # few connections in use keep their plans; the others may be closed by the server
            pool_recycle=1800,
            # A transaction begins and ends where ``transaction`` says so; a lone read needs no bracket around it.
            isolation_level="AUTOCOMMIT",
            connect_args={
                "timeout": 10,
                "command_timeout": COMMAND_TIMEOUT_S,
                "server_settings": {
                    "search_path": self.schema,
                    "application_name": f"koppel {service}",
                    **SESSION,
                },
            },
        )
        event.listen(self._engine.sync_engine, "connect", self._name_the_service)

    def _name_the_service(self, _connection: Any, record: Any) -> None:
        record.info[_SERVICE] = self.service

    def on_outbox_commit(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every commit that put a message in the outbox."""
        self._listeners.append(listener)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction; it commits when the block ends and rolls back when the block raises.

        This is the only place of Koppel's services that commits.
        """
        async with self._connected() as connection:
            connection.info.pop(_AFTER_COMMIT, None)
            connection.info.pop(_CALLS, None)
            driver = driver_of(connection)
            with as_dbapi_error(driver):
                await driver.execute("BEGIN READ WRITE")
            try:
                yield connection
                with as_dbapi_error(driver):
                    ended = await driver.execute("COMMIT")
            except BaseException:
                await _roll_back(connection)
                raise
            if ended != "COMMIT":
                raise RuntimeError("a statement of this transaction failed and its error was swallowed: rolled back")
            wrote_messages = connection.info.pop(_AFTER_COMMIT, False)
            calls = connection.info.pop(_CALLS, [])
        for call in [*(self._listeners if wrote_messages else []), *calls]:
            call()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection for reading: every statement sees what is committed then; the server refuses to write."""
        async with self._connected() as connection:
            yield connection

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        connection = await self._open()
        try:
            yield connection
        finally:
            # One that was invalidated on the way has no driver any more; asking for it would hide why it was.
            if not connection.invalidated and driver_of(connection).is_closed():
                await connection.invalidate()
            await connection.close()

    async def _open(self) -> AsyncConnection:
        """Return a connection; those that are known to have died in the pool are thrown away on the way."""
        while True:
            try:
                connection = await self._engine.connect().start()
            except OSError as error:
                # A socket that is not there is a plain OSError, such as any missing file gives: only here the database's.
                raise DatabaseAwayError(repr(error)) from error
            if not driver_of(connection).is_closed():
                return connection
            await connection.invalidate()
            await connection.close()

    async def ping(self) -> None:
        """Raise when the database does not answer a trivial query."""
        async with self.reading() as connection:
            await _PING.run(connection)

    def in_use(self) -> int:
        """Return how many connections are checked out."""
        pool: Any = self._engine.pool
        return int(pool.checkedout())

    async def close(self) -> None:
        """Close every connection of the pool; those that do not answer end with the process, which is not held up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._engine.dispose()


async def _roll_back(connection: AsyncConnection) -> None:
    """End the transaction without effect; a connection on which even that fails does not go back to the pool."""
    try:
        async with asyncio.timeout(ROLLBACK_TIMEOUT_S):
            await driver_of(connection).execute("ROLLBACK")
    except Exception:
        # The error that led here is being raised already; all that matters of this one is that nobody gets the connection.
        await connection.invalidate()
    except BaseException:
        driver_of(connection).terminate()
        raise


def service_of(connection: AsyncConnection) -> str:
    """Return the name of the service whose connection this is."""
    return str(connection.info[_SERVICE])


def announce_message(connection: AsyncConnection) -> None:
    """Note that this transaction put a message in the outbox, so that the relay is woken after its commit."""
    connection.info[_AFTER_COMMIT] = True


def after_commit(connection: AsyncConnection, call: Callable[[], None]) -> None:
    """Call ``call`` once this transaction has committed, and not where it does not: who is woken earlier finds nothing yet."""
    connection.info.setdefault(_CALLS, []).append(call)


def is_unavailable(error: BaseException) -> bool:
    """Return whether ``error`` says that the database cannot be reached now, rather than that it refused a statement."""
    if isinstance(error, DBAPIError) and (error.connection_invalidated or _tells_of_absence(error)):
        return True
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError | ConnectionError | TimeoutError):
        return True
    cause = error.__cause__ or getattr(error, "orig", None)
    return cause is not None and cause is not error and is_unavailable(cause)


def _tells_of_absence(error: DBAPIError) -> bool:
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return state.startswith("08") or state in _ABSENT


_ABSENT = frozenset({"57P01", "57P02", "57P03", "53300"})
"""Shutting down, crashed, starting up, too many connections (PostgreSQL's error codes, appendix A)."""


def is_unstorable(error: BaseException) -> bool:
    """Return whether ``error`` says that a value given can be held by no column: trying again cannot help."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _UNSTORABLE


_UNSTORABLE = frozenset({"22000", "22003", "22021", "22P02", "22P05"})
"""What the driver cannot encode, out of range, no such character, no such JSON (PostgreSQL's error codes, appendix A)."""


def schema_of(service: str) -> str:
    """Return the schema of a service: its name in snake case."""
    return service.replace("-", "_")


def async_url(url: str) -> URL:
    """Return ``url`` (``postgresql://…``, contract §2) for asyncpg, which calls ``sslmode`` of such URLs ``ssl``."""
    parts = make_url(url).set(drivername="postgresql+asyncpg")
    mode = parts.query.get("sslmode")
    return parts.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode}) if mode else parts
