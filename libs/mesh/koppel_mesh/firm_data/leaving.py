"""A firm leaves: what no duty keeps is deleted, what is kept loses what it need not have; in batches, and as often as it takes.

The wish is a row, so that a process that is killed in the middle leaves nothing undone: the loop goes on. It also comes back
later, because a message that was on its way may bring a row back, and because years of keeping end. A wish that is repeated, as
after the restore of a backup, is as good as new.

Two turns of one firm may run at once, as the call and the loops of every pod do: each batch is taken under a lock of the firm.
Without it a turn waits for rows that another deletes, finds none of them left, and takes the table for empty.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.prepared_sql import Statement

from .export import holdings_of
from .holdings import Holding
from .statements import BATCH, sql_of, years

if TYPE_CHECKING:
    from koppel_mesh.service import Context

log = structlog.get_logger(__name__)
WORK_S = 10.0
"""Of one call: who asks waits for no more, and asks again, or leaves the rest to the loop."""
STRAGGLERS_DAYS = 7
"""After the last row went the next is looked for hourly for so long, then daily: a dead message may be replayed years later."""
_ASK = Statement("""
    INSERT INTO firm_deletion (firm_id, asked_by) VALUES (:firm_id, :asked_by)
    ON CONFLICT (firm_id) DO UPDATE SET due_at = now(), completed_at = NULL
""")
_ASKED = Statement("SELECT asked_at, completed_at FROM firm_deletion WHERE firm_id = :firm_id")
_NEXT = Statement("""
    SELECT firm_id FROM firm_deletion WHERE due_at <= now() ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
""")
# Locks are of the whole database, rows of a firm of one service.
_TRY_LOCK = Statement("""
    SELECT pg_try_advisory_xact_lock(
        hashtextextended('koppel firm leaves ' || current_schema() || ' ' || CAST(CAST(:firm_id AS uuid) AS text), 0)
    ) AS is_mine
""")
_DONE = Statement("""
    UPDATE firm_deletion SET
        completed_at = CASE WHEN CAST(:came_back AS boolean) THEN now() ELSE coalesce(completed_at, now()) END,
        due_at = now() + CASE
            WHEN CAST(:came_back AS boolean) OR completed_at IS NULL
                OR completed_at > now() - CAST(:stragglers AS integer) * interval '1 day' THEN interval '1 hour'
            ELSE interval '1 day' END
    WHERE firm_id = :firm_id
""")
_LATER = Statement("UPDATE firm_deletion SET due_at = now() + interval '1 minute' WHERE firm_id = :firm_id")
_NOT_DONE = Statement("""
    UPDATE firm_deletion SET completed_at = NULL, due_at = now() + interval '1 minute' WHERE firm_id = :firm_id
