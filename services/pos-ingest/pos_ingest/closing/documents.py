"""What is handed in for a period and for a statement, made of their rows."""

import asyncio
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from koppel_ubl import CreditNote, write
from koppel_ubl.model import Period
from pos_ingest.cash_books.lines import CashKind
from pos_ingest.cash_books.statements import BookedMovement, StatementFacts, coda_of
from pos_ingest.entries import content_of
from pos_ingest.external_invoices.invoices import invoice_document

from .customers import customer_of
from .details import DayEntry, attachments_of
from .hand_in import Kind, Make, multipart
from .invoice import Customer, Seller, Taking, invoice_of
from .texts import TEXTS

_PERIOD = Statement("""
    SELECT p.*, b.name AS book_name, b.customer_code, b.customer_name, b.journal, b.journals, b.forward, d.name AS seller,
        d.enterprise_number, d.language
    FROM receipt_period p JOIN receipt_book b ON b.id = p.book_id JOIN dossier d ON d.id = p.dossier_id WHERE p.id = :id
""")
_ENTRIES = Statement("""
    SELECT entry_on, seq, content FROM entry WHERE book_id = :book_id AND seq BETWEEN :first_seq AND :last_seq ORDER BY seq
""")
_STATEMENT = Statement("""
    SELECT s.*, b.iban, b.coda_lines, d.name AS holder, d.enterprise_number
    FROM cash_statement s JOIN cash_book b ON b.id = s.book_id JOIN dossier d ON d.id = s.dossier_id WHERE s.id = :id
""")
_MOVEMENTS = Statement("""
    SELECT entry_on, kind, amount, message, receipts_id FROM cash_entry
    WHERE book_id = :book_id AND seq BETWEEN :first_seq AND :last_seq ORDER BY seq
""")


async def receipts_document(context: Context, period_id: UUID) -> bytes:
    """Return the invoice of a period with its detail, as dossier-api takes documents."""
    async with context.database.reading() as reading:
        period = await _PERIOD.one(reading, {"id": period_id})
        entries = await _ENTRIES.all(reading, {name: period[name] for name in ("book_id", "first_seq", "last_seq")})
    customer = await customer_of(context, period)
    return await asyncio.to_thread(_receipts, period, entries, customer)


def _receipts(period: Record, entries: Sequence[Record], customer: Customer) -> bytes:
    texts, days = TEXTS[period.language], Period(start=period.starts_on, end=period.ends_on)
    takings = takings_of(period.takings)
    of_days = [DayEntry(row.entry_on, row.seq, content_of(row)) for row in entries]
    attachments = attachments_of(period.number, days, period.seller, period.book_name, of_days, takings, texts)
    seller = Seller(period.seller, period.enterprise_number)
    invoice = invoice_of(period.number, days, seller, customer, takings, attachments, texts)
    metadata: dict[str, Any] = {
        "direction": "sale",
        "journal": period.journal,
        "reference": period.book_name,
    }
    if period.journals:
        metadata["journals"] = period.journals
    if not isinstance(invoice, CreditNote):
        metadata["kind"] = "daily_receipts"
    if not period.forward:
        metadata["forward"] = False
    return multipart(
        period.id,
        {"ubl": ("application/xml", write(invoice)), "metadata": ("application/json", json.dumps(metadata).encode())},
    )


def takings_of(stored: dict[str, str]) -> list[Taking]:
    """Return takings as they are kept with a period (``koppel_receipts.totals_key``), the highest rate first."""
    found = []
    for key, amount in stored.items():
        category, _, rate = key.partition(":")
        found.append(Taking(category, Decimal(rate or 0), Decimal(amount)))
    return sorted(found, key=lambda one: (-one.rate, one.category))


async def cash_document(context: Context, statement_id: UUID) -> bytes:
    """Return the statement of a cash book as a CODA file."""
    async with context.database.reading() as reading:
        row = await _STATEMENT.one(reading, {"id": statement_id})
        rows = await _MOVEMENTS.all(reading, {name: row[name] for name in ("book_id", "first_seq", "last_seq")})
    facts = StatementFacts(
        iban=row.iban,
        holder_name=row.holder,
        enterprise_number=row.enterprise_number,
        number=row.number,
        opened_on=row.opened_on,
        opening=row.opening,
        closed_on=row.ends_on,
        closing=row.closing,
    )
    movements = [
        BookedMovement(each.entry_on, CashKind(each.kind), each.amount, each.message, each.receipts_id) for each in rows
    ]
    return await asyncio.to_thread(coda_of, facts, movements, row.coda_lines)


MAKERS: dict[Kind, Make] = {
    Kind.RECEIPTS: receipts_document,
    Kind.CASH_STATEMENT: cash_document,
    Kind.SALES_INVOICE: invoice_document,
}
