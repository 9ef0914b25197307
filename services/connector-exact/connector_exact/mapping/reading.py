"""From the UBL to what there is to book: lines, and allowances and charges of the whole document as lines of their own."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import koppel_ubl
from connector_exact.masters import number_key
from koppel_mesh.messages import DocumentKind
from koppel_ubl import Document, VatCategory
from koppel_ubl import Party as UblParty

from .accounts import SIDES
from .amounts import rounded
from .booking import Booking, Item, Party, VatTotal, signed, with_vat
from .refusal import CannotBook

EURO: Final = "EUR"
RATE_PLACES: Final = Decimal("0.000001")


def booking(ubl: bytes, kind: DocumentKind) -> Booking:
    """Read a document and return it as the books see it; raise when it cannot be booked as it stands."""
    if kind not in SIDES:
        raise CannotBook("kind_not_supported", kind.value)
    try:
        document = koppel_ubl.read(ubl)
    except koppel_ubl.ReadError as error:
        raise CannotBook("document_unreadable", str(error)) from error
    if not document.number or document.issue_date is None or not document.currency:
        raise CannotBook("document_unreadable", "number, date or currency is missing")
    ours, theirs = (document.seller, document.buyer) if SIDES[kind] == "sale" else (document.buyer, document.seller)
    total = _total(document)
    totals = [
        VatTotal(_category(group.category, group.rate), group.rate, rounded(group.taxable), rounded(group.tax))
        for group in document.vat_breakdown
    ]
    return signed(
        Booking(
            kind=kind,
            number=document.number,
            issued_on=document.issue_date,
            due_on=document.due_date,
            currency=document.currency.upper(),  # small letters break BR-CL-04, and name the same currency
            total=total,
            party=_party(theirs, ours),
            items=with_vat([*_lines(document), *_adjustments(document)], totals, total),
            payment_reference=document.structured_reference or document.payment_reference,
            document_reference=document.accounting_cost,
            exchange_rate=_exchange_rate(document),
            embedded=tuple(each.content for each in document.attachments if each.content is not None),
        )
    )


def _lines(document: Document) -> Iterator[Item]:
    """Yield the lines; what a line gives or charges itself is inside its net (BT-131)."""
    for line in document.lines:
        if line.net is None:
            raise CannotBook("document_totals_wrong", f"line {line.id or '?'} has no amount")
        text = line.item.name or line.item.description or ""
        yield _item(line.id, line.net, line.vat, text, line.accounting_cost)


def _adjustments(document: Document) -> Iterator[Item]:
    for one in document.allowances_charges:
        text = one.reason or ("Charge" if one.is_charge else "Allowance")
        yield _item(None, one.signed_amount, one.vat or VatCategory(), text, one.accounting_cost)


def _item(line_id: str | None, net: Decimal, vat: VatCategory, text: str, reference: str | None) -> Item:
    return Item(line_id, rounded(net), _category(vat.category, vat.rate), vat.rate, text, reference)


def _category(category: str | None, rate: Decimal | None) -> str:
    """Return the category; older documents give a rate alone, and one above zero is standard."""
    return category or ("S" if rate else "?")


def _total(document: Document) -> Decimal:
    """Return what was invoiced including VAT (BT-112), whatever was paid or rounded."""
    totals = document.totals
    if totals.with_vat is not None:
        return rounded(totals.with_vat)
    if totals.payable is None:
        raise CannotBook("document_unreadable", "no total")
    return rounded(totals.payable + (totals.prepaid or 0) - (totals.rounding or 0))


def _party(theirs: UblParty, ours: UblParty) -> Party:
    """Return the counterparty. The dossier's own number on the other side (daily receipts) identifies nobody."""
    vat, enterprise = theirs.vat_number or "", theirs.enterprise_number or ""
    own = {number_key(ours.vat_number or ""), number_key(ours.enterprise_number or "")} - {""}
    address, contact = theirs.address, theirs.contact
    return Party(
        name=(theirs.name or theirs.trade_name or "").strip(),
        vat_number="" if number_key(vat) in own else vat,
        enterprise_number="" if number_key(enterprise) in own else enterprise,
        code=(theirs.customer_number or "").strip(),
        street=(address.street if address else None) or "",
        postcode=(address.postal_code if address else None) or "",
        city=(address.city if address else None) or "",
        country=(address.country if address else None) or "",
        email=(contact.email if contact else None) or "",
        phone=(contact.telephone if contact else None) or "",
    )


def _exchange_rate(document: Document) -> Decimal | None:
    """Return euros per unit of the document's currency, where the document tells both VAT totals."""
    if document.currency == EURO or document.tax_currency != EURO or document.exchange_rate is None:
        return None
    return document.exchange_rate.quantize(RATE_PLACES)
