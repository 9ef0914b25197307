"""From what was read of the UBL, and what people set in Koppel, to what there is to book."""

from typing import Final

import koppel_ubl

from koppel_mesh.messages import DocumentKind

from .accounts import SIDES
from .amounts import rounded
from .booking import Booking, VatTotal, signed, with_vat
from .refusal import CannotBook

EURO: Final = "EUR"


def booking(document: koppel_ubl.Invoice | koppel_ubl.CreditNote, kind: DocumentKind) -> Booking:
    """Return the document as the books see it; raise when it cannot be booked as it stands."""
    if kind not in SIDES:
        raise CannotBook("kind_not_supported", kind.value)
    if not document.number or document.issue_date is None:
        raise CannotBook("document_unreadable", "no number or no date")
    ours, theirs = (document.seller, document.buyer) if SIDES[kind] == "sale" else (document.buyer, document.seller)
    total = _total(document)
    totals = [
        VatTotal(group.category, group.rate, rounded(group.taxable), rounded(group.tax))
        for group in document.vat_breakdown
    ]
    return signed(
        Booking(
            kind=kind,
            number=document.number,
            issued_on=document.issue_date,
            due_on=document.due_date,
            currency=document.currency,
            total=total,
            party=_party(theirs, ours),
            items=with_vat([*_lines(document), *_adjustments(document)], totals, total),
            payment_reference=document.payment_reference,
            document_reference=document.accounting_cost,
            exchange_rate=_exchange_rate(document),
        )
    )
