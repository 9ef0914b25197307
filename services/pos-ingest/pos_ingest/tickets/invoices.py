"""Tickets that ask for an invoice become an external invoice; what cannot is a problem, and is tried again each hour."""

import json
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from koppel_mesh.telemetry.tracing import continue_from
from pos_ingest.external_invoices import books
from pos_ingest.external_invoices.invoices import take_invoice
from pos_ingest.failures import RETRY_AFTER, failure_of

from . import cash_movements
from .models import Ticket
from .movements import row_of_invoice
from .ticket_invoice import invoice_of

_DUE = Statement("""
    SELECT i.ticket_id, i.traceparent, CAST(t.content AS text) AS content, t.book_id, t.sold_on, d.id, d.firm_id, d.name,
        d.enterprise_number, d.language, b.cash_book_id, b.name AS book_name
    FROM ticket_invoice i JOIN ticket t ON t.id = i.ticket_id JOIN dossier d ON d.id = t.dossier_id
        JOIN receipt_book b ON b.id = t.book_id
    WHERE i.state = 'waiting' AND i.due_at <= clock_timestamp() ORDER BY i.due_at LIMIT 1
    FOR NO KEY UPDATE OF i, t SKIP LOCKED
""")
_MADE = Statement("""
    UPDATE ticket_invoice SET state = 'made', external_invoice_id = :invoice_id, refusal = NULL WHERE ticket_id = :ticket_id
""")
_LEAVES_BOOK = Statement(
    "UPDATE ticket SET is_invoice = true, is_pending = true WHERE id = :ticket_id AND NOT is_invoice"
)
_REFUSED = Statement("""
    UPDATE ticket_invoice SET refusal = CAST(:refusal AS jsonb), attempts = attempts + 1, due_at = clock_timestamp() + :later
    WHERE ticket_id = :ticket_id
""")


async def make_due_invoice(context: Context) -> bool:
    """Make the invoice of one ticket that waits for it; True while there may be more.

    A ticket whose takings stayed in the book, for its invoice could not be made when it came in, leaves it now.
    """
    ticket_id: UUID | None = None
    try:
        async with context.database.transaction() as tx:
            due = await _DUE.one_or_none(tx, {})
            if due is None:
                return False
            ticket_id = due.ticket_id
            book_id = await books.ensure_numbering(tx, due, due.book_name)
            with continue_from(due.traceparent, "invoice of a ticket"):
                ticket = Ticket.model_validate_json(due.content)
                taken = await take_invoice(tx, due, invoice_of(ticket, book_id))
                await _note_cash(tx, due, ticket, taken.row.number)
                await _MADE.run(tx, {"ticket_id": ticket_id, "invoice_id": taken.row.id})
                await _LEAVES_BOOK.run(tx, {"ticket_id": ticket_id})
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
