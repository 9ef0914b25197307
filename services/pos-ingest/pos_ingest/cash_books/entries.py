"""Lines of a cash book: entered under the balance that their sender knows, or following from receipts (R133).

The book's row is locked first, so its balance is that of its last line whoever else enters some. Only the balance after all
lines of a call counts as that of the drawer: in which order things happened within it is not always known.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.clock import brussels_date
from koppel_mesh.http.problems import FieldError, HttpProblem
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from pos_ingest.rules import CASH

from .books import minimum_on
from .lines import CashKind, Movement, message_of, movements_of_receipts
from .models import NewCashEntries, NewCashEntry

_OF_REFERENCES = Statement("""
    SELECT * FROM cash_entry WHERE book_id = :book_id AND external_reference = ANY(CAST(:references AS text[])) ORDER BY seq
""")
_IS_LINKED = Statement("SELECT id FROM receipt_book WHERE cash_book_id = :book_id LIMIT 1")
_ADD = Statement("""
    INSERT INTO cash_entry (id, book_id, seq, entry_on, kind, amount, balance, message, remark, party, invoice_number,
        external_reference, receipts_id, entered_by)
    VALUES (:id, :book_id, :seq, :entry_on, :kind, :amount, :balance, :message, :remark, :party, :invoice_number,
        :external_reference, :receipts_id, :entered_by)
    RETURNING *
""")
_ADVANCE = Statement("""
    UPDATE cash_book SET balance = :balance, last_seq = :seq, last_entry_on = :entry_on WHERE id = :id
""")
_BY_ID = Statement("SELECT * FROM cash_book WHERE id = :id FOR NO KEY UPDATE")


async def enter(
    context: Context, tx: AsyncConnection, book: Record, given: NewCashEntries, *, by: str
) -> tuple[list[Record], Decimal, bool]:
    """Enter lines; return their rows, the balance after them, and whether they are new.

    Args:
        context: of the service; its clock is used.
        tx: the caller's transaction, which holds ``book``.
        book: the row.
        given: what is entered. The same references with the same lines again change nothing.
        by: who enters it.

    Raises:
        HttpProblem: 409 with the present ``balance`` where the sender knows another one, 409 where a reference came with another
            line, 422 for what breaks a rule.
    """
    if earlier := await _entered_before(tx, book, given):
        return earlier, book.balance, False
    if given.start_balance != book.balance:
        title = "The drawer has another balance than that."
        detail = (
            f"It is {book.balance}, not {given.start_balance}: read the book again, and enter what is still missing."
        )
        raise HttpProblem(409, "balance_changed", title, detail, balance=str(book.balance))
    linked = await is_linked(tx, book.id)
    if broken := _broken(book, given, brussels_date(context.now()), is_linked=linked):
        raise HttpProblem(
            422, broken[0].rule, "The entries break a rule of the book.", broken[0].message, errors=broken
        )
    lines = [_by_hand(each, given.date, by) for each in given.entries]
    rows = await _append(tx, book, given.date, lines)
    return rows, rows[-1].balance, True


async def is_linked(connection: AsyncConnection, cash_book_id: UUID) -> bool:
    """Return whether takings come from a receipt book, and none are typed in."""
    return await _IS_LINKED.one_or_none(connection, {"book_id": cash_book_id}) is not None


async def put_receipts(
    tx: AsyncConnection, cash_book_id: UUID, entry_id: UUID, day: date, payments: Sequence[dict[str, str]], *, by: str
) -> None:
    """Let a day's receipts go through the drawer: all in, and out again what was not paid in cash.

    It stands on the first day that the book still takes; its message says which day it is of. Days before the book began are in
    its opening balance.

    Raises:
        HttpProblem: 422 where the drawer would hold less than nothing.
    """
    paid = {each["method"]: Decimal(each["amount"]) for each in payments}
    found = movements_of_receipts(day, paid, CASH)
    if not found:
        return
    book = await held(tx, cash_book_id)
    if day < book.start_on:
        return  # what came in before is in its opening balance
    on = max(day, minimum_on(book))
    lines = [_line(kind, amount, message, receipts_id=entry_id, entered_by=by) for kind, amount, message in found]
    await append_checked(tx, book, on, lines, field="payments")


async def held(tx: AsyncConnection, cash_book_id: UUID) -> Record:
    """Return a cash book's row, held until ``tx`` ends."""
    return await _BY_ID.one(tx, {"id": cash_book_id})


