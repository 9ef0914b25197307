"""The day's end: what tickets put in the book, late ones and those that became an invoice as corrections, and in the drawer.

A ticket counts once: it is marked by the statement that reads it, in the transaction of its entry. What comes in meanwhile
waits for the next time. Tickets are added up while they are read: a day of many takes no more memory than one of few.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.clock import brussels_date
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from pos_ingest import entries
from pos_ingest.failures import RETRY_AFTER, failure_of
from pos_ingest.takings import DayTakings

from . import cash_movements
from .day_totals import Correction, DayTotals, Sums, reason
from .ticket_takings import TicketTakings

BY: Final = "tickets"
REFERENCE: Final = "tickets "
"""How the external references of our entries begin."""
A_DAY: Final = timedelta(days=1)

_BOOK = Statement("""
    SELECT b.id, b.cash_book_id, coalesce(d.language, 'nl') AS language, last.entry_on AS last_on,
        (SELECT max(ends_on) FROM receipt_period WHERE book_id = b.id) AS closed_through,
        (SELECT entry_on FROM entry WHERE book_id = b.id ORDER BY seq LIMIT 1) AS first_on,
        EXISTS (SELECT FROM entry WHERE book_id = b.id AND entry_on = last.entry_on AND external_reference LIKE :ours
            AND NOT content @> '{"lines": [{"kind": "correction"}]}') AS has_tickets_of_last
    FROM receipt_book b LEFT JOIN dossier d ON d.id = b.dossier_id LEFT JOIN LATERAL (
        SELECT entry_on FROM entry WHERE book_id = b.id ORDER BY seq DESC LIMIT 1) last ON true
    WHERE b.id = :id FOR NO KEY UPDATE OF b
""")
_OPEN_DAY = Statement("""
    SELECT min(sold_on) AS day FROM ticket
    WHERE book_id = :book_id AND is_pending AND entered_on IS NULL AND sold_on BETWEEN :open_from AND :through
""")


def _mark(of: str, changes: str, returned: str) -> Statement:
    """Return what marks tickets as entered and returns them, locked in the order in which ``intake`` locks them.

    They are found by their place, as PostgreSQL's manual shows for UPDATE: no plan reads the whole table.
    """
    return Statement(f"""
        UPDATE ticket SET is_pending = false, {changes} WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM ticket WHERE book_id = :book_id AND is_pending AND {of}
            ORDER BY register, receipt FOR NO KEY UPDATE))
        RETURNING {returned}, CAST(takings AS text) AS takings
    """)


_ENTER = "entered_on = :day, reversed_on = CASE WHEN is_invoice THEN CAST(:day AS date) END"
_OF_DAY = _mark("entered_on IS NULL AND sold_on = :day", _ENTER, "is_invoice")
_LATE = _mark("entered_on IS NULL AND sold_on <= :through", _ENTER, "is_invoice, sold_on, register")
_NUMBER = """(
    SELECT e.number FROM ticket_invoice i JOIN external_invoice e ON e.id = i.external_invoice_id
    WHERE i.ticket_id = ticket.id) AS invoice_number"""
_INVOICED = _mark(
    "entered_on IS NOT NULL AND sold_on <= :through", "reversed_on = :day", f"sold_on, receipt, {_NUMBER}"
)
_DUE = Statement("""
    SELECT due.book_id FROM (
        SELECT book_id FROM ticket t WHERE is_pending AND sold_on <= :through
            AND NOT EXISTS (SELECT FROM receipt_period WHERE book_id = t.book_id AND ends_on > :through)
        UNION ALL
        SELECT book_id FROM cash_movement
        WHERE entered_at IS NULL AND due_at <= clock_timestamp() AND moved_on <= :through) due
        LEFT JOIN unfinished_day u ON u.book_id = due.book_id
    WHERE u.due_at IS NULL OR u.due_at <= clock_timestamp() LIMIT 1
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
    """What finished days made."""

    tickets: int = 0
    entries: tuple[UUID, ...] = ()
    """Of the chain, in their order."""


