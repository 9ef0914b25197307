"""What tickets say was put in the drawer, or taken from it, becomes lines of the linked cash book, each once (R133).

It goes with the takings of its day: what came in before them, what went out after them, in one transaction. The cash book's row
is held, so its balance is the lock. What cannot be a line yet waits, is a problem of the tickets, and is tried again.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.prepared_sql import Record, Statement
from pos_ingest.cash_books.books import minimum_on
from pos_ingest.cash_books.entries import append_checked, held, line_of
from pos_ingest.cash_books.lines import CashKind, Movement

from .movements import Explained

BY: Final = "tickets"
RETRY_AFTER: Final = timedelta(hours=1)


class Refusal(StrEnum):
    """Why a movement is no line of the cash book yet."""

    UNCLEAR = "unclear"
    BELOW_ZERO = "drawer_below_zero"
    NO_CASH_BOOK = "no_cash_book"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A movement on its way into the cash book."""

    row: Record
    movement: Movement
    on: date


_ADD = Statement("""
    INSERT INTO cash_movement (id, ticket_id, place, firm_id, book_id, moved_on, amount, kind, party, invoice_number, remark)
    VALUES (:id, :ticket_id, :place, :firm_id, :book_id, :moved_on, :amount, :kind, :party, :invoice_number, :remark)
    ON CONFLICT (ticket_id, place) DO NOTHING
""")
_WAITING = Statement("""
    SELECT m.* FROM cash_movement m JOIN ticket t ON t.id = m.ticket_id
    WHERE m.book_id = :book_id AND m.entered_at IS NULL AND m.moved_on <= :through AND (m.amount > 0) = :incoming
    ORDER BY m.moved_on, t.register, t.receipt, m.place FOR NO KEY UPDATE OF m
""")
_ENTERED = Statement("""
    UPDATE cash_movement SET entered_at = clock_timestamp(), cash_entry_id = :entry_id, kind = coalesce(kind, :kind),
        refusal = NULL
    WHERE id = :id
""")
_REFUSED = Statement("""
    UPDATE cash_movement SET refusal = :refusal, due_at = clock_timestamp() + :later WHERE id = ANY(CAST(:ids AS uuid[]))
""")
_COLUMNS = "SELECT m.*, t.register, t.receipt FROM cash_movement m JOIN ticket t ON t.id = m.ticket_id"
_LIST = Statement(f"""
    {_COLUMNS} WHERE t.dossier_id = :dossier_id AND (CAST(:after AS uuid) IS NULL OR m.id < :after)
    ORDER BY m.id DESC LIMIT :limit
""")
_ONE = Statement(f"{_COLUMNS} WHERE t.dossier_id = :dossier_id AND m.id = :id FOR NO KEY UPDATE OF m")
_EXPLAIN = Statement("""
    UPDATE cash_movement SET kind = :kind, party = :party, invoice_number = :invoice_number, remark = :remark, refusal = NULL,
        due_at = clock_timestamp()
    WHERE id = :id
""")


async def add(tx: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep movements; those that are there already stay as they are."""
    await _ADD.run_many(tx, rows)


async def enter(tx: AsyncConnection, receipt_book: Record, through: date, *, incoming: bool) -> None:
    """Let what moved until a day, and waits, be lines of the cash book; what cannot goes on waiting and says why.

    Args:
        tx: the caller's transaction, which holds the receipt book.
        receipt_book: ``id`` and ``cash_book_id``.
        through: the last day.
        incoming: whether what came in is meant, or what went out.
    """
    rows = await _WAITING.all(tx, {"book_id": receipt_book.id, "through": through, "incoming": incoming})
    if not rows:
        return
    cash_book_id = receipt_book.cash_book_id
    if cash_book_id is None:
        await _refuse(tx, rows, Refusal.NO_CASH_BOOK)
        return
    book = await held(tx, cash_book_id)
    default = book.till_in if incoming else book.till_out
    unclear: list[Record] = []
    waiting: list[Waiting] = []
    for row in rows:
        if row.moved_on < book.start_on:  # its opening balance holds it
            await _ENTERED.run(tx, {"id": row.id, "entry_id": None, "kind": default})
        elif kind := row.kind or default:
            waiting.append(_waiting(book, row, CashKind(kind)))
        else:
            unclear.append(row)
    await _refuse(tx, unclear, Refusal.UNCLEAR)
    for on, some in groupby(waiting, key=lambda each: each.on):
        await _append(tx, await held(tx, cash_book_id), on, list(some))


def _waiting(book: Record, row: Record, kind: CashKind) -> Waiting:
    on = max(row.moved_on, minimum_on(book))
    late = "" if on == row.moved_on else f" ({row.moved_on:%d.%m.%Y})"
    remark = f"{row.remark}{late}".strip()
    return Waiting(row, Movement(kind, row.amount, remark, row.party, row.invoice_number), on)


async def _append(tx: AsyncConnection, book: Record, on: date, some: Sequence[Waiting]) -> None:
    balance, fitting, refused = book.balance, [], []
    for each in some:
        if balance + each.movement.amount < 0:
            refused.append(each.row)
        else:
            balance += each.movement.amount
            fitting.append(each)
    await _refuse(tx, refused, Refusal.BELOW_ZERO)
    lines = [
        {**line_of(each.movement, on, by=BY), "external_reference": f"ticket {each.row.ticket_id} {each.row.place}"}
        for each in fitting
    ]
    entries = await append_checked(tx, book, on, lines, field="payments") if lines else []
    for each, entry in zip(fitting, entries, strict=True):
        await _ENTERED.run(tx, {"id": each.row.id, "entry_id": entry.id, "kind": each.movement.kind})


async def _refuse(tx: AsyncConnection, rows: Sequence[Record], refusal: Refusal) -> None:
    if rows:
        await _REFUSED.run(tx, {"ids": [row.id for row in rows], "refusal": refusal, "later": RETRY_AFTER})


# ── what a person sees and says ──


async def listed(connection: AsyncConnection, dossier_id: UUID, *, after: UUID | None, limit: int) -> list[Record]:
    """Return the movements of a dossier's tickets, the latest first."""
    return await _LIST.all(connection, {"dossier_id": dossier_id, "after": after, "limit": limit})


async def explain(tx: AsyncConnection, dossier_id: UUID, movement_id: UUID, said: Explained) -> Record:
    """Keep what a person says a movement is; its amount stays. It is entered by the next run.

    Raises:
        HttpProblem: 404; 409 where it is a line of the cash book already; 422 where it cannot be of that kind.
    """
    asked = {"dossier_id": dossier_id, "id": movement_id}
    row = await _ONE.one_or_none(tx, asked)
    if row is None:
        raise not_found("cash movement")
    if row.entered_at is not None:
        raise HttpProblem(409, "already_entered", "The movement is a line of the cash book already.")
    assert said.kind is not None
    if (reason := Movement(said.kind, row.amount).sign_problem()) is not None:
        errors = [FieldError(field="kind", rule="wrong_sign", message=reason)]
        raise HttpProblem(422, "wrong_sign", "The movement cannot be of that kind.", reason, errors=errors)
    await _EXPLAIN.run(tx, {"id": row.id, **asdict(said), "remark": said.remark or row.remark})
    return await _ONE.one(tx, asked)
