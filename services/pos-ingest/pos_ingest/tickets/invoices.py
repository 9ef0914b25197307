"""Tickets that ask for an invoice become an external invoice; what cannot is a problem, and is tried again each hour."""

import json
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.clock import brussels_date
from koppel_mesh.http.problems import FieldError, HttpProblem
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from koppel_mesh.telemetry.tracing import continue_from
from pos_ingest.external_invoices.invoices import take_invoice
from pos_ingest.external_invoices.models import NewSalesInvoice
from pos_ingest.failures import RETRY_AFTER, failure_of
from pos_ingest.scrada.customers import customer_of

from . import cash_movements
from .models import PaymentType, Ticket
from .movements import row_of_invoice
from .vat_types import VAT_TYPES

ITEM_NAME: Final = "Ticket"

_DUE = Statement("""
    SELECT i.ticket_id, i.traceparent, CAST(t.content AS text) AS content, t.book_id, t.sold_on, d.id, d.firm_id, d.name,
        d.enterprise_number, b.cash_book_id
    FROM ticket_invoice i JOIN ticket t ON t.id = i.ticket_id JOIN dossier d ON d.id = t.dossier_id
        JOIN receipt_book b ON b.id = t.book_id
    WHERE i.state = 'waiting' AND i.due_at <= clock_timestamp() ORDER BY i.due_at LIMIT 1 FOR NO KEY UPDATE OF i SKIP LOCKED
""")
_BOOKS = Statement("SELECT id FROM invoice_book WHERE dossier_id = :dossier_id AND number_format IS NOT NULL LIMIT 2")
_MADE = Statement("""
    UPDATE ticket_invoice SET state = 'made', external_invoice_id = :invoice_id, refusal = NULL WHERE ticket_id = :ticket_id
""")
_REFUSED = Statement("""
    UPDATE ticket_invoice SET refusal = CAST(:refusal AS jsonb), attempts = attempts + 1, due_at = clock_timestamp() + :later
    WHERE ticket_id = :ticket_id
""")


async def make_due_invoice(context: Context) -> bool:
    """Make the invoice of one ticket that waits for it; True while there may be more."""
    ticket_id: UUID | None = None
    try:
        async with context.database.transaction() as tx:
            due = await _DUE.one_or_none(tx, {})
            if due is None:
                return False
            ticket_id = due.ticket_id
            books = await _BOOKS.all(tx, {"dossier_id": due.id})
            if len(books) != 1:
                message = "Numbering it takes one invoice book with a number format, and the dossier has "
                raise _refused("invoice_book_needed", message + ("none." if not books else "several."))
            with continue_from(due.traceparent, "invoice of a ticket"):
                ticket = Ticket.model_validate_json(due.content)
                taken = await take_invoice(tx, due, invoice_of(ticket, books[0].id))
                await _note_cash(tx, due, ticket, taken.row.number)
                await _MADE.run(tx, {"ticket_id": ticket_id, "invoice_id": taken.row.id})
    except Exception as error:
        if ticket_id is None:
            raise
        refusal = json.dumps(failure_of(error, "ticket invoices", ticket_id)._asdict())
        async with context.database.transaction() as tx:
            await _REFUSED.run(tx, {"ticket_id": ticket_id, "refusal": refusal, "later": RETRY_AFTER})
    return True


async def _note_cash(tx: AsyncConnection, due: Record, ticket: Ticket, number: str) -> None:
    """Let what was paid in cash be a customer's payment in the drawer, where one is kept."""
    origin = {"ticket_id": due.ticket_id, "firm_id": due.firm_id, "book_id": due.book_id, "moved_on": due.sold_on}
    row = row_of_invoice(ticket, number, **origin)
    if row is not None and due.cash_book_id is not None:
        await cash_movements.add(tx, [row])


def invoice_of(ticket: Ticket, book_id: UUID) -> NewSalesInvoice:
    """Return the invoice that a ticket asks for: paid, with the ticket's own totals to be checked against. Pure.

    Raises:
        HttpProblem: 422 where its customer or a line is not what an invoice can have.
    """
    sign = -1 if ticket.total < 0 else 1
    paid = sum(each.amount for each in ticket.payments if each.type is PaymentType.PAYMENT) - ticket.tip
    given: dict[str, Any] = {
        "book_id": book_id,
        "is_credit_note": sign < 0,
        "issue_date": brussels_date(ticket.moment),
        "prices_include_vat": True,
        "customer": customer_of(ticket.customer or {}),
        "lines": [
            {
                "name": line.item_name or ITEM_NAME,
                "quantity": sign * line.quantity,
                "price": line.price,
                "discount": sign * line.discount,
                "vat_category": VAT_TYPES[line.vat_type].category,
                "vat_rate": None if VAT_TYPES[line.vat_type].category == "O" else line.vat_rate,
                "exemption_code": VAT_TYPES[line.vat_type].exemption,
                "exemption_reason": VAT_TYPES[line.vat_type].reason,
                "total": sign * line.total,
            }
            for line in ticket.lines
        ],
        "order_reference": ticket.purchase_order_reference or None,
        "note": ticket.note or None,
        "paid": max(sign * paid, 0),
        "total": sign * ticket.total,
    }
    try:
        return NewSalesInvoice.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise _refused(first["type"], f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _refused(rule: str, message: str) -> HttpProblem:
    errors = [FieldError(field="convertToInvoice", rule=rule, message=message)]
    return HttpProblem(422, rule, "No invoice can be made of the ticket.", message, errors=errors)
