"""Whether a ticket adds up and belongs in a book of daily receipts. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, Final

from pydantic import ValidationError

from koppel_mesh.http.problems import FieldError, printable
from pos_ingest.rules import CASH_STEP

from .models import CENT, ItemType, MethodType, PaymentType, Ticket, TicketLine
from .movements import broken_by_movements
from .ticket_takings import payments_of
from .vat_types import INVOICED_ONLY, ONE_STOP_SHOP, VAT_TYPES, takes_rate

ROUNDING_MAX: Final = Decimal("0.02")
"""What rounding to 5 cents may differ (Code of Economic Law, art. VI.7/1)."""
CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far ahead of ours the clock of a till may be."""
SIZE_MAX: Final = Decimal("99999999.99")
"""In EUR: of a ticket's lines together, and of its payments, whatever their signs."""
ERRORS_MAX: Final = 20


class TicketError(Exception):
    """A ticket cannot be taken; ``errors`` say where and why, ``code`` is the first one's."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors[:ERRORS_MAX]
        self.code = errors[0].rule


def read(content: Any, now: datetime) -> Ticket:
    """Return a ticket that adds up.

    Args:
        content: one element of the array, as the JSON parser gives it.
        now: the present moment.

    Raises:
        TicketError: it is not a ticket, does not add up, or is of the future.
    """
    try:
        ticket = Ticket.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise TicketError([_invalid(each["loc"], each["type"], each["msg"]) for each in found[:ERRORS_MAX]]) from error
    if errors := list(check(ticket, now)):
        raise TicketError(errors)
    return ticket


def _invalid(place: tuple[int | str, ...], kind: str, message: str) -> FieldError:
    return FieldError(field=printable(".".join(map(str, place))) or None, rule=kind, message=printable(message))


def check(ticket: Ticket, now: datetime) -> Iterator[FieldError]:
    """Give what is wrong with a ticket."""
    if not ticket.receipt:
        yield _error("receiptID", "receipt_unnamed", "A ticket has a receiptID or a number.")
    if not ticket.register:
        yield _error("registerID", "register_unnamed", "A ticket names its register or its location.")
    if ticket.moment > now + CLOCK_SKEW:
        yield _error("receiptFinalizedOn", "future_date", f"{ticket.moment.isoformat()} is in the future.")
    for number, line in enumerate(ticket.lines):
        yield from _check_line(f"lines.{number}", line, is_invoiced=bool(ticket.convert_to_invoice))
    lines = sum((line.total for line in ticket.lines), Decimal(0))
    if lines != ticket.total:
        message = f"The lines add up to {lines:.2f}, the ticket says {ticket.total:.2f}."
        yield _error("totalInclVat", "total_mismatch", message)
    yield from _check_size(ticket)
    yield from _check_payments(ticket)
    yield from broken_by_movements(ticket)
    if ticket.convert_to_invoice and not (ticket.customer or {}).get("name"):
        yield _error("customer.name", "customer_missing", "A ticket that asks for an invoice names its customer.")
    if ticket.convert_to_invoice and not ticket.lines:
        yield _error("lines", "lines_missing", "A ticket that asks for an invoice says what was sold.")


def is_daily_receipts(ticket: Ticket) -> bool:
    """Return whether a book of daily receipts may hold what a ticket sells."""
    return not any(line.vat_type in ONE_STOP_SHOP | INVOICED_ONLY for line in ticket.lines)


def _check_line(field: str, line: TicketLine, *, is_invoiced: bool) -> Iterator[FieldError]:
    if line.vat_type not in VAT_TYPES:
        yield _error(f"{field}.vatType", "unknown_vat_type", f"There is no VAT type {line.vat_type}.")
    elif not takes_rate(line.vat_type, line.vat_rate):
        named = VAT_TYPES[line.vat_type].name
        yield _error(
            f"{field}.vatPercentage", "unknown_rate", f"VAT type {line.vat_type} ({named}) has no {line.vat_rate} %."
        )
    elif line.vat_type in ONE_STOP_SHOP and not is_invoiced:
        message = "Sales of the one-stop shop are declared elsewhere and stand in no book of daily receipts."
        yield _error(f"{field}.vatType", "not_daily_receipts", message)
    elif line.vat_type in INVOICED_ONLY and not is_invoiced:
        message = f"VAT type {line.vat_type} is a sale to a business and needs an invoice: set convertToInvoice."
        yield _error(f"{field}.vatType", "invoice_needed", message)
    if line.item_type is ItemType.VOUCHER and line.vat_type not in (1, 99):
        message = "A voucher is sold under VAT type 99 (multi-purpose), or 1 where its rate is known (single-purpose)."
        yield _error(f"{field}.vatType", "voucher_vat_type", message)
    exact = line.quantity * line.price - line.discount
    # Tills round a weighed price half up, or cut it off.
    if line.total not in (exact.quantize(CENT, ROUND_HALF_UP), exact.quantize(CENT, ROUND_DOWN)):
        message = f"{line.quantity} × {line.price} − {line.discount} is {exact:.4f}, the line says {line.total:.2f}."
        yield _error(f"{field}.totalInclVat", "line_total_mismatch", message)


def _check_size(ticket: Ticket) -> Iterator[FieldError]:
    """Give what no entry could hold: sums of a ticket are far below those of an entry."""
    for field, parts in (
        ("lines", [each.total for each in ticket.lines]),
        ("payments", [p.amount for p in ticket.payments]),
    ):
        if sum(map(abs, parts), Decimal(0)) > SIZE_MAX:
            yield _error(field, "amounts_too_large", f"The {field} of a ticket are {SIZE_MAX} EUR together at most.")


def _check_payments(ticket: Ticket) -> Iterator[FieldError]:
    paid = [payment for payment in ticket.payments if payment.type is PaymentType.PAYMENT]
    total = sum((payment.amount for payment in paid), Decimal(0))
    due = ticket.total + ticket.tip
    difference = abs(total - due)
    if difference > ROUNDING_MAX or (difference and not any(each.method_type is MethodType.CASH for each in paid)):
        message = f"The payments add up to {total:.2f}; the ticket and its tip to {due:.2f}."
        yield _error("payments", "payments_mismatch", message)
    elif difference:
        cash = sum((each.amount for each in paid if each.method_type is MethodType.CASH), Decimal(0))
        if cash % CASH_STEP:
            yield _error("payments", "cash_not_rounded", f"Cash is rounded to 0.05, and {cash:.2f} is not.")
    if ticket.tip and not payments_of(ticket):
        message = f"A tip of {ticket.tip:.2f} was given, and the payments come to nothing: say how it was paid."
        yield _error("totalTip", "tip_unpaid", message)


def _error(field: str, rule: str, message: str) -> FieldError:
    return FieldError(field=field, rule=rule, message=message)
