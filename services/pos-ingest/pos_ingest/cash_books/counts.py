"""Counts of a drawer: what differs from the book becomes a line of its own once a person confirms it."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.clock import brussels_date
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context

from .books import minimum_on
from .entries import append_checked, line_of
from .lines import CashKind, Movement
from .models import Count, NewCount

_ADD = Statement("""
    INSERT INTO cash_count (id, book_id, counted_on, counted, balance, seq, remark, counted_by)
    VALUES (:id, :book_id, :counted_on, :counted, :balance, :seq, :remark, :counted_by) RETURNING *
""")
_LOCKED = Statement("SELECT * FROM cash_count WHERE id = :id AND book_id = :book_id FOR UPDATE")
_LIST = Statement("""
    SELECT * FROM cash_count WHERE book_id = :book_id AND (CAST(:after AS uuid) IS NULL OR id < :after)
    ORDER BY id DESC LIMIT :limit
""")
_CONFIRM = Statement("""
    UPDATE cash_count SET confirmed_by = :by, confirmed_at = clock_timestamp(), entry_id = :entry_id WHERE id = :id RETURNING *
""")


async def add(context: Context, tx: AsyncConnection, book: Record, given: NewCount, *, by: str) -> Record:
    """Keep a count of the drawer beside what the book says; 422 for a day that the book does not take any more."""
    today = brussels_date(context.now())
    if not minimum_on(book) <= given.date <= today:
        message = f"The book takes lines from {minimum_on(book)} to {today}."
        errors = [FieldError(field="date", rule="day_not_open", message=message)]
        raise HttpProblem(
            422, "day_not_open", "A drawer is counted on a day that is still open.", message, errors=errors
        )
    values = {
        "id": new_id(),
        "book_id": book.id,
        "counted_on": given.date,
        "counted": given.counted,
        "balance": book.balance,
        "seq": book.last_seq,
        "remark": given.remark,
        "counted_by": by,
    }
    return await _ADD.one(tx, values)


async def confirm(tx: AsyncConnection, book: Record, count_id: UUID, *, by: str) -> Record:
    """Enter the difference of a count; confirmed again, nothing changes.

    Raises:
        HttpProblem: 404; 409 where lines were entered since, so that the difference may be another one.
    """
    count = await _LOCKED.one_or_none(tx, {"id": count_id, "book_id": book.id})
    if count is None:
        raise not_found("count")
    if count.confirmed_at is not None:
        return count
    if count.seq != book.last_seq:
        title = "Lines were entered since the drawer was counted: count it again."
        raise HttpProblem(409, "book_moved_on", title, balance=str(book.balance))
    difference, entry_id = count.counted - count.balance, None
    if difference:
        movement = Movement(CashKind.TILL_DIFFERENCE, difference, count.remark)
        on = max(count.counted_on, minimum_on(book))
        (entry,) = await append_checked(tx, book, on, [line_of(movement, on, by=by)], field="counted")
        entry_id = entry.id
    return await _CONFIRM.one(tx, {"id": count_id, "by": by, "entry_id": entry_id})


async def counts_of(connection: AsyncConnection, book_id: UUID, *, after: UUID | None, limit: int) -> list[Record]:
    """Return the counts of a book, the latest first."""
    return await _LIST.all(connection, {"book_id": book_id, "after": after, "limit": limit})


def shown(row: Any) -> Count:
    """Return a count as callers see it."""
    difference = row.counted - row.balance
    state = "confirmed" if row.confirmed_at else "open" if difference else "equal"
    return Count(
        id=row.id,
        date=row.counted_on,
        counted=row.counted,
        balance=row.balance,
        difference=difference,
        state=state,
        remark=row.remark,
        counted_by=row.counted_by,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
        entry_id=row.entry_id,
    )
