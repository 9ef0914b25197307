"""External invoices as rows: taken in the caller's transaction, listed, and what is handed to the dossier of each.

Its number, its UBL and the work to hand it in are one commit.
"""

import asyncio
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

import koppel_ubl
from koppel_bookkeeping import Party, fileable, from_ubl
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from koppel_mesh.visibility import VISIBLE
from koppel_ubl import CreditNote, Document, Invoice
from pos_ingest import numbering
from pos_ingest.closing.hand_in import Kind, multipart, to_hand_in
from pos_ingest.customers import AmbiguousCustomer, customer_of
from pos_ingest.number_formats import of_book

from .building import build, total_of
from .models import NewSalesInvoice

_READING: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pos-ingest-ubl")
"""One UBL is read and checked at a time: the largest that is taken needs about eight times its size meanwhile."""
_SENT = Statement("SELECT * FROM external_invoice WHERE dossier_id = :dossier_id AND sent_hash = :sent_hash")
_LOCK_BOOK = Statement("SELECT * FROM invoice_book WHERE id = :id AND dossier_id = :dossier_id FOR NO KEY UPDATE")
_NUMBERED = Statement("UPDATE invoice_book SET last_number = :number WHERE id = :id")
_ADD = Statement("""
    INSERT INTO external_invoice (id, dossier_id, firm_id, book_id, number, external_reference, is_credit_note, issue_date,
        currency, total, customer, sent_hash, ubl, journal, journals, forward)
    VALUES (:id, :dossier_id, :firm_id, :book_id, :number, :external_reference, :is_credit_note, :issue_date,
        :currency, :total, CAST(:customer AS jsonb), :sent_hash, :ubl, :journal, CAST(:journals AS jsonb), :forward)
    RETURNING *
""")
_SHOWN: Final = f"""
    SELECT i.id, i.dossier_id, i.book_id, i.number, i.external_reference, i.is_credit_note, i.issue_date, i.currency, i.total,
        i.customer->>'name' AS customer_name, h.document_id, h.problem, i.created_at
    FROM (SELECT * FROM external_invoice WHERE dossier_id = :dossier_id AND {VISIBLE}) i LEFT JOIN hand_in h ON h.id = i.id
"""
_ONE = Statement(f"{_SHOWN} WHERE i.id = :id")
_LIST = Statement(f"{_SHOWN} WHERE CAST(:after AS uuid) IS NULL OR i.id < :after ORDER BY i.id DESC LIMIT :limit")
_UBL = Statement("SELECT ubl FROM external_invoice WHERE id = :id")
_TO_HAND_IN = Statement("""
    SELECT i.*, b.name AS book_name FROM external_invoice i LEFT JOIN invoice_book b ON b.id = i.book_id WHERE i.id = :id
""")


@dataclass(frozen=True)
class Taken:
    """An invoice that was taken: its row, and whether it is new or was taken before."""

    row: Record
    is_new: bool


@dataclass(frozen=True)
class GivenUbl:
    """An invoice that is handed in as UBL."""

    data: bytes
    found: fileable.Fileable


async def take_invoice(tx: AsyncConnection, dossier: Record, given: NewSalesInvoice) -> Taken:
    """Take an invoice; the same with the same number again is the one that was taken.

    Args:
        tx: the caller's transaction, whose commit is the invoice's; to be rolled back where this raises.
        dossier: ``id``, ``firm_id``, ``name`` and ``enterprise_number``, as ``dossiers.insist_on_dossier`` returns it.
        given: the invoice. Without a number its book's format makes the next.

    Raises:
        HttpProblem: 404 for an unknown book; 409 for a number that the dossier has used; 422 for what breaks a rule.
    """
    book = await _book(tx, dossier, given.book_id)
    invoice_id = new_id()
    if given.number is None:
        number, sent = await _next_number(tx, dossier, book, given, invoice_id), None
    else:
        number, sent = given.number, hashlib.sha256(given.model_dump_json().encode()).hexdigest()
        if (earlier := await _take_given(tx, dossier, number, invoice_id, sent)) is not None:
            return Taken(earlier, is_new=False)
    document = build(given, number, dossier)
    data = koppel_ubl.write(document)
    return await _add(tx, dossier, book, invoice_id, document, sent, data, given.external_reference)


