"""Tickets come in: each once by its register and receipt, whatever the order, the repetition and the batches.

A batch is two passes over the body. The first finds out whether it is an array of at most 5,000 elements, so that nothing is
kept of one that is not; the second keeps some hundred tickets in each transaction. A caller who hears nothing sends it again.
"""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import IO, Any, Final
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.clock import brussels_date
from koppel_mesh.http.problems import FieldError, printable
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from koppel_mesh.telemetry.tracing import current_traceparent

from . import cash_movements, z_totals
from .models import OF_THE_INVOICE, Ticket
from .movements import rows_of
from .registers import TicketBook, TicketBooks, book_for, books_of
from .stream import count, elements
from .ticket_invoice import insist_on_invoice
from .ticket_takings import TicketTakings, takings_of
from .validation import TicketError, read

TICKETS_MAX: Final = 5_000
AT_ONCE: Final = 250
"""Tickets in one transaction and one statement."""
OUTSIDE_SCOPE: Final = "O"

_INSERT = Statement("""
    INSERT INTO ticket (id, dossier_id, firm_id, book_id, register, receipt, sold_on, content_hash, sale_hash, content,
        takings, is_invoice)
    SELECT id, :dossier_id, :firm_id, book_id, register, receipt, sold_on, content_hash, sale_hash,
        CAST(content AS jsonb), CAST(takings AS jsonb), is_invoice
    FROM unnest(CAST(:ids AS uuid[]), CAST(:books AS uuid[]), CAST(:registers AS text[]), CAST(:receipts AS text[]),
        CAST(:days AS date[]), CAST(:content_hashes AS bytea[]), CAST(:sale_hashes AS bytea[]), CAST(:contents AS text[]),
        CAST(:takings AS text[]), CAST(:invoices AS boolean[]))
        AS given (id, book_id, register, receipt, sold_on, content_hash, sale_hash, content, takings, is_invoice)
    ORDER BY register, receipt
    ON CONFLICT (dossier_id, register, receipt) DO NOTHING RETURNING id
""")
_EARLIER = Statement("""
    SELECT t.id, t.register, t.receipt, t.content_hash, t.sale_hash, t.is_invoice, i.refusal IS NOT NULL AS is_refused
    FROM ticket t JOIN unnest(CAST(:registers AS text[]), CAST(:receipts AS text[])) AS given (register, receipt)
        ON t.register = given.register AND t.receipt = given.receipt
    LEFT JOIN ticket_invoice i ON i.ticket_id = t.id
    WHERE t.dossier_id = :dossier_id ORDER BY t.register, t.receipt FOR NO KEY UPDATE OF t
""")
_CONVERT = Statement("""
    UPDATE ticket SET is_invoice = true, is_pending = is_pending OR NOT is_invoice, content = CAST(:content AS jsonb),
        content_hash = :content_hash
    WHERE id = :id
""")
_ASK_INVOICES = Statement("""
    INSERT INTO ticket_invoice (ticket_id, firm_id, traceparent)
    SELECT id, :firm_id, CAST(:traceparent AS text) FROM unnest(CAST(:ids AS uuid[])) AS id
    ON CONFLICT (ticket_id) DO UPDATE
        SET state = 'waiting', due_at = clock_timestamp(), refusal = NULL, traceparent = excluded.traceparent
""")


class TicketResult(BaseModel):
    """What became of one ticket; the answers stand in the order of the tickets."""

    status: str
    """``accepted``, ``duplicate``, ``converted`` (it was there, and becomes an invoice now) or ``error``."""
    register_id: str | None = None
    receipt_id: str | None = None
    receipt_book_id: UUID | None = None
    sold_on: date | None = None
    """The day of the takings, in Brussels."""
    code: str | None = None
    field: str | None = None
    message: str | None = None
    errors: list[FieldError] = Field([])


@dataclass(slots=True)
class _Taken:
    """A ticket on its way to its row."""

    place: int
    ticket: Ticket
    book_id: UUID
    sold_on: date
    content: str
    content_hash: bytes
    sale_hash: bytes
    takings: TicketTakings
    id: UUID = field(default_factory=new_id)

    @property
    def key(self) -> tuple[str, str]:
        return self.ticket.register, self.ticket.receipt

    def origin(self, firm_id: UUID) -> dict[str, Any]:
        return {"ticket_id": self.id, "firm_id": firm_id, "book_id": self.book_id, "moved_on": self.sold_on}

    def result(self, status: str) -> TicketResult:
        return TicketResult(
            status=status,
            register_id=self.ticket.register,
            receipt_id=self.ticket.receipt,
            receipt_book_id=self.book_id,
            sold_on=self.sold_on,
        )


