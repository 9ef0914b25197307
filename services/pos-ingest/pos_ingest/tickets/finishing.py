"""The day's end: what tickets put in the book, late ones and those that became an invoice as corrections.

A ticket counts once: it is marked in the transaction of its entry. What comes in while a day is being finished waits for the
next time, and is late then.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.clock import brussels_date
from koppel_mesh.http.problems import HttpProblem
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from pos_ingest import entries
from pos_ingest.takings import DayTakings

from .day_totals import Correction, DayTotals, entries_of, reason
from .ticket_takings import TicketTakings

BY: Final = "tickets"
AT_ONCE: Final = 20_000
"""Tickets of one transaction."""
RETRY_AFTER: Final = timedelta(hours=1)
log = structlog.get_logger(__name__)

_BOOK = Statement("""
    SELECT b.id, b.dossier_id, b.firm_id, coalesce(d.language, 'nl') AS language,
        (SELECT entry_on FROM entry WHERE book_id = b.id ORDER BY seq LIMIT 1) AS first_on,
        (SELECT entry_on FROM entry WHERE book_id = b.id ORDER BY seq DESC LIMIT 1) AS last_on
    FROM receipt_book b LEFT JOIN dossier d ON d.id = b.dossier_id WHERE b.id = :id FOR NO KEY UPDATE OF b
""")
_PENDING = Statement("""
    SELECT id, register, receipt, sold_on, CAST(takings AS text) AS takings, is_invoice, entered_on FROM ticket
    WHERE book_id = :book_id AND is_pending AND sold_on <= :through ORDER BY sold_on, id LIMIT :at_once FOR NO KEY UPDATE
""")
_IS_FINISHED = Statement("""
    SELECT id FROM ticket WHERE book_id = :book_id AND sold_on = :day AND entered_on = :day AND NOT is_pending LIMIT 1
""")
_MARK = Statement("""
    UPDATE ticket SET is_pending = false, entered_on = coalesce(entered_on, :day),
        reversed_on = CASE WHEN is_invoice THEN CAST(:day AS date) END
    WHERE id = ANY(CAST(:ids AS uuid[]))
""")
_DUE = Statement("""
    SELECT t.book_id FROM ticket t LEFT JOIN unfinished_day u ON u.book_id = t.book_id
    WHERE t.is_pending AND t.sold_on <= :through AND (u.due_at IS NULL OR u.due_at <= clock_timestamp()) LIMIT 1
""")
_FAILED = Statement("""
    INSERT INTO unfinished_day AS known (book_id, dossier_id, firm_id, day, rule, message, due_at)
    SELECT id, dossier_id, firm_id, :day, :rule, :message, clock_timestamp() + :retry_after FROM receipt_book WHERE id = :book_id
    ON CONFLICT (book_id) DO UPDATE SET day = excluded.day, rule = excluded.rule, message = excluded.message,
        due_at = excluded.due_at