async def ubl_taken_before(connection: AsyncConnection, dossier_id: UUID, data: bytes) -> Taken | None:
    """Return the invoice that these bytes of UBL were taken as, whatever would be said of them now."""
    row = await _SENT.one_or_none(connection, {"dossier_id": dossier_id, "sent_hash": hashlib.sha256(data).hexdigest()})
    return Taken(row, is_new=False) if row else None


async def read_ubl(data: bytes) -> GivenUbl:
    """Read an invoice that is handed in as UBL: what dossier-api would not file never takes a number.

    Raises:
        HttpProblem: 422 ``unreadable_document`` with every fault.
    """
    try:
        found = await asyncio.get_running_loop().run_in_executor(_READING, fileable.read, data)
    except fileable.NotFileable as error:
        wrong = [FieldError(xpath=one.xpath, rule=one.rule, message=one.message) for one in error.faults]
        raise HttpProblem(422, "unreadable_document", "The document cannot be read as UBL.", errors=wrong) from error
    return GivenUbl(data, found)


async def take_ubl(tx: AsyncConnection, dossier: Record, given: GivenUbl, book_id: UUID | None) -> Taken:
    """Take an invoice as the UBL that it is; the same bytes again are the invoice that was taken.

    Raises:
        HttpProblem: as ``take_invoice``; 422 also where the dossier is not the seller.
    """
    book = await _book(tx, dossier, book_id)
    document = given.found.document
    assert document.number is not None
    if document.seller.enterprise_number != dossier.enterprise_number:
        message = f"BT-30, BT-31: the seller is {document.seller.enterprise_number or 'unknown'}, not this dossier."
        raise _refused("seller", "not_this_dossier", message)
    sent = hashlib.sha256(given.data).hexdigest()
    invoice_id = new_id()
    if (earlier := await _take_given(tx, dossier, document.number, invoice_id, sent)) is not None:
        return Taken(earlier, is_new=False)
    return await _add(tx, dossier, book, invoice_id, document, sent, given.data)


async def shown(connection: AsyncConnection, firm_id: UUID | None, dossier_id: UUID, invoice_id: UUID) -> Record:
    """Return an invoice as the API shows it; 404 where the firm has no such invoice in the dossier."""
    row = await _ONE.one_or_none(connection, {"id": invoice_id, "dossier_id": dossier_id, "firm_id": firm_id})
    if row is None:
        raise not_found("sales invoice")
    return row


async def ubl_of(connection: AsyncConnection, firm_id: UUID | None, dossier_id: UUID, invoice_id: UUID) -> bytes:
    """Return the UBL of an invoice; 404 as ``shown``."""
    await shown(connection, firm_id, dossier_id, invoice_id)
    return bytes((await _UBL.one(connection, {"id": invoice_id})).ubl)


async def listed(
    connection: AsyncConnection, firm_id: UUID | None, dossier_id: UUID, *, after: UUID | None, limit: int
) -> list[Record]:
    """Return the invoices of a dossier that a firm may see, the newest first."""
    return await _LIST.all(connection, {"dossier_id": dossier_id, "firm_id": firm_id, "after": after, "limit": limit})


async def invoice_document(context: Context, invoice_id: UUID) -> bytes:
    """Return what is handed in of an invoice, after its customer was found in the dossier or made (R128, R129).

    Raises:
        InternalCallError: dossier-api does not answer.
    """
    async with context.database.reading() as reading:
        row = await _TO_HAND_IN.one(reading, {"id": invoice_id})
    # Where the dossier has several such customers there is none to make: the connector recognises the one it books on.
    with suppress(AmbiguousCustomer):
        await customer_of(context, row.dossier_id, Party(**row.customer))
    said: dict[str, Any] = {"reference": row.book_name, "journal": row.journal, "journals": row.journals}
    metadata = {"direction": "sale"} | {name: value for name, value in said.items() if value}
    if not row.forward:
        metadata["forward"] = False
    parts = {
        "ubl": ("application/xml", bytes(row.ubl)),
        "metadata": ("application/json", json.dumps(metadata).encode()),
    }
    return multipart(row.id, parts)