async def take(context: Context, dossier: Record, body: IO[bytes]) -> list[TicketResult]:
    """Keep the tickets of a body and return what became of each.

    Args:
        context: of the service.
        dossier: a row that the caller may see.
        body: a JSON array of tickets.

    Raises:
        HttpProblem: 422 where the body is no JSON array, or has more than ``TICKETS_MAX`` elements; nothing is kept then.
    """
    count(body, TICKETS_MAX)
    async with context.database.reading() as reading:
        books = await books_of(reading, dossier.id)
    results: list[TicketResult] = []
    for some in elements(body, AT_ONCE):
        results += await _take_some(context, dossier, books, some)
    return results


async def _take_some(
    context: Context, dossier: Record, books: TicketBooks, contents: Sequence[Any]
) -> list[TicketResult]:
    results: list[TicketResult | None] = [None] * len(contents)
    taken: list[_Taken] = []
    for place, content in enumerate(contents):
        try:
            ticket = read(content, context.now())
            takings = takings_of(ticket)
            book = _book(books, ticket, takings)
            if ticket.convert_to_invoice:
                await asyncio.to_thread(insist_on_invoice, ticket, dossier)
        except TicketError as error:
            results[place] = _refused(content, error)
            continue
        taken.append(_row(place, ticket, book, takings))
    if taken:
        async with context.database.transaction() as tx:
            for one, status in await _keep(tx, dossier, taken):
                results[one.place] = one.result(status) if isinstance(status, str) else _conflict(one, status)
            await z_totals.compare(tx, dossier.id, {(one.ticket.register, one.sold_on) for one in taken})
    return [result for result in results if result is not None]


def _book(books: TicketBooks, ticket: Ticket, takings: TicketTakings) -> TicketBook:
    sold_on = brussels_date(ticket.moment)
    book = book_for(books, ticket, sold_on)
    if book is None:
        named = ticket.register if not ticket.locations else f"{ticket.register} at {ticket.locations[0]}"
        message = f"The register {named} belongs to no receipt book yet: say to which (PUT …/registers)."
        raise TicketError([FieldError(field="registerID", rule="unknown_register", message=message)])
    if book.cash_book_id is None and any(rows_of(ticket)):
        message = (
            "Money was put in the drawer or taken from it, and the receipt book is linked to no cash book: link one"
            " (PATCH …/receipt-books/{id}) and hand the ticket in again."
        )
        raise TicketError([FieldError(field="payments", rule="no_cash_book", message=message)])
    if not book.is_open(sold_on):
        message = f"The receipt book ended on {book.ends_on}."
        raise TicketError([FieldError(field="receiptFinalizedOn", rule="book_ended", message=message)])
    if book.vat_rates and not ticket.convert_to_invoice:
        rates = {Decimal(rate) for rate in book.vat_rates}
        for key in takings.amounts:
            if key.category != OUTSIDE_SCOPE and key.rate not in rates:
                message = f"The receipt book takes the rates {', '.join(book.vat_rates)}."
                raise TicketError([FieldError(field="lines", rule="rate_not_in_book", message=message)])
    return book


def _row(place: int, ticket: Ticket, book: TicketBook, takings: TicketTakings) -> _Taken:
    content = ticket.model_dump_json(by_alias=True, exclude_none=True)
    sale = ticket.model_dump_json(exclude=set(OF_THE_INVOICE))
    content_hash, sale_hash = (hashlib.sha256(text.encode()).digest() for text in (content, sale))
    return _Taken(place, ticket, book.id, brussels_date(ticket.moment), content, content_hash, sale_hash, takings)


