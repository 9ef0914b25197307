"""Closing the periods of a receipt book: its takings become one numbered invoice, in one transaction under the book's lock.

The number, the period and the work to hand the invoice in are one commit: whoever is killed, and however many close at once, a
period has one of each.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh import outbox
from koppel_mesh.clock import brussels_date
from koppel_mesh.ids import new_id
from koppel_mesh.messages import ReceiptsPeriodClosed
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from pos_ingest import number_formats, numbering
from pos_ingest.entries import Chain, totals_of
from pos_ingest.failures import is_not_put_off, put_off_on_failure

from .hand_in import HAND_IN, Kind, to_hand_in
from .invoice import ZERO
from .periods import A_DAY, Rhythm, Span

NIGHT: Final = timedelta(hours=6)
"""How long after midnight in Brussels the day before is left open: tills of who works past midnight send it then."""
SPANS_AT_ONCE: Final = 100
"""How many periods one transaction closes."""
BY_ITSELF: Final = "pos-ingest"
CLOSE_RECEIPTS: Final = "close receipts"

# The last period that ended before :today, as ``periods.Rhythm.ended_before`` has it. A book waits for tickets of it that are
# not entered yet: they would be corrections.
_DUE = Statement(f"""
    SELECT * FROM (
        SELECT b.*, CASE b.period WHEN 'day' THEN CAST(:today AS date) - 1
            WHEN 'week' THEN CAST(:today AS date)
                - (CAST(extract(dow FROM CAST(:today AS date)) AS integer) - b.week_starts_on + 7) % 7 - 1
            ELSE CAST(date_trunc('month', CAST(:today AS date)) AS date) - 1 END AS through,
            (SELECT max(ends_on) FROM receipt_period WHERE book_id = b.id) AS closed_through,
            (SELECT entry_on FROM entry WHERE book_id = b.id ORDER BY seq LIMIT 1) AS first_on
        FROM receipt_book b) due
    WHERE first_on <= through AND coalesce(closed_through < least(through, ends_on), true)
        AND NOT EXISTS (SELECT FROM ticket WHERE book_id = due.id AND is_pending AND sold_on <= due.through)
        AND {is_not_put_off(CLOSE_RECEIPTS, "due.id")}
    ORDER BY id LIMIT 1
""")
_BOOK = Statement("SELECT * FROM receipt_book WHERE id = :id")
_BEFORE = Statement("""
    SELECT max(ends_on) AS ends_on, max(last_seq) AS last_seq, max(invoice_number) AS invoice_number
    FROM receipt_period WHERE book_id = :book_id
""")
_LAST_OF = Statement("""
    SELECT seq, running_totals FROM entry WHERE book_id = :book_id AND entry_on <= :day ORDER BY entry_on DESC, seq DESC LIMIT 1
""")
_AT = Statement("SELECT running_totals FROM entry WHERE book_id = :book_id AND seq = :seq")
_ADD = Statement("""
    INSERT INTO receipt_period (id, book_id, dossier_id, firm_id, starts_on, ends_on, first_seq, last_seq, takings, total,
        invoice_number, number, closed_by)
    VALUES (:id, :book_id, :dossier_id, :firm_id, :starts_on, :ends_on, :first_seq, :last_seq, CAST(:takings AS jsonb), :total,
        :invoice_number, :number, :closed_by)
    RETURNING *