async def append_checked(
    tx: AsyncConnection, book: Record, on: date, lines: Sequence[dict[str, Any]], *, field: str
) -> list[Record]:
    """Append lines; 422 that names ``field`` where the drawer would hold less than nothing."""
    if book.balance + sum((line["amount"] for line in lines), Decimal(0)) < 0:
        message = f"The drawer holds {book.balance}: it cannot give more than that."
        errors = [FieldError(field=field, rule="drawer_below_zero", message=message)]
        raise HttpProblem(422, "drawer_below_zero", "A drawer never holds less than nothing.", message, errors=errors)
    return await _append(tx, book, on, lines)


async def _append(tx: AsyncConnection, book: Record, on: date, lines: Sequence[dict[str, Any]]) -> list[Record]:
    seq, balance, rows = book.last_seq, book.balance, []
    for line in lines:
        seq, balance = seq + 1, balance + line["amount"]
        place = {"id": new_id(), "book_id": book.id, "seq": seq, "entry_on": on, "balance": balance}
        rows.append(await _ADD.one(tx, {**line, **place}))
    await _ADVANCE.run(tx, {"id": book.id, "balance": balance, "seq": seq, "entry_on": on})
    return rows


async def _entered_before(tx: AsyncConnection, book: Record, given: NewCashEntries) -> list[Record]:
    """Return the rows that these lines have already; none where they are new."""
    references = [each.external_reference for each in given.entries if each.external_reference]
    rows = await _OF_REFERENCES.all(tx, {"book_id": book.id, "references": references}) if references else []
    if not rows:
        return []
    known = {row.external_reference: row for row in rows}
    same = [
        (row := known.get(each.external_reference or "")) is not None and _is_same(row, each, given.date)
        for each in given.entries
    ]
    if not all(same):
        place = same.index(False)
        title = "Some of these external_references came before, with other lines or other company."
        errors = [
            FieldError(field=f"entries.{place}", rule="reference_reused", message="This line did not come with them.")
        ]
        raise HttpProblem(409, "reference_reused", title, errors=errors, balance=str(book.balance))
    return rows


def _is_same(row: Record, given: NewCashEntry, on: date) -> bool:
    said = (row.entry_on, row.kind, row.amount, row.remark, row.party, row.invoice_number)
    return said == (on, given.kind, given.amount, given.remark, given.party, given.invoice_number)


def _broken(book: Record, given: NewCashEntries, today: date, *, is_linked: bool) -> list[FieldError]:
    found = []
    if given.date > today:
        found.append(FieldError(field="date", rule="future_date", message=f"{given.date} has not begun in Brussels."))
    if given.date < (first := minimum_on(book)):
        message = f"There is no way back: the book takes lines from {first}."
        found.append(FieldError(field="date", rule="before_last_entry", message=message))
    for place, each in enumerate(given.entries):
        if (reason := each.movement().sign_problem()) is not None:
            found.append(FieldError(field=f"entries.{place}.amount", rule="wrong_sign", message=reason))
        if is_linked and each.kind is CashKind.TAKINGS:
            message = "Takings come from the linked receipt book."
            found.append(FieldError(field=f"entries.{place}.kind", rule="takings_are_linked", message=message))
    made = given.start_balance + sum((each.amount for each in given.entries), Decimal(0))
    if made != given.end_balance:
        message = f"The lines lead from {given.start_balance} to {made}."
        found.append(FieldError(field="end_balance", rule="balance_wrong", message=message))
    if made < 0:
        message = f"The drawer holds {book.balance}: it cannot give more than that."
        found.append(FieldError(field="entries", rule="drawer_below_zero", message=message))
    return found


def _by_hand(given: NewCashEntry, on: date, by: str) -> dict[str, Any]:
    movement = given.movement()
    said = given.model_dump(include={"remark", "party", "invoice_number", "external_reference"})
    return _line(given.kind, given.amount, message_of(movement, on), entered_by=by) | said


def line_of(movement: Movement, on: date, *, by: str) -> dict[str, Any]:
    """Return a line that is no caller's, such as a difference of the till."""
    return _line(movement.kind, movement.amount, message_of(movement, on), remark=movement.remark, entered_by=by)


def _line(kind: CashKind, amount: Decimal, message: str, **more: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        "remark": "",
        "party": "",
        "invoice_number": "",
        "external_reference": None,
        "receipts_id": None,
    }
    return {**nothing, "kind": kind, "amount": amount, "message": message, **more}