async def finish(context: Context, book_id: UUID, through: date) -> Finished:
    """Enter what the tickets up to and with a day put in the book; it may be repeated.

    Each day that the book can still take is entered as itself, in a transaction of its own. Then late tickets, and those that
    became an invoice after their day was entered, are corrections on the last day.

    Args:
        context: of the service.
        book_id: of a book that the caller may see.
        through: the last day, in Brussels; today at the latest.

    Raises:
        HttpProblem: 422 where the book refuses an entry; days before it are entered.
    """
    tickets, made = 0, []
    while True:
        async with context.database.transaction() as tx:
            book = await _BOOK.one(tx, {"id": book_id, "ours": f"{REFERENCE}%"})
            asked = {"book_id": book_id, "open_from": _open_from(book), "through": through}
            day = (await _OPEN_DAY.one(tx, asked)).day
            days = _Entries(context, tx, book)
            await cash_movements.enter(tx, book, day or through, incoming=True)
            if day is not None:
                await days.enter(day)
            else:
                await days.correct(through)
                await _SUCCEEDED.run(tx, {"book_id": book_id})
            await cash_movements.enter(tx, book, day or through, incoming=False)
        tickets += days.tickets
        made += days.made
        if day is None:
            return Finished(tickets, tuple(made))


async def finish_due_day(context: Context) -> bool:
    """Finish the days that are over in one book that has tickets of them; True while there may be more."""
    grace = timedelta(seconds=context.settings.tickets_grace_s)
    through = brussels_date(context.now() - grace) - timedelta(days=1)
    async with context.database.reading() as reading:
        due = await _DUE.one_or_none(reading, {"through": through})
    if due is None:
        return False
    try:
        await finish(context, due.book_id, through)
    except Exception as error:
        failed = failure_of(error, "finish days", due.book_id)._asdict()
        async with context.database.transaction() as tx:
            await _FAILED.run(tx, {"book_id": due.book_id, "day": through, "retry_after": RETRY_AFTER, **failed})
    return True


def _open_from(book: Record) -> date:
    """Return the first day that takes tickets as its own: neither it nor a later one was entered with them, or closed."""
    days = [date.min]
    if book.last_on is not None:
        days.append(book.last_on + A_DAY if book.has_tickets_of_last else book.last_on)
    if book.closed_through is not None:
        days.append(book.closed_through + A_DAY)
    return max(days)


class _Entries:
    """What a transaction, which holds the book, enters of its tickets."""

    def __init__(self, context: Context, tx: AsyncConnection, book: Record) -> None:
        self._context, self._tx, self._book = context, tx, book
        self.tickets = 0
        self.made: list[UUID] = []

    async def enter(self, day: date) -> None:
        """Enter a day's tickets as that day's."""
        sums = Sums()
        async for row in _OF_DAY.stream(self._tx, {"book_id": self._book.id, "day": day}):
            sums.add(_effect(row))
            self.tickets += 1
        await self._append(day, sums.entries())

    async def correct(self, through: date) -> None:
        """Enter what is of days that are over, on the first day that takes corrections; where today is closed, it waits."""
        book, by_cause = self._book, defaultdict[Correction, Sums](Sums)
        closed = [book.closed_through + A_DAY] if book.closed_through else []
        day = max([through, *closed, *_days(book.last_on)])
        if day > brussels_date(self._context.now()):
            return
        asked = {"book_id": book.id, "through": through, "day": day}
        async for row in _INVOICED.stream(self._tx, asked):
            cause = replace(self._cause("invoiced", row.sold_on, row.receipt, day), invoice_number=row.invoice_number)
            by_cause[cause].add(_takings(row).without_tip().reversed())
            self.tickets += 1
        async for row in _LATE.stream(self._tx, asked):
            by_cause[self._cause("late", row.sold_on, row.register, day)].add(_effect(row))
            self.tickets += 1
        for cause, sums in sorted(by_cause.items(), key=lambda each: (each[0].on, each[0].reason)):
            await self._append(day, sums.entries(cause))

    def _cause(self, kind: str, sold_on: date, of: str, day: date) -> Correction:
        # A book has no days before its first entry: what is of one is a correction of the first.
        first_on = min([day, *_days(self._book.first_on)])
        text = reason(kind, self._book.language, of if sold_on >= first_on else f"{sold_on}, {of}")
        return Correction(max(sold_on, first_on), text)

    async def _append(self, day: date, totals: Iterable[DayTotals]) -> None:
        for each in totals:
            takings = DayTakings(
                external_reference=f"{REFERENCE}{new_id()}", lines=list(each.lines), payments=list(each.payments)
            )
            appended = await entries.append(self._context, self._tx, self._book.id, day, takings, by=BY)
            self.made += [row.id for row in appended.entries]


def _takings(row: Record) -> TicketTakings:
    return TicketTakings.from_json(json.loads(row.takings, parse_float=Decimal))


def _effect(row: Record) -> TicketTakings:
    return _takings(row).only_tip() if row.is_invoice else _takings(row)


def _days(*days: date | None) -> list[date]:
    return [day for day in days if day is not None]
