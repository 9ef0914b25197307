"""Drafts of Belgian documents, for the tests of building them."""

from datetime import date
from decimal import Decimal

from koppel_ubl import Address, Delivery, Invoice, Item, Line, Party, Price, VatCategory, credit_transfer, party

SELLER = party(
    "Bakkerij De Korenmolen BV",
    "0734.567.835",
    Address(street="Molenstraat 12", city="Deinze", postal_code="9800", country="BE"),
)
BUYER = party(
    "Café Het Hoekje",
    "BE 0403.170.701",
    Address(street="Kerkplein 3", city="Gent", postal_code="9000", country="BE"),
)
FRENCH = Party(
    name="Boulangerie du Nord SARL",
    endpoint=None,
    vat_number="FR40303265045",
    address=Address(city="Lille", postal_code="59000", country="FR"),
)
S21, S12, S6 = (VatCategory(category="S", rate=Decimal(rate)) for rate in (21, 12, 6))
DAY = date(2026, 3, 9)


def line(price: str, vat: VatCategory = S21, quantity: str = "1", **more: object) -> Line:
    return Line(
        quantity=Decimal(quantity),
        unit="C62",
        price=Price(net=Decimal(price)),
        item=Item(name="Brood"),
        vat=vat,
        **more,  # type: ignore[arg-type]
    )


def draft(*lines: Line, **more: object) -> Invoice:
    values: dict[str, object] = {
        "number": "2026-0117",
        "issue_date": DAY,
        "due_date": date(2026, 4, 8),
        "buyer_reference": "TAFEL 4",
        "seller": SELLER,
        "buyer": BUYER,
        "payment_means": (credit_transfer("BE85 7350 4815 2606", "+++123/4567/89002+++"),),
        "lines": lines,
    }
    return Invoice(**values | more)  # type: ignore[arg-type]


DELIVERED = Delivery(actual_date=DAY, address=Address(city="Lille", postal_code="59000", country="FR"))
