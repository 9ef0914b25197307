"""Tickets come in: each once by its register and receipt, whatever the order, the repetition and the batches.

A batch is two passes over the body. The first finds out whether it is an array of at most 5,000 elements, so that nothing is
kept of one that is not; the second keeps some hundred tickets in each transaction. A caller who hears nothing sends it again.
"""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import IO, Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.clock import brussels_date
from koppel_mesh.http.problems import FieldError
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from koppel_mesh.telemetry.tracing import current_traceparent
from pos_ingest.failures import MESSAGE_LENGTH_MAX, RETRY_AFTER, Failure

from . import cash_movements, z_totals
from .models import OF_THE_INVOICE, Ticket
from .movements import rows_of
from .registers import BooksUsed, TicketBook, TicketBooks, book_for, books_of, books_used
from .results import TicketResult, refused, why
from .stream import count, elements
from .ticket_invoice import refusal_of
from .ticket_takings import TicketTakings, takings_of
from .validation import TicketError, is_daily_receipts, read

TICKETS_MAX: Final = 5_000
AT_ONCE: Final = 250
"""Tickets in one transaction and one statement."""

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
_FIND: Final = """
    SELECT t.id, t.register, t.receipt, t.book_id, t.content_hash, t.sale_hash, t.is_invoice,
        i.refusal IS NOT NULL AS is_refused
    FROM ticket t JOIN unnest(CAST(:registers AS text[]), CAST(:receipts AS text[])) AS given (register, receipt)
        ON t.register = given.register AND t.receipt = given.receipt
    LEFT JOIN ticket_invoice i ON i.ticket_id = t.id
    WHERE t.dossier_id = :dossier_id ORDER BY t.register, t.receipt
"""
_KNOWN = Statement(_FIND)
_EARLIER = Statement(f"{_FIND} FOR NO KEY UPDATE OF t")
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


_REFUSE_INVOICES = Statement("""
    INSERT INTO ticket_invoice (ticket_id, firm_id, due_at, refusal, traceparent)
    SELECT id, :firm_id, clock_timestamp() + :later, CAST(refusal AS jsonb), CAST(:traceparent AS text)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:refusals AS text[])) AS given (id, refusal)
""")


@dataclass(slots=True)
class _Taken:
    """A ticket on its way to its row."""

    place: int
    ticket: Ticket
    book_id: UUID
    is_for_book: bool
    """Whether its takings may stand in a book of daily receipts, and in that one."""
    sold_on: date
    content: str
    content_hash: bytes
    sale_hash: bytes
    takings: TicketTakings
    refusal: TicketError | None = None
    """Why no invoice can be made of it, which it asks for."""
    id: UUID = field(default_factory=new_id)

    @property
    def key(self) -> tuple[str, str]:
        return _key(self.ticket)

    @property
    def asks_invoice(self) -> bool:
        return bool(self.ticket.convert_to_invoice)

    @property
    def is_invoice(self) -> bool:
        """Return whether its takings leave the book: they stay where they may and the invoice cannot be made."""
        return self.asks_invoice and not (self.refusal and self.is_for_book)

    def origin(self, firm_id: UUID) -> dict[str, Any]:
        return {"ticket_id": self.id, "firm_id": firm_id, "book_id": self.book_id, "moved_on": self.sold_on}

    def result(self, status: str, error: TicketError | None = None) -> TicketResult:
        return TicketResult(
            **why(error),
            status=status,
            register_id=self.ticket.register,
            receipt_id=self.ticket.receipt,
            receipt_book_id=self.book_id,
            sold_on=self.sold_on,
        )


def _key(ticket: Ticket) -> tuple[str, str]:
    return ticket.register, ticket.receipt


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
    results: dict[int, TicketResult] = {}
    tickets: dict[int, Ticket] = {}
    taken: list[_Taken] = []
    for place, content in enumerate(contents):
        try:
            tickets[place] = read(content, context.now())
        except TicketError as error:
            results[place] = refused(content, error)
    if tickets:
        async with context.database.reading() as reading:
            known = await _find(_KNOWN, reading, dossier.id, [_key(ticket) for ticket in tickets.values()])
            new = [ticket for ticket in tickets.values() if _key(ticket) not in known]
            used = await books_used(reading, dossier.id, books, new)
        for place, ticket in tickets.items():
            try:
                taken.append(_row(place, ticket, known.get(_key(ticket)), books, used))
            except TicketError as error:
                results[place] = refused(contents[place], error)
        asking = [
            one for one in taken if one.asks_invoice and _compare(known.get(one.key), one) in ("accepted", "converted")
        ]
        if asking:
            await asyncio.to_thread(_build, asking, dossier)
    if taken:
        async with context.database.transaction() as tx:
            results |= await _keep(tx, dossier, taken)
            await z_totals.compare(tx, dossier.id, {(one.ticket.register, one.sold_on) for one in taken})
    return [results[place] for place in range(len(contents))]


def _build(asking: Sequence[_Taken], seller: Record) -> None:
    for one in asking:
        one.refusal = refusal_of(one.ticket, seller)


