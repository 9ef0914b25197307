"""What there is to book, freed of its format: amounts signed as the books want them, VAT spread over the lines.

A credit note's amounts are positive on paper and negative in Exact (§3.8); a negative invoice is negative already. What
was paid in advance (BT-113) or rounded at the till (BT-114) changes what is still to be paid, not what was invoiced: the
entry's total is the invoice's total including VAT (BT-112), and the payment closes the difference.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from koppel_mesh.messages import DocumentKind

from .amounts import rounded, spread
from .refusal import CannotBook

Rate = tuple[str, Decimal | None]


@dataclass(frozen=True)
class Item:
    """One amount to book: an invoice line, or an allowance or charge of the whole document."""

    line_id: str | None
    net: Decimal
    category: str
    rate: Decimal | None
    text: str
    reference: str | None = None
    tax: Decimal = Decimal("0.00")

    @property
    def group(self) -> Rate:
        """Return category and rate; outside the standard rate the rate is always nothing."""
        return self.category, self.rate or Decimal(0)


@dataclass(frozen=True)
class VatTotal:
    """The VAT of one category and rate (BG-23)."""

    category: str
    rate: Decimal | None
    net: Decimal
    tax: Decimal

    @property
    def group(self) -> Rate:
        """Return category and rate, comparable with an item's."""
        return self.category, self.rate or Decimal(0)


@dataclass(frozen=True)
class Party:
    """The counterparty: who owes us, or whom we owe."""

    name: str
    vat_number: str = ""
    enterprise_number: str = ""
    code: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Booking:
    """One document as the books see it."""

    kind: DocumentKind
    number: str
    issued_on: date
    due_on: date | None
    currency: str
    total: Decimal
    party: Party
    items: tuple[Item, ...]
    payment_reference: str | None = None
    document_reference: str | None = None
    exchange_rate: Decimal | None = None
    embedded: tuple[bytes, ...] = ()
    """Files inside the document."""

    @property
    def is_credit_note(self) -> bool:
        """Whether the document is a credit note by kind; a negative invoice is not."""
        return self.kind in {DocumentKind.SALES_CREDIT_NOTE, DocumentKind.PURCHASE_CREDIT_NOTE}


def with_vat(items: Sequence[Item], totals: Iterable[VatTotal], total: Decimal) -> tuple[Item, ...]:
    """Return the items with each rate's VAT spread over them; raise when they do not add up to ``total``."""
    tax_of: dict[Rate, Decimal] = defaultdict(Decimal)
    for vat in totals:
        tax_of[vat.group] += vat.tax
    groups: dict[Rate, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        groups[item.group].append(index)
    result = list(items)
    for group, indexes in groups.items():
        taxes = spread(rounded(tax_of.pop(group, Decimal(0))), [items[index].net for index in indexes])
        for index, tax in zip(indexes, taxes, strict=True):
            result[index] = replace(items[index], tax=tax)
    if any(tax_of.values()):
        raise CannotBook("document_totals_wrong", f"VAT without lines: {', '.join(category for category, _ in tax_of)}")
    booked = sum((item.net + item.tax for item in result), Decimal(0))
    if booked != total:
        raise CannotBook("document_totals_wrong", f"lines and VAT make {booked}, the document says {total}")
    return tuple(result)


def signed(booking: Booking) -> Booking:
    """Return a credit note with its amounts turned; anything else as it is."""
    if not booking.is_credit_note:
        return booking
    turned = tuple(replace(item, net=-item.net, tax=-item.tax) for item in booking.items)
    return replace(booking, items=turned, total=-booking.total)