async def _keep(tx: AsyncConnection, dossier: Record, taken: Sequence[_Taken]) -> list[tuple[_Taken, str | FieldError]]:
    await z_totals.hold(tx, dossier.id)
    new = await _insert(tx, dossier, taken)
    await _follow_up(tx, dossier.firm_id, [one for one in taken if one.id in new])
    again = [one for one in taken if one.id not in new]
    known = await _earlier(tx, dossier.id, again)
    kept: list[tuple[_Taken, str | FieldError]] = [(one, "accepted") for one in taken if one.id in new]
    for one in again:
        earlier = known[one.key]
        status = _compare(earlier, one)
        if status == "converted":
            await _CONVERT.run(tx, {"id": earlier["id"], "content": one.content, "content_hash": one.content_hash})
            await _ask_invoices(tx, dossier.firm_id, [earlier["id"]])
            earlier |= {"is_invoice": True, "is_refused": False, "content_hash": one.content_hash}
        kept.append((one, status))
    return kept


async def _insert(tx: AsyncConnection, dossier: Record, taken: Sequence[_Taken]) -> set[UUID]:
    rows = await _INSERT.all(
        tx,
        {
            "dossier_id": dossier.id,
            "firm_id": dossier.firm_id,
            "ids": [one.id for one in taken],
            "books": [one.book_id for one in taken],
            "registers": [one.ticket.register for one in taken],
            "receipts": [one.ticket.receipt for one in taken],
            "days": [one.sold_on for one in taken],
            "content_hashes": [one.content_hash for one in taken],
            "sale_hashes": [one.sale_hash for one in taken],
            "contents": [one.content for one in taken],
            "takings": [json.dumps(one.takings.to_json()) for one in taken],
            "invoices": [bool(one.ticket.convert_to_invoice) for one in taken],
        },
    )
    return {row.id for row in rows}


async def _follow_up(tx: AsyncConnection, firm_id: UUID, new: Sequence[_Taken]) -> None:
    invoices = [one.id for one in new if one.ticket.convert_to_invoice]
    if invoices:
        await _ask_invoices(tx, firm_id, invoices)
    rows = [row for one in new for row in rows_of(one.ticket, **one.origin(firm_id))]
    if rows:
        await cash_movements.add(tx, rows)


async def _earlier(
    tx: AsyncConnection, dossier_id: UUID, again: Sequence[_Taken]
) -> dict[tuple[str, str], dict[str, Any]]:
    if not again:
        return {}
    keys = sorted({one.key for one in again})
    asked = {"dossier_id": dossier_id, "registers": [key[0] for key in keys], "receipts": [key[1] for key in keys]}
    return {(row.register, row.receipt): dict(row) for row in await _EARLIER.all(tx, asked)}


def _compare(earlier: dict[str, Any], one: _Taken) -> str | FieldError:
    """Say what a ticket is that came before; a late repetition of what it was before the invoice is a repetition too."""
    if earlier["content_hash"] == one.content_hash:
        return "duplicate"
    if earlier["sale_hash"] == one.sale_hash:
        if one.ticket.convert_to_invoice and (not earlier["is_invoice"] or earlier["is_refused"]):
            return "converted"
        if earlier["is_invoice"] and not one.ticket.convert_to_invoice:
            return "duplicate"
    message = f"Receipt {one.ticket.receipt} of register {one.ticket.register} came before with other content."
    return FieldError(field="receiptID", rule="receipt_conflict", message=message)


def _refused(content: Any, error: TicketError) -> TicketResult:
    given = content if isinstance(content, dict) else {}
    named = {"register_id": _text_of(given, _REGISTERS), "receipt_id": _text_of(given, _RECEIPTS)}
    first = error.errors[0]
    return TicketResult(
        status="error", code=error.code, field=first.field, message=first.message, errors=error.errors, **named
    )


_REGISTERS = ("registerID", "registerName", "locationID", "locationName")
_RECEIPTS = ("receiptID", "number")
_NAME_LENGTH_MAX: Final = 100


def _text_of(given: dict[str, Any], names: Iterable[str]) -> str | None:
    found = next((given[name] for name in names if isinstance(given.get(name), str)), None)
    return None if found is None else printable(found[:_NAME_LENGTH_MAX])


def _conflict(one: _Taken, error: FieldError) -> TicketResult:
    changes = {"code": error.rule, "field": error.field, "message": error.message, "errors": [error]}
    return one.result("error").model_copy(update=changes)


async def _ask_invoices(tx: AsyncConnection, firm_id: UUID, ticket_ids: Sequence[UUID]) -> None:
    await _ASK_INVOICES.run(tx, {"firm_id": firm_id, "ids": ticket_ids, "traceparent": current_traceparent()})
