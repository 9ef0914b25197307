"""Prepares reading and checking, so that the first document of a process takes no longer than the next one.

The first check of a process compiles the rules for the elements it meets, some ten milliseconds for an invoice and as many for a
credit note. A service that serves others meanwhile calls ``prepare`` at its start, in a thread of its own.
"""

from dataclasses import fields
from datetime import date
from decimal import Decimal

from .building import build, credit_transfer, party
from .checking import PROFILES, check
from .model import (
    Address,
    AllowanceCharge,
    Attachment,
    BillingReference,
    Contact,
    CreditNote,
    Delivery,
    Document,
    Invoice,
    Item,
    Line,
    Period,
    Price,
    VatCategory,
)
from .reading.document import read
from .writing.document import write

_DAY = date(2026, 1, 31)
_ADDRESS = Address(street="Kerkstraat 1", city="Gent", postal_code="9000", country="BE")
_CONTACT = Contact(name="An Peeters", telephone="+32 9 000 00 00", email="an@example.be")
_RATES = tuple(VatCategory(category="S", rate=Decimal(rate)) for rate in (21, 12, 6))


def prepare() -> None:
    """Read and check an invoice and a credit note of our own, with the usual elements and under every profile.

    Pure and safe to repeat; a document that differs much from them still compiles what it has and they have not.
    """
    draft = _invoice()
    shared = {each.name: getattr(draft, each.name) for each in fields(Document)}
    for document in (build(draft), build(CreditNote(**shared))):
        data = write(document)
        read(data)
        for profile in PROFILES:
            check(data, profile)


def _invoice() -> Invoice:
    return Invoice(
        number="2026-0001",
        issue_date=_DAY,
        due_date=date(2026, 2, 28),
        notes=("Dank u",),
        buyer_reference="REF 1",
        order="PO-1",
        period=Period(start=date(2026, 1, 1), end=_DAY),
        billing_references=(BillingReference(number="2025-0999", issue_date=date(2025, 12, 31)),),
        attachments=(Attachment(id="2026-0001", media_type="application/pdf", file_name="1.pdf", content=b"%PDF-1.7"),),
        seller=party("Voorbeeld BV", "0000000196", _ADDRESS, contact=_CONTACT),
        buyer=party("Klant NV", "0403170701", _ADDRESS, contact=_CONTACT),
        delivery=Delivery(actual_date=_DAY, address=_ADDRESS),
        payment_means=(credit_transfer("BE85735048152606", "+++202/6000/00192+++"),),
        payment_terms="30 dagen",
        allowances_charges=tuple(
            AllowanceCharge(is_charge=is_charge, amount=Decimal(1), reason="Korting", vat=_RATES[0])
            for is_charge in (False, True)
        ),
        lines=tuple(_line(vat) for vat in _RATES),
    )


def _line(vat: VatCategory) -> Line:
    return Line(
        quantity=Decimal(2),
        unit="C62",
        price=Price(net=Decimal("10.00")),
        item=Item(name="Brood", description="Een brood", seller_id="B-1"),
        vat=vat,
    )
