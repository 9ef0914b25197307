"""What the tables of pos-ingest hold of firms: books of receipts and of cash, tickets, and the invoices made of them.

A sealed book ends by a rule of its own (``nightly.py``): what remains of it has to be a chain that can be checked.
"""

from typing import Any

from sqlalchemy import Table

from koppel_mesh.firm_data import FirmData, Holding, brussels_day

from . import tables
from .cash_books import tables as cash
from .closing import tables as closing
from .external_invoices import tables as invoices
from .scrada import tables as scrada
from .tickets import tables as tickets

_OF_FIRM = "firm_id = :firm_id"
_OF_DOSSIER = f"dossier_id IN (SELECT id FROM dossier WHERE {_OF_FIRM})"
_OF_RECEIPTS = f"book_id IN (SELECT id FROM receipt_book WHERE {_OF_FIRM})"
_OF_CASH = f"book_id IN (SELECT id FROM cash_book WHERE {_OF_FIRM})"
_BOOKS = "daily receipts, cash book and tickets (VAT code, article 60 § 4)"
_INVOICES = "invoices (VAT code, article 60 § 1)"
_TICKET_DAY = f"(SELECT greatest(sold_on, {brussels_day('received_at')}) FROM ticket WHERE ticket.id = {{}}.ticket_id)"
_CASH_BOOK_DAY = f"""greatest({brussels_day("created_at")},
    (SELECT max({brussels_day("entered_at")}) FROM cash_entry WHERE cash_entry.book_id = cash_book.id),
    (SELECT max({brussels_day("counted_at")}) FROM cash_count WHERE cash_count.book_id = cash_book.id),
    (SELECT max({brussels_day("closed_at")}) FROM cash_statement WHERE cash_statement.book_id = cash_book.id))"""
_RECEIPT_BOOK_DAY = f"""greatest({brussels_day("created_at")},
    (SELECT max({brussels_day("now()")}) FROM entry WHERE entry.book_id = receipt_book.id),
    (SELECT max({brussels_day("closed_at")}) FROM receipt_period WHERE receipt_period.book_id = receipt_book.id),
    (SELECT max({brussels_day("received_at")}) FROM ticket WHERE ticket.book_id = receipt_book.id))"""
"""A book outlasts its entries, whose end is decided by another rule."""
_NIGHTLY = "receipts_retention_years"


def _kept(table: Table, of_firm: str, since: str, because: str, **more: Any) -> Holding:
    return Holding(table=table, of_firm=of_firm, since=since, kept_because=because, **more)


_TICKETS = (
    _kept(tickets.cash_movement, _OF_FIRM, _TICKET_DAY.format("cash_movement"), _BOOKS, aged_by="ticket_id"),
    _kept(
        tickets.ticket_invoice,
        _OF_FIRM,
        _TICKET_DAY.format("ticket_invoice"),
        _BOOKS,
        aged_by="ticket_id",
        under_way="state = 'waiting'",
    ),
    _kept(tickets.ticket, _OF_FIRM, f"greatest(sold_on, {brussels_day('received_at')})", _BOOKS, aged_by="id"),
    _kept(tickets.z_total, _OF_FIRM, f"greatest(sold_on, {brussels_day('given_at')})", _BOOKS),
    Holding(table=tickets.unfinished_day, of_firm=_OF_FIRM),
    Holding(table=tickets.register, of_firm=_OF_FIRM),
)
_CASH = (
    _kept(
        cash.cash_count, _OF_CASH, f"greatest(counted_on, {brussels_day('counted_at')})", _BOOKS, stays_with_firm=True
    ),
    _kept(cash.cash_entry, _OF_CASH, f"greatest(entry_on, {brussels_day('entered_at')})", _BOOKS, stays_with_firm=True),
    _kept(
        cash.cash_statement, _OF_FIRM, f"greatest(ends_on, {brussels_day('closed_at')})", _BOOKS, stays_with_firm=True
    ),
    _kept(cash.cash_book, _OF_FIRM, _CASH_BOOK_DAY, _BOOKS, stays_with_firm=True),
)
_RECEIPTS = (
    _kept(
        closing.receipt_period,
        _OF_FIRM,
        f"greatest(ends_on, {brussels_day('closed_at')})",
        _BOOKS,
        stays_with_firm=True,
    ),
    Holding(
        table=closing.hand_in,
        of_firm=_OF_FIRM,
        since=brussels_day("coalesce(handed_in_at, now())"),
        kept_because="which document of dossier-api was made of a period or an invoice",
        under_way="due_at IS NOT NULL",
        stays_with_firm=True,
    ),
    _kept(tables.seal, _OF_RECEIPTS, brussels_day("sealed_at"), _BOOKS, ended_by=_NIGHTLY),
    _kept(tables.entry, _OF_RECEIPTS, f"greatest(entry_on, {brussels_day('entered_at')})", _BOOKS, ended_by=_NIGHTLY),
    Holding(
        table=tables.failed_work,
        of_firm=f"{_OF_RECEIPTS} OR {_OF_CASH}",
    ),
    _kept(tables.receipt_book, _OF_FIRM, _RECEIPT_BOOK_DAY, _BOOKS, stays_with_firm=True),
)
_EXTERNAL = (
    _kept(
        invoices.external_invoice,
        _OF_FIRM,
        f"greatest(issue_date, {brussels_day('created_at')})",
        _INVOICES,
        aged_by="id",
    ),
    _kept(
        invoices.invoice_book,
        _OF_FIRM,
        f"""(SELECT max(greatest(issue_date, {brussels_day("external_invoice.created_at")})) FROM external_invoice
            WHERE external_invoice.book_id = invoice_book.id)""",
        _INVOICES,
        stays_with_firm=True,
    ),
    _kept(
        invoices.invoice_number,
        _OF_DOSSIER,
        brussels_day("taken_at"),
        "no number is given to two invoices",
        stays_with_firm=True,
    ),
)

FIRM_DATA = FirmData(
    holdings=(
        *_TICKETS,
        *_CASH,
        *_RECEIPTS,
        *_EXTERNAL,
        Holding(
            table=scrada.scrada_key,
            of_firm=_OF_FIRM,
            withheld=("api_key", "password_hash"),
        ),
        Holding(table=scrada.scrada_window, of_firm=_OF_DOSSIER),
        Holding(table=scrada.scrada_company, of_firm=_OF_FIRM),
        _kept(
            tables.dossier,
            _OF_FIRM,
            f"(SELECT max({brussels_day('taken_at')}) FROM invoice_number WHERE invoice_number.dossier_id = dossier.id)",
            "whose invoice numbers are taken",
            stays_with_firm=True,
        ),
    ),
    nothing_of_a_firm={"seal_key": "keys of pos-ingest itself"},
)
