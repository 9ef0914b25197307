"""The invoice that a ticket asks for. Pure."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from koppel_mesh.clock import brussels_date
from koppel_mesh.http.problems import FieldError, HttpProblem
from koppel_mesh.prepared_sql import Record
from pos_ingest.external_invoices import building
from pos_ingest.external_invoices.models import NewSalesInvoice
from pos_ingest.scrada.customers import customer_of

from .models import CENT, PaymentType, Ticket, TicketLine
from .validation import TicketError
from .vat_types import exempt_together, invoice_category

ITEM_NAME: Final = "Ticket"
LINE_LENGTH_MAX: Final = 200
NOTE_LENGTH_MAX: Final = 1000
_SOME_NUMBER: Final = "1"
_NEEDS_DELIVERY: Final = "K"
"""An intra-Community supply says when and to which country (BR-IC-11, BR-IC-12)."""
_SPELLINGS: Final = {
    "issue_date": "receiptFinalizedOn",
    "delivery_date": "receiptFinalizedOn",
    "order_reference": "purchaseOrderReference",
    "total": "totalInclVat",
    "paid": "payments",
    "rounding": "payments",
    "lines.name": "itemName",
    "price": "itemInclVat",
    "discount": "totalDiscountInclVat",
    "vat_category": "vatType",
    "vat_rate": "vatPercentage",
    "exemption_code": "vatType",
    "exemption_reason": "vatType",
    "enterprise_number": "taxNumber",
    "vat_number": "vatNumber",
    "peppol_id": "peppolID",
    "postal_code": "zipCode",
    "country": "countryCode",
}
"""What a ticket calls the fields of an invoice, or of its lines only; the others are spelled alike."""


def refusal_of(ticket: Ticket, seller: Record) -> TicketError | None:
    """Return why a ticket that asks for an invoice can never become one: its takings would leave the book for nothing.

    Args:
        ticket: one that asks for an invoice.
        seller: ``name`` and ``enterprise_number`` of the dossier.

    Returns:
        Each rule that the invoice would break, in the field of the ticket; None where it can be made.
    """
    try:
        building.build(invoice_of(ticket, None), _SOME_NUMBER, seller)
    except HttpProblem as problem:
        errors = [
            FieldError(field=_spelled(each.field), rule=each.rule, message=each.message) for each in problem.errors
        ]
        return TicketError(errors)
    return None


def invoice_of(ticket: Ticket, book_id: UUID | None) -> NewSalesInvoice:
    """Return the invoice that a ticket asks for: paid, with the ticket's own totals to be checked against.

    What cash was rounded by is the rounding (BT-114): nothing stays to be paid.

    Raises:
        HttpProblem: 422 where its customer or a line is not what an invoice can have.
    """
    sign = -1 if ticket.total < 0 else 1
    payments = [each.amount for each in ticket.payments if each.type is PaymentType.PAYMENT]
    paid = sign * (sum(payments, Decimal(0)) - ticket.tip)
    categories = {invoice_category(line.vat_type).category for line in ticket.lines}
    sold_on = brussels_date(ticket.moment)
    given: dict[str, Any] = {
        "book_id": book_id,
        "is_credit_note": sign < 0,
        "issue_date": sold_on,
        "delivery_date": sold_on if _NEEDS_DELIVERY in categories else None,
        "prices_include_vat": True,
        "customer": customer_of(ticket.customer or {}),
        "lines": _lines(ticket, sign),
        "order_reference": _text(ticket.purchase_order_reference, LINE_LENGTH_MAX),
        "note": _text(ticket.note, NOTE_LENGTH_MAX),
        "paid": max(paid, Decimal(0)),
        "rounding": paid - sign * ticket.total,
        "total": paid,
    }
    try:
        return NewSalesInvoice.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        errors = [
            FieldError(field=".".join(map(str, each["loc"])) or None, rule=each["type"], message=each["msg"])
            for each in found
        ]
        title = "No invoice can be made of the ticket."
        first = f"{errors[0].field}: {errors[0].message}"
        raise HttpProblem(422, "invalid_invoice", title, first, errors=errors) from error


def _lines(ticket: Ticket, sign: int) -> list[dict[str, Any]]:
    """Return the lines; what is exempt has one reason together (BR-E-01)."""
    exempt = [invoice_category(line.vat_type) for line in ticket.lines]
    code, reason = exempt_together((each, None) for each in exempt if each.category == "E")
    return [_line(line, sign, code, reason) for line in ticket.lines]


def _line(line: TicketLine, sign: int, code: str | None, reason: str | None) -> dict[str, Any]:
    known = invoice_category(line.vat_type)
    is_exempt = known.category == "E"
    return {
        "name": _text(line.item_name, LINE_LENGTH_MAX) or ITEM_NAME,
        **_amounts(line, sign),
        "vat_category": known.category,
        "vat_rate": line.vat_rate,
        "exemption_code": code if is_exempt else known.exemption,
        "exemption_reason": reason if is_exempt else known.reason,
    }


def _amounts(line: TicketLine, sign: int) -> dict[str, Any]:
    """Return quantity, price and discount; one at the line's total where these do not make it, as tills may cut a cent off."""
    quantity, discount, total = sign * line.quantity, sign * line.discount, sign * line.total
    gross = quantity * line.price
    is_discount = discount * gross >= 0 and abs(discount) <= abs(gross)
    if is_discount and (gross - discount).quantize(CENT, ROUND_HALF_UP) == total:
        return {"quantity": quantity, "price": line.price, "discount": abs(discount), "total": total}
    units = f"{line.quantity.normalize():f} × {line.price.normalize():f}"
    return {"description": units, "price": total, "total": total}


def _text(value: str | None, length: int) -> str | None:
    """Return a text as an invoice may hold it; None where nothing is left."""
    printable = "".join(letter if letter.isprintable() else " " for letter in value or "")
    return " ".join(printable.split())[:length].strip() or None


def _spelled(field: str | None) -> str:
    if not field:
        return "convertToInvoice"
    steps = field.split(".")
    of_lines = steps[0] == "lines"
    return ".".join((of_lines and _SPELLINGS.get(f"lines.{step}")) or _SPELLINGS.get(step, step) for step in steps)