async def _book(tx: AsyncConnection, dossier: Record, book_id: UUID | None) -> Record | None:
    """Return the book, held until ``tx`` ends: its numbers go on one by one."""
    if book_id is None:
        return None
    row = await _LOCK_BOOK.one_or_none(tx, {"id": book_id, "dossier_id": dossier.id})
    if row is None:
        raise not_found("invoice book")
    return row


async def _next_number(
    tx: AsyncConnection, dossier: Record, book: Record | None, given: NewSalesInvoice, invoice_id: UUID
) -> str:
    if book is None or book.number_format is None:
        raise _refused("number", "number_missing", "BT-1: give a number, or a book that numbers its invoices.")
    read = of_book({**dict(book.items()), "number_prefix": ""})
    last, number = await numbering.next_number(tx, dossier.id, read, book.last_number, given.issue_date, invoice_id)
    await _NUMBERED.run(tx, {"number": last, "id": book.id})
    return number


async def _take_given(
    tx: AsyncConnection, dossier: Record, number: str, invoice_id: UUID, sent_hash: str
) -> Record | None:
    """Take a number that was given; return the invoice that was taken with it before, where it is the same."""
    # Where the same comes several times at once, one takes the number and the others wait for its end here.
    if not await numbering.take(tx, dossier.id, number, invoice_id):
        earlier = await _SENT.one_or_none(tx, {"dossier_id": dossier.id, "sent_hash": sent_hash})
        if earlier is not None:
            return earlier
        message = f"BT-1: the dossier has an invoice {number}, with other contents."
        errors = [FieldError(field="number", rule="number_used", message=message)]
        raise HttpProblem(409, "number_used", "An invoice number is used once in a dossier.", message, errors=errors)
    for book in await numbering.formats_in(tx, dossier.id):
        if of_book(dict(book.items())).gives(number):
            message = f"BT-1: {number} is a number that the book {book.name} gives itself."
            raise _refused("number", "number_of_a_book", message)
    return None


async def _add(
    tx: AsyncConnection,
    dossier: Record,
    book: Record | None,
    invoice_id: UUID,
    document: Invoice | CreditNote,
    sent_hash: str | None,
    data: bytes,
    external_reference: str | None = None,
) -> Taken:
    row = await _ADD.one(
        tx,
        {
            "id": invoice_id,
            "dossier_id": dossier.id,
            "firm_id": dossier.firm_id,
            "book_id": book.id if book else None,
            "number": document.number,
            "external_reference": external_reference,
            "is_credit_note": isinstance(document, CreditNote),
            "issue_date": document.issue_date,
            "currency": (document.currency or "").upper(),
            "total": total_of(document),
            "customer": json.dumps(_customer(document)),
            "sent_hash": sent_hash,
            "ubl": data,
            "journal": book.journal if book else None,
            "journals": json.dumps(book.journals if book else {}),
            "forward": book.forward if book else True,
        },
    )
    await to_hand_in(tx, Kind.SALES_INVOICE, row)
    return Taken(row, is_new=True)


def _customer(document: Document) -> dict[str, str]:
    """Return whom an invoice is for, as ``koppel_bookkeeping.Party`` has it."""
    buyer = document.buyer
    return {
        "name": buyer.name or buyer.trade_name or "",
        "code": buyer.customer_number or "",
        "vat_number": from_ubl.vat_number_of(buyer) or "",
        "enterprise_number": buyer.enterprise_number or "",
        "email": (buyer.contact.email if buyer.contact else None) or "",
    }


def _refused(field: str, rule: str, message: str) -> HttpProblem:
    errors = [FieldError(field=field, rule=rule, message=message)]
    return HttpProblem(422, "invalid_invoice", "This is no invoice of the dossier.", message, errors=errors)
