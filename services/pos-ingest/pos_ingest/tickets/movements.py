"""What a ticket does to the drawer beside its takings: cash put in or taken out, and cash for the invoice it became. Pure."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from koppel_coda.cash_book import mark_of
from koppel_mesh.http.problems import FieldError
from koppel_mesh.ids import new_id
from pos_ingest.cash_books.lines import BY_HAND, CashKind, Movement
from pos_ingest.rules import CASH

from .models import MethodType, PaymentType, Ticket, TicketPayment
from .ticket_takings import takings_of

KINDS: Final = BY_HAND - {CashKind.TAKINGS}
"""Takings of a till are in its tickets."""
OF_INVOICE: Final = 1000
"""The place of what was paid in cash for the invoice that a ticket became; payments have those below it."""
PART_LENGTH_MAX: Final = 70
REMARK_LENGTH_MAX: Final = 140


@dataclass(frozen=True, slots=True)
class Explained:
    """What a till says of money that it put in the drawer or took from it."""

    kind: CashKind | None = None
    """None: it does not say."""
    party: str = ""
    invoice_number: str = ""
    remark: str = ""


def explained(payment: TicketPayment) -> Explained:
    """Return what the reference of a payment of type 2 says.

    ``CB/CLIE/Jan Peeters/2026-17/voorschot`` begins with a mark of cash lines (R133); ``wisselgeld`` is a remark.
    """
    said = _printable(payment.reference or "")
    mark = mark_of(said)
    if mark is None:
        return Explained(remark=said[:REMARK_LENGTH_MAX])
    kind, rest = CashKind(mark.value[-4:]), said[len(mark.value) + 1 :]
    if kind not in (CashKind.CUSTOMER_PAYMENT, CashKind.SUPPLIER_PAYMENT):
        return Explained(kind, remark=rest[:REMARK_LENGTH_MAX])
    party, number, remark = (part.strip() for part in [*rest.split("/", 2), "", ""][:3])
    return Explained(kind, party[:PART_LENGTH_MAX], number[:PART_LENGTH_MAX], remark[:REMARK_LENGTH_MAX])


def broken_by_movements(ticket: Ticket) -> Iterator[FieldError]:
    """Give what is wrong with a ticket's payments of type 2. Pure."""
    for place, payment in enumerate(ticket.payments):
        if not _moves_cash(payment):
            continue
        field = f"payments.{place}"
        if payment.method_type is not MethodType.CASH:
            message = "Only cash goes into a drawer and out of it: type 2 has payment method type 2."
            yield FieldError(field=f"{field}.paymentMethodType", rule="cash_expected", message=message)
        kind = explained(payment).kind
        if kind is not None and kind not in KINDS:
            message = f"{kind} is no kind that a till may say: it follows from takings or from a count."
            yield FieldError(field=f"{field}.reference", rule="not_by_till", message=message)
        elif kind is not None and (reason := Movement(kind, payment.amount).sign_problem()) is not None:
            yield FieldError(field=f"{field}.amount", rule="wrong_sign", message=reason)


def rows_of(ticket: Ticket, **origin: Any) -> Iterator[dict[str, Any]]:
    """Give the rows of ``cash_movement`` of a ticket; ``origin`` is its row, firm, book and day."""
    for place, payment in enumerate(filter(_moves_cash, ticket.payments)):
        yield _row(place, payment.amount, explained(payment), origin)


def row_of_invoice(ticket: Ticket, number: str, **origin: Any) -> dict[str, Any] | None:
    """Return what of an invoiced ticket was paid in cash, as a customer's payment: its takings never reach the drawer."""
    cash = takings_of(ticket).without_tip().payments.get(CASH, Decimal(0))
    if not cash:
        return None
    name = _printable(str((ticket.customer or {}).get("name") or "")).replace("/", "-")[:PART_LENGTH_MAX]
    parts = (name, number.replace("/", "-")[:PART_LENGTH_MAX], ticket.receipt[:REMARK_LENGTH_MAX])
    return _row(OF_INVOICE, cash, Explained(CashKind.CUSTOMER_PAYMENT, *parts), origin)


def _row(place: int, amount: Decimal, said: Explained, origin: dict[str, Any]) -> dict[str, Any]:
    return {"id": new_id(), "place": place, "amount": amount, **asdict(said), **origin}


def _moves_cash(payment: TicketPayment) -> bool:
    return payment.type is PaymentType.CASH_IN_OUT and bool(payment.amount)


def _printable(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