def _book(books: TicketBooks, used: BooksUsed, ticket: Ticket, takings: TicketTakings) -> TicketBook:
    sold_on = brussels_date(ticket.moment)
    book = book_for(books, ticket, sold_on, used)
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
    if not ticket.convert_to_invoice and not book.takes(takings):
        message = f"The receipt book takes the rates {', '.join(book.vat_rates)}."
        raise TicketError([FieldError(field="lines", rule="rate_not_in_book", message=message)])
    return book


def _row(place: int, ticket: Ticket, earlier: dict[str, Any] | None, books: TicketBooks, used: BooksUsed) -> _Taken:
    takings = takings_of(ticket)
    # One that came before stays in its book, whatever became of its register and of the book since.
    if earlier is None:
        book = _book(books, used, ticket, takings)
        book_id, is_for_book = book.id, book.takes(takings) and is_daily_receipts(ticket)
    else:
        book_id, is_for_book = earlier["book_id"], False
    content = ticket.model_dump_json(by_alias=True, exclude_none=True)
    sale = ticket.model_dump_json(exclude=set(OF_THE_INVOICE))
    content_hash, sale_hash = (hashlib.sha256(text.encode()).digest() for text in (content, sale))
    sold_on = brussels_date(ticket.moment)
    return _Taken(place, ticket, book_id, is_for_book, sold_on, content, content_hash, sale_hash, takings)


async def _keep(tx: AsyncConnection, dossier: Record, taken: Sequence[_Taken]) -> dict[int, TicketResult]:
    """Keep tickets and return what became of each, by its place."""
    await z_totals.hold(tx, dossier.id)
    new = await _insert(tx, dossier, taken)
    await _follow_up(tx, dossier.firm_id, [one for one in taken if one.id in new])
    again = [one for one in taken if one.id not in new]
    known = await _find(_EARLIER, tx, dossier.id, [one.key for one in again])
    kept = {one.place: one.result("accepted", one.refusal) for one in taken if one.id in new}
    for one in again:
        earlier = known[one.key]
        one.book_id, status = earlier["book_id"], _compare(earlier, one)
        if status == "error":
            kept[one.place] = one.result(status, _conflict(one.ticket))
            continue
        if status == "converted" and one.refusal is not None:
            kept[one.place] = one.result("error", one.refusal)
            continue
        if status == "converted":
            await _CONVERT.run(tx, {"id": earlier["id"], "content": one.content, "content_hash": one.content_hash})
            await _ask_invoices(tx, dossier.firm_id, [earlier["id"]])
            earlier |= {"is_invoice": True, "is_refused": False, "content_hash": one.content_hash}
        kept[one.place] = one.result(status)
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
            "invoices": [one.is_invoice for one in taken],
        },
    )
    return {row.id for row in rows}


async def _follow_up(tx: AsyncConnection, firm_id: UUID, new: Sequence[_Taken]) -> None:
    invoices = [one.id for one in new if one.asks_invoice and one.refusal is None]
    if invoices:
        await _ask_invoices(tx, firm_id, invoices)
    refusals = {one.id: json.dumps(_refusal(one.refusal)) for one in new if one.refusal is not None}
    if refusals:
        asked = {"firm_id": firm_id, "ids": list(refusals), "refusals": list(refusals.values())}
        await _REFUSE_INVOICES.run(tx, asked | {"traceparent": current_traceparent(), "later": RETRY_AFTER})
    rows = [row for one in new for row in rows_of(one.ticket, **one.origin(firm_id))]
    if rows:
        await cash_movements.add(tx, rows)


def _refusal(error: TicketError) -> dict[str, Any]:
    return Failure(error.code, error.errors[0].message[:MESSAGE_LENGTH_MAX])._asdict()


async def _find(
    find: Statement, connection: AsyncConnection, dossier_id: UUID, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, Any]]:
    if not wanted:
        return {}
    keys = sorted(set(wanted))
    asked = {"dossier_id": dossier_id, "registers": [key[0] for key in keys], "receipts": [key[1] for key in keys]}
    return {(row.register, row.receipt): dict(row) for row in await find.all(connection, asked)}


def _compare(earlier: dict[str, Any] | None, one: _Taken) -> str:
    """Say what a ticket is beside what came before; a late repetition of what it was before the invoice is a repetition too."""
    if earlier is None:
        return "accepted"
    if earlier["content_hash"] == one.content_hash:
        return "duplicate"
    if earlier["sale_hash"] == one.sale_hash:
        if one.asks_invoice and (not earlier["is_invoice"] or earlier["is_refused"]):
            return "converted"
        if not one.asks_invoice and (earlier["is_invoice"] or earlier["is_refused"]):
            return "duplicate"
    return "error"


def _conflict(ticket: Ticket) -> TicketError:
    message = f"Receipt {ticket.receipt} of register {ticket.register} came before with other content."
    return TicketError([FieldError(field="receiptID", rule="receipt_conflict", message=message)])


async def _ask_invoices(tx: AsyncConnection, firm_id: UUID, ticket_ids: Sequence[UUID]) -> None:
    await _ASK_INVOICES.run(tx, {"firm_id": firm_id, "ids": ticket_ids, "traceparent": current_traceparent()})