""")
_SUCCEEDED = Statement("DELETE FROM unfinished_day WHERE book_id = :book_id")


@dataclass(frozen=True, slots=True)
class Finished:
    """What a finished day made."""

    tickets: int
    entries: tuple[Record, ...]
    """Rows of ``entry``, in their order."""


async def finish(context: Context, tx: AsyncConnection, book_id: UUID, through: date) -> Finished:
    """Enter what the tickets up to and with a day put in the book; it may be repeated.

    Each day that the book can still take is entered as itself. Late tickets, and those that became an invoice after their day
    was entered, are corrections on the last day.

    Args:
        context: of the service.
        tx: the caller's transaction; it holds the book until its end.
        book_id: of a book that the caller may see.
        through: the last day, in Brussels; today at the latest.

    Raises:
        HttpProblem: 422 where the book refuses an entry.
    """
    book = await _BOOK.one(tx, {"id": book_id})
    pending = await _PENDING.all(tx, {"book_id": book_id, "through": through, "at_once": AT_ONCE})
    days: dict[date, list[Record]] = defaultdict(list)
    late: list[Record] = []
    for row in pending:
        is_late = row.entered_on is not None or await _is_closed(tx, book, row.sold_on, days)
        (late if is_late else days[row.sold_on]).append(row)
    made: list[Record] = []
    for day, rows in sorted(days.items()):
        made += await _enter(context, tx, book_id, day, entries_of([_effect(row) for row in rows]))
        await _MARK.run(tx, {"day": day, "ids": [row.id for row in rows]})
    if late:
        made += await _correct(context, tx, book, late, max([through, *days, *_days(book.last_on)]))
    return Finished(len(pending), tuple(made))


async def finish_due_day(context: Context) -> bool:
    """Finish the days that are over in one book that has tickets of them; True while there may be more."""
    grace = timedelta(seconds=context.settings.tickets_grace_s)
    through = brussels_date(context.now() - grace) - timedelta(days=1)
    async with context.database.reading() as reading:
        due = await _DUE.one_or_none(reading, {"through": through})
    if due is None:
        return False
    try:
        async with context.database.transaction() as tx:
            await finish(context, tx, due.book_id, through)
            await note_success(tx, due.book_id)
    except HttpProblem as problem:
        log.warning("a day of tickets cannot be entered", book_id=str(due.book_id), rule=problem.code)
        message = problem.detail or problem.title
        failed = {"day": through, "rule": problem.code, "message": message[:500], "retry_after": RETRY_AFTER}
        async with context.database.transaction() as tx:
            await _FAILED.run(tx, {"book_id": due.book_id, **failed})
    return True


async def note_success(tx: AsyncConnection, book_id: UUID) -> None:
    """Note that nothing of the book's days stands in the way any more."""
    await _SUCCEEDED.run(tx, {"book_id": book_id})


async def _is_closed(tx: AsyncConnection, book: Record, day: date, open_days: Mapping[date, object]) -> bool:
    """Return whether a day takes no more tickets as its own: a later one was entered, or its tickets were."""
    if day in open_days or book.last_on is None or day > book.last_on:
        return False
    return day < book.last_on or await _IS_FINISHED.one_or_none(tx, {"book_id": book.id, "day": day}) is not None


def _effect(row: Record) -> TicketTakings:
    takings = TicketTakings.from_json(json.loads(row.takings, parse_float=Decimal))
    if row.entered_on is not None:
        return takings.without_tip().reversed()
    return takings.only_tip() if row.is_invoice else takings


async def _correct(
    context: Context, tx: AsyncConnection, book: Record, late: Sequence[Record], day: date
) -> list[Record]:
    first_on = min([day, *_days(book.first_on)])
    by_cause: dict[Correction, list[Record]] = defaultdict(list)
    for (kind, sold_on, of), rows in _causes(late).items():
        text = reason(kind, book.language, of if sold_on >= first_on else f"{sold_on}, {of}")
        # A book has no days before its first entry: what is of one is a correction of the first.
        by_cause[Correction(max(sold_on, first_on), text)] += rows
    made: list[Record] = []
    for cause, rows in sorted(by_cause.items(), key=lambda each: (each[0].on, each[0].reason)):
        made += await _enter(context, tx, book.id, day, entries_of([_effect(row) for row in rows], cause))
    await _MARK.run(tx, {"day": day, "ids": [row.id for row in late]})
    return made


def _causes(late: Sequence[Record]) -> Mapping[tuple[str, date, str], list[Record]]:
    """Return the late tickets by why they are corrections, the day concerned, and the register or receipt."""
    found: dict[tuple[str, date, str], list[Record]] = defaultdict(list)
    for row in late:
        if row.entered_on is not None:
            found["invoiced", row.sold_on, row.receipt].append(row)
        else:
            found["late", row.sold_on, row.register].append(row)
    return found


async def _enter(
    context: Context, tx: AsyncConnection, book_id: UUID, day: date, totals: Iterable[DayTotals]
) -> list[Record]:
    made: list[Record] = []
    for each in totals:
        takings = DayTakings(
            external_reference=f"tickets {new_id()}", lines=list(each.lines), payments=list(each.payments)
        )
        made += (await entries.append(context, tx, book_id, day, takings, by=BY)).entries
    return made


def _days(*days: date | None) -> list[date]:
    return [day for day in days if day is not None]