""")
_STILL_REFERRED_TO = "23503"
"""A foreign key was violated (PostgreSQL's error codes, appendix A)."""


class _AnotherTurn(Exception):
    """Another turn works on this firm."""


@dataclass
class Deletion:
    """What became of the data of a firm in one turn."""

    deleted: Counter[str] = field(default_factory=Counter)
    """Rows by table."""
    blanked: Counter[str] = field(default_factory=Counter)
    """Rows by table that stay, and lost what they need not have."""
    under_way: dict[str, int] = field(default_factory=dict)
    """Rows by table that are being worked on: nothing is deleted before they have come to an end."""
    is_complete: bool = False
    """Whether nothing is left that no duty keeps."""


async def ask_for_deletion(context: "Context", firm_id: UUID, asked_by: str) -> None:
    """Note that a firm leaves; from then on its data is deleted, whatever becomes of this process."""
    async with context.database.transaction() as tx:
        await _ASK.run(tx, {"firm_id": firm_id, "asked_by": asked_by})


async def deletion_asked_at(context: "Context", firm_id: UUID) -> datetime | None:
    """Return when the deletion of a firm was asked for; None when it was not."""
    async with context.database.reading() as reading:
        row = await _ASKED.one_or_none(reading, {"firm_id": firm_id})
    return None if row is None else row.asked_at


async def delete_firm(context: "Context", firm_id: UUID) -> Deletion:
    """Delete of a firm what can go now, for some seconds; safe to repeat, and to be stopped anywhere."""
    holdings, done = holdings_of(context.service), Deletion()
    for stop in context.service.firm_stops:
        await stop(context, firm_id)
    done.under_way = await _under_way(context, holdings, firm_id)
    try:
        if not done.under_way:
            asked = {"firm_id": firm_id, **years(context.now(), context.settings.retention_years)}
            await _delete(context, holdings, asked, done)
        await _plan(context, holdings, firm_id, done)
    except _AnotherTurn:
        log.info("another turn deletes this firm", service=context.name, firm=str(firm_id))
    return done


async def delete_next_firm(context: "Context") -> bool:
    """Go on with a firm that left; True while there may be another."""
    async with context.database.transaction() as tx:
        row = await _NEXT.one_or_none(tx)
        if row is None:
            return False
        await _LATER.run(tx, {"firm_id": row.firm_id})  # one that always fails keeps no other from its turn
    await delete_firm(context, row.firm_id)
    return True


async def _under_way(context: "Context", holdings: Sequence[Holding], firm_id: UUID) -> dict[str, int]:
    found = {}
    async with context.database.reading() as reading:
        for holding in holdings:
            statement = sql_of(holding).under_way
            if statement and (number := (await statement.one(reading, {"firm_id": firm_id})).number):
                found[holding.table.name] = number
    return found


async def _delete(context: "Context", holdings: Sequence[Holding], asked: Mapping[str, Any], done: Deletion) -> None:
    """Delete and blank, the referring tables first, until all is gone or the time is over.

    Raises:
        _AnotherTurn: that is done by another at this moment.
    """
    ends = time.monotonic() + WORK_S
    for holding in holdings:
        sql = sql_of(holding)
        for statement, counted in ((sql.blank, done.blanked), (None if holding.ended_by else sql.leave, done.deleted)):
            number = BATCH if statement else 0
            while statement and number == BATCH:
                if time.monotonic() > ends:
                    return
                try:
                    async with _alone(context, asked["firm_id"]) as tx:
                        number = (await statement.one(tx, asked)).number
                except DBAPIError as error:
                    if getattr(error.orig, "sqlstate", None) != _STILL_REFERRED_TO:
                        raise
                    return  # a message brought a row back to a table that was empty: it goes in the next turn
                if number:
                    counted[holding.table.name] += number


async def _plan(context: "Context", holdings: Sequence[Holding], firm_id: UUID, done: Deletion) -> None:
    """See whether anything is left, and say when to look again.

    Soon while something is left, hourly for stragglers, then daily.

    Raises:
        _AnotherTurn: another turn is not at its end, and will say so itself.
    """
    asked = {"firm_id": firm_id, **years(context.now(), context.settings.retention_years)}
    came_back = bool(done.deleted or done.blanked)
    async with _alone(context, firm_id) as tx:
        is_complete = not done.under_way and not await _is_left(tx, holdings, asked)
        if is_complete:
            values = {"firm_id": firm_id, "stragglers": STRAGGLERS_DAYS, "came_back": came_back}
            await _DONE.run(tx, values)
        else:
            await _NOT_DONE.run(tx, {"firm_id": firm_id})
    done.is_complete = is_complete


async def _is_left(tx: AsyncConnection, holdings: Sequence[Holding], asked: Mapping[str, Any]) -> bool:
    for holding in holdings:
        statement = sql_of(holding).is_left
        if statement and (await statement.one(tx, asked)).found:
            return True
    return False


@asynccontextmanager
async def _alone(context: "Context", firm_id: UUID) -> AsyncIterator[AsyncConnection]:
    """Open a transaction in which no other turn of this firm does anything.

    Raises:
        _AnotherTurn: one does; nobody waits for it, since it does the same work.
    """
    async with context.database.transaction() as tx:
        if not (await _TRY_LOCK.one(tx, {"firm_id": firm_id})).is_mine:
            raise _AnotherTurn
        yield tx
