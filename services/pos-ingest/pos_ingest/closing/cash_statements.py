"""Closing the periods of a cash book: each becomes a statement that follows the one before it.

The number of the statement, its balances and the work to hand it in are one commit, under the book's lock. A period in which
nothing moved has no statement: balances and numbers go on after it.
"""

from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from pos_ingest.failures import is_not_put_off, put_off_on_failure

from .hand_in import HAND_IN, Kind, to_hand_in
from .periods import A_DAY, Rhythm, Span
from .receipt_periods import open_day

SPANS_AT_ONCE: Final = 100
CLOSE_CASH: Final = "close cash books"
# The last period that ended before :today, as ``periods.Rhythm.ended_before`` has it.
_DUE = Statement(f"""
    SELECT * FROM (
        SELECT b.*, CASE b.coda_period WHEN 'day' THEN CAST(:today AS date) - 1
            WHEN 'week' THEN CAST(:today AS date)
                - (CAST(extract(dow FROM CAST(:today AS date)) AS integer) - b.coda_week_starts_on + 7) % 7 - 1
            ELSE CAST(date_trunc('month', CAST(:today AS date)) AS date) - 1 END AS through
        FROM cash_book b) due
    WHERE start_on <= through AND coalesce(closed_through < through, true)
        AND {is_not_put_off(CLOSE_CASH, "due.id")} ORDER BY id LIMIT 1
""")
_LOCKED = Statement("SELECT * FROM cash_book WHERE id = :id FOR NO KEY UPDATE")
_CLOSED = Statement("UPDATE cash_book SET closed_through = :through WHERE id = :id")
_NEXT_MOVEMENT = Statement("""
    SELECT entry_on FROM cash_entry WHERE book_id = :book_id AND entry_on >= :first ORDER BY entry_on, seq LIMIT 1
""")
_MOVED = Statement("""
    SELECT min(seq) AS first_seq, max(seq) AS last_seq FROM cash_entry
    WHERE book_id = :book_id AND entry_on BETWEEN :starts_on AND :ends_on
""")
_BALANCE_AFTER = Statement("SELECT balance FROM cash_entry WHERE book_id = :book_id AND seq = :seq")
_LATEST = Statement("""
    SELECT ends_on, closing, year, number FROM cash_statement WHERE book_id = :book_id ORDER BY ends_on DESC LIMIT 1
""")
_ADD = Statement("""
    INSERT INTO cash_statement (id, book_id, dossier_id, firm_id, starts_on, ends_on, year, number, opened_on, opening, closing,
        first_seq, last_seq)
    VALUES (:id, :book_id, :dossier_id, :firm_id, :starts_on, :ends_on, :year, :number, :opened_on, :opening, :closing,
        :first_seq, :last_seq)
    RETURNING *
""")


async def close_ended_cash(context: Context) -> bool:
    """Close what ended of one cash book, as the nightly run does; True while there may be more."""
    today = open_day(context.now())
    async with context.database.reading() as reading:
        due = await _DUE.one_or_none(reading, {"today": today})
    if due is None:
        return False
    async with put_off_on_failure(context, CLOSE_CASH, due.id):
        await close_cash(context, due.id, Rhythm(due.coda_period, due.coda_week_starts_on).ended_before(today))
    return True


async def close_cash(context: Context, book_id: UUID, through: date) -> list[Record]:
    """Close a cash book through a day; return the statements that were made now."""
    made: list[Record] = []
    while True:
        async with context.database.transaction() as tx:
            some, more = await _close_some(tx, book_id, through)
        made += some
        if some:
            context.wake(HAND_IN)
        if not more:
            return made


async def _close_some(tx: AsyncConnection, book_id: UUID, through: date) -> tuple[list[Record], bool]:
    book = await _LOCKED.one(tx, {"id": book_id})
    first = book.closed_through + A_DAY if book.closed_through else book.start_on
    if first > through:
        return [], False
    rhythm = Rhythm(book.coda_period, book.coda_week_starts_on)
    made: list[Record] = []
    while (span := await _next_span(tx, book, rhythm, first, through)) is not None:
        if len(made) == SPANS_AT_ONCE:
            await _CLOSED.run(tx, {"id": book_id, "through": span.starts_on - A_DAY})
            return made, True
        made.append(await _close(tx, book, span))
        first = span.ends_on + A_DAY
    await _CLOSED.run(tx, {"id": book_id, "through": through})
    return made, False


async def _next_span(tx: AsyncConnection, book: Record, rhythm: Rhythm, first: date, through: date) -> Span | None:
    """Return the next period from ``first`` in which something moved; None when nothing does until ``through``."""
    moved = await _NEXT_MOVEMENT.one_or_none(tx, {"book_id": book.id, "first": first})
    if moved is None or moved.entry_on > through:
        return None
    whole = rhythm.span_of(moved.entry_on)
    return Span(max(whole.starts_on, first), min(whole.ends_on, through))


async def _close(tx: AsyncConnection, book: Record, span: Span) -> Record:
    days = {"book_id": book.id, "starts_on": span.starts_on, "ends_on": span.ends_on}
    moved = await _MOVED.one(tx, days)
    before = await _LATEST.one_or_none(tx, {"book_id": book.id})
    closing = (await _BALANCE_AFTER.one(tx, {"book_id": book.id, "seq": moved.last_seq})).balance
    goes_on = before is not None and before.year == span.ends_on.year
    made = await _ADD.one(
        tx,
        {
            **days,
            "id": new_id(),
            "dossier_id": book.dossier_id,
            "firm_id": book.firm_id,
            "year": span.ends_on.year,
            "number": before.number + 1 if before and goes_on else 1,
            "opened_on": before.ends_on if before else book.start_on - A_DAY,
            "opening": before.closing if before else book.start_balance,
            "closing": closing,
            "first_seq": moved.first_seq,
            "last_seq": moved.last_seq,
        },
    )
    await to_hand_in(tx, Kind.CASH_STATEMENT, made)
    return made
