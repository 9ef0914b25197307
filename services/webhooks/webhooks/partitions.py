"""Partitions by day (UTC): made ahead, and dropped with all they hold when they have been kept long enough."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.database import Database
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

from .tables import PARTITIONED

AHEAD_DAYS = 7
"""For how long events are recorded if the nightly run does not run."""
_ONE_AT_A_TIME = Statement("SELECT pg_advisory_xact_lock(hashtext('koppel webhook partitions'))")
_TODAY = Statement("SELECT CAST(now() AT TIME ZONE 'UTC' AS date) AS today")
_HELD = Statement("""
    SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
    WHERE p.relnamespace = CAST(current_schema() AS regnamespace)
""")


async def keep_partitions(context: Context) -> None:
    """Make the partitions of the coming days and drop those that have been kept long enough."""
    await make_ahead(context.database)
    await drop_before(context.database, context.settings.webhook_event_days)


async def make_ahead(database: Database) -> None:
    """Make what is missing of the partitions of today and the coming days, and of yesterday for clocks that differ."""
    async with database.transaction() as tx:
        await _ONE_AT_A_TIME.run(tx)
        today = (await _TODAY.one(tx)).today
        held = await _held(tx)
        days = [today + timedelta(days=days) for days in range(-1, AHEAD_DAYS + 1)]
        for table, day in ((table, day) for table in PARTITIONED for day in days):
            if _name(table, day) not in held:
                first, end = (_midnight(each).isoformat() for each in (day, day + timedelta(days=1)))
                values = f"FOR VALUES FROM ('{first}') TO ('{end}')"
                await Statement(f"CREATE TABLE {_name(table, day)} PARTITION OF {table} {values}").run(tx)


async def drop_before(database: Database, keep_days: int) -> None:
    """Drop the partitions of the days before the last ``keep_days``, each by itself: a drop waits for who reads the table."""
    async with database.reading() as reading:
        today = (await _TODAY.one(reading)).today
        held = await _held(reading)
    for name in sorted(ended(held, today - timedelta(days=keep_days))):
        async with database.transaction() as tx:
            await _ONE_AT_A_TIME.run(tx)
            await Statement(f"DROP TABLE IF EXISTS {name}").run(tx)


def ended(names: Iterable[str], first_kept: date) -> set[str]:
    """Return those partitions that hold only days before ``first_kept``."""
    limit = f"{first_kept:%Y%m%d}"
    return {name for name in names if name.rpartition("_")[2] < limit}


async def _held(connection: AsyncConnection) -> set[str]:
    return {
        row.name
        for row in await _HELD.all(connection)
        if row.name.rpartition("_")[0] in PARTITIONED and row.name.rpartition("_")[2].isdigit()
    }


def _name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
