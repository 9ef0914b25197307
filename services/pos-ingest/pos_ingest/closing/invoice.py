"""The invoice of a period's takings (R127–R130, R140), as UBL that keeps every rule. Pure.

Customers paid with VAT included. Base and VAT of a period are worked out once for each category and rate, on the total (Royal
Decree of 8 July 2025: never per line), and together they are that total. So what is invoiced is what was taken, to the cent:
VAT worked out again from a rounded base would now and then lose or find one. EN 16931 and our own rule allow VAT that cent.

A period that gave back more than it took becomes a credit note: an invoice of a negative amount is booked, but packages take
it for either kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import koppel_ubl
from koppel_receipts import OUTSIDE_SCOPE, split_vat
from koppel_ubl import Attachment, CreditNote, Invoice, Item, Line, PaymentMeans, Price, VatCategory, VatSubtotal
from koppel_ubl.model import Address, Identifier, Party, Period, Totals

from .texts import Texts

ZERO: Final = Decimal("0.00")
_EXEMPTION_CODES: Final = {"G": "VATEX-EU-G"}
"""CEF VATEX codes, where the category tells which (BR-G-10)."""
_CASH: Final = "10"
"""UNTDID 4461. How customers paid differs; that all of it is paid does not."""


@dataclass(frozen=True)
class Taking:
    """What customers paid in a period at one VAT category and rate, VAT included."""

    category: str
    """As EN 16931 codes it."""
    rate: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Customer:
    """Under whom the books keep a book's receipts."""

    name: str
    code: str | None = None


@dataclass(frozen=True)
class Seller:
    """Whose receipts they are: the dossier."""

    name: str
    enterprise_number: str


def invoice_of(
    number: str,
    period: Period,
    seller: Seller,
    customer: Customer,
    takings: Sequence[Taking],
    attachments: Sequence[Attachment],
    texts: Texts,
) -> Invoice | CreditNote:
    """Return the invoice of a period, or the credit note where it gave back more than it took; paid in full.

    Both parties have the dossier's electronic address: Peppol's rules want one of the buyer, and nobody in particular bought. It
    also keeps the document from ever being sent over the network.

    Raises:
        koppel_ubl.BuildError: it would break a rule.
    """
    total = sum((one.amount for one in takings), ZERO)
    sign = -1 if total < 0 else 1
    lines = [_line(place, one, sign, texts) for place, one in enumerate(takings, 1)]
    ours = koppel_ubl.party(seller.name, seller.enterprise_number, Address(country="BE"))
    said: dict[str, Any] = {
        "number": number,
        "issue_date": period.end,
        "due_date": period.end,
        "notes": (texts.note(period),),
        "buyer_reference": texts.credit_reference if total < 0 else texts.reference,
        "period": period,
        "attachments": tuple(attachments),
        "seller": ours,
        "buyer": _buyer(customer, ours.endpoint),
        "payment_means": (PaymentMeans(code=_CASH),),
        "vat_breakdown": _breakdown(lines),
        "totals": Totals(prepaid=total * sign),
        "lines": tuple(line for line, _ in lines),
    }
    return koppel_ubl.build(CreditNote(**said)) if total < 0 else koppel_ubl.build(Invoice(**said))


def _buyer(customer: Customer, address: Identifier | None) -> Party:
    return Party(name=customer.name, endpoint=address, address=Address(country="BE"), customer_number=customer.code)


def _line(place: int, taking: Taking, sign: int, texts: Texts) -> tuple[Line, Decimal]:
    """Return a line and its VAT."""
    parts = split_vat(taking.amount * sign, taking.rate)
    line = Line(
        id=str(place),
        quantity=Decimal(1) if parts.base >= 0 else Decimal(-1),
        net=parts.base,
        price=Price(net=abs(parts.base)),
        item=Item(name=texts.line(taking.category, taking.rate)),
        vat=_vat(taking, texts),
    )
    return line, parts.vat


def _vat(taking: Taking, texts: Texts) -> VatCategory:
    """Return the VAT of a taking as an invoice states it.

    What is outside the scope of VAT (a deposit, a voucher) may stand beside nothing else under a category of its own, nor
    under the seller's VAT number (BR-O-02, BR-O-11): it stands as exempt, and says why.
    """
    category = "E" if taking.category == OUTSIDE_SCOPE else taking.category
    return VatCategory(category=category, rate=taking.rate, exemption_reason=texts.exemptions.get(taking.category))


def _breakdown(lines: Sequence[tuple[Line, Decimal]]) -> tuple[VatSubtotal, ...]:
    """Return one group for each category and rate, with all the reasons of its lines (BG-23)."""
    groups: dict[tuple[str | None, Decimal | None], list[tuple[Line, Decimal]]] = {}
    for line, tax in lines:
        groups.setdefault((line.vat.category, line.vat.rate), []).append((line, tax))
    return tuple(
        VatSubtotal(
            category=category,
            rate=rate,
            taxable=sum((line.net or ZERO for line, _ in group), ZERO),
            tax=sum((tax for _, tax in group), ZERO),
            exemption_code=_EXEMPTION_CODES.get(category or ""),
            exemption_reason="; ".join(dict.fromkeys(filter(None, (one.vat.exemption_reason for one, _ in group))))
            or None,
        )
        for (category, rate), group in groups.items()
    )