""")


async def close_ended_receipts(context: Context) -> bool:
    """Close what ended of one book, as the nightly run does; True while there may be more."""
    today = open_day(context.now())
    async with context.database.reading() as reading:
        due = await _DUE.one_or_none(reading, {"today": today})
    if due is None:
        return False
    async with put_off_on_failure(context, CLOSE_RECEIPTS, due.id):
        await close_receipts(context, due.id, Rhythm(due.period, due.week_starts_on).ended_before(today), by=BY_ITSELF)
    return True


def open_day(now: datetime) -> date:
    """Return the first day that the nightly run leaves open."""
    return brussels_date(now - NIGHT)


async def close_receipts(context: Context, book_id: UUID, through: date, *, by: str) -> list[Record]:
    """Close a book through a day, whole periods and what is left of the last one; return the periods that were closed now.

    Days without entries are entered as closed first. A book without entries has nothing to close.

    Raises:
        HttpProblem: 422 ``too_many_days`` where its last entry is too long ago, or one of its number format.
    """
    closed: list[Record] = []
    while True:
        async with context.database.transaction() as tx:
            some, more = await _close_some(context, tx, book_id, through, by=by)
        closed += some
        if some:
            context.wake(HAND_IN)
        if not more:
            return closed


async def _close_some(
    context: Context, tx: AsyncConnection, book_id: UUID, through: date, *, by: str
) -> tuple[list[Record], bool]:
    chain = await Chain.locked(context, tx, book_id)
    if chain.last is None or chain.book.first_on is None:
        return [], False
    book = await _BOOK.one(tx, {"id": book_id})
    through = min(through, book.ends_on or through)
    chain.insist_on_pause(through, "through")
    rhythm = Rhythm(book.period, book.week_starts_on)
    before = await _BEFORE.one(tx, {"book_id": book_id})
    first = before.ends_on + A_DAY if before.ends_on else rhythm.span_of(chain.book.first_on).starts_on
    closed: list[Record] = []
    for span in rhythm.spans(first, through):
        if len(closed) == SPANS_AT_ONCE:
            return closed, True
        await chain.close_days(span.ends_on)
        closed.append(await _close(tx, book, span, closed[-1] if closed else None, before, by=by))
    return closed, False


async def _close(
    tx: AsyncConnection, book: Record, span: Span, previous: Record | None, before: Record, *, by: str
) -> Record:
    """Close one period; ``previous`` was closed just before it, ``before`` is what was closed earlier."""
    seq_before = previous.last_seq if previous else before.last_seq or 0
    last = await _LAST_OF.one_or_none(tx, {"book_id": book.id, "day": span.ends_on})
    last_seq = last.seq if last else seq_before
    takings = await _between(tx, book.id, seq_before, totals_of(last) if last else {})
    period_id = new_id()
    number, text = await _next_number(tx, book, span.ends_on, period_id) if takings else (None, None)
    period = await _ADD.one(
        tx,
        {
            "id": period_id,
            "book_id": book.id,
            "dossier_id": book.dossier_id,
            "firm_id": book.firm_id,
            "starts_on": span.starts_on,
            "ends_on": span.ends_on,
            "first_seq": seq_before + 1,
            "last_seq": last_seq,
            "takings": json.dumps(takings),
            "total": sum(map(Decimal, takings.values()), ZERO),
            "invoice_number": number,
            "number": text,
            "closed_by": by,
        },
    )
    if number:
        await to_hand_in(tx, Kind.RECEIPTS, period)
    await outbox.publish(tx, _told(period))
    return period


async def _between(tx: AsyncConnection, book_id: UUID, seq_before: int, totals: Mapping[str, str]) -> dict[str, str]:
    """Return what was taken after an entry until the totals were these, by VAT category and rate."""
    known = await _AT.one_or_none(tx, {"book_id": book_id, "seq": seq_before})
    earlier = totals_of(known) if known else {}
    keys = sorted({*totals, *earlier})
    taken = {key: Decimal(totals.get(key, 0)) - Decimal(earlier.get(key, 0)) for key in keys}
    return {key: f"{amount:f}" for key, amount in taken.items() if amount}


async def _next_number(tx: AsyncConnection, book: Record, on: date, period_id: UUID) -> tuple[int, str]:
    """Return the number of a period's invoice, and how the book's format writes it (R127)."""
    known: int | None = (await _BEFORE.one(tx, {"book_id": book.id})).invoice_number
    read = number_formats.of_book(dict(book.items()))
    return await numbering.next_number(tx, book.dossier_id, read, known or 0, on, period_id)


def _told(period: Record) -> ReceiptsPeriodClosed:
    return ReceiptsPeriodClosed(
        period_id=period.id,
        receipt_book_id=period.book_id,
        dossier_id=period.dossier_id,
        firm_id=period.firm_id,
        starts_on=period.starts_on,
        ends_on=period.ends_on,
        number=period.number,
        total=period.total,
    )
