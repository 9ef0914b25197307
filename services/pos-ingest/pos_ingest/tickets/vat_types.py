"""The VAT types of Scrada's API, each with its EN 16931 category and its box of the Belgian periodic return.

Source: Scrada's API 1.24, and integrators of it (docs/sources.md). Box numbers are those of the return of royal decree no. 1.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

ZERO_RATE: Final = Decimal(0)
DOMESTIC_RATES: Final = (Decimal(6), Decimal(12), Decimal(21))
BOX_OF_RATE: Final = {Decimal(6): "01", Decimal(12): "02", Decimal(21): "03"}


@dataclass(frozen=True, slots=True)
class VatType:
    """One VAT type."""

    name: str
    category: str
    """Of EN 16931 (UNTDID 5305)."""
    box: str | None
    """Of the base; None: no part of the return. Where there are several rates, ``box_of`` says which."""
    rates: tuple[Decimal, ...] = (ZERO_RATE,)
    """In percent, those that a ticket may carry; empty: any, for another country charges it."""
    exemption: str | None = None
    """CEF VATEX code, where the type tells which."""
    reason: str | None = None
    """Why there is no VAT, as an invoice says it where no code does (BR-E-10)."""


VAT_TYPES: Final = {
    1: VatType("standard", "S", None, DOMESTIC_RATES),
    2: VatType("zero rate", "Z", "00"),
    3: VatType("exempt", "E", None, reason="Vrijgesteld van btw - Exempté de TVA"),
    4: VatType("services within the Union", "K", "44"),
    5: VatType("goods within the Union", "K", "46"),
    6: VatType("manufacturing within the Union", "K", "47"),
    7: VatType("assembly within the Union", "K", "47"),
    8: VatType("distance sales within the Union", "K", "47"),
    9: VatType("other services within the Union", "K", "47"),
    10: VatType("triangular sale", "K", "46"),
    20: VatType("export", "G", "47"),
    21: VatType("indirect export", "G", "47"),
    22: VatType("export through the Union", "G", "47"),
    50: VatType("reverse charge", "AE", "45"),
    51: VatType("financial discount", "O", None, reason="Financiële korting - Escompte"),
    # Articles 132 and 135 of directive 2006/112 stand behind it: no one VATEX code does.
    52: VatType("exempt by article 44", "E", "00", reason="Artikel 44 Btw-Wetboek - article 44 Code TVA"),
    53: VatType("standard exchange", "S", "03", (Decimal(21),)),
    54: VatType("margin scheme", "E", None, exemption="VATEX-EU-F", reason="Margeregeling - Régime de la marge"),
    70: VatType("one-stop shop, goods", "S", None, ()),
    71: VatType("one-stop shop, services", "S", None, ()),
    72: VatType("one-stop shop, import", "S", None, ()),
    99: VatType("outside the scope of VAT", "O", None, reason="Buiten de btw - Hors champ de la TVA"),
}
OUTSIDE_SCOPE: Final = 99
INVOICED_ONLY: Final = frozenset({4, 5, 6, 7, 8, 9, 10, 50})
"""Sales to a business: the law asks for an invoice, so they are no daily receipts (royal decree no. 1, art. 1)."""
ONE_STOP_SHOP: Final = frozenset({70, 71, 72})
"""Declared in a return of their own, at the rate of another country: no part of a Belgian book of daily receipts."""


def box_of(vat_type: int, rate: Decimal) -> str | None:
    """Return the box of the return in which the base lands; None where it is no part of it.

    Raises:
        KeyError: no such VAT type.
    """
    found = VAT_TYPES[vat_type]
    return BOX_OF_RATE[rate] if vat_type == 1 else found.box


def takes_rate(vat_type: int, rate: Decimal) -> bool:
    """Return whether a ticket may carry this rate with this VAT type."""
    rates = VAT_TYPES[vat_type].rates
    return rate in rates if rates else ZERO_RATE <= rate < 100


def invoice_category(vat_type: int) -> VatType:
    """Return a VAT type as an invoice states it.

    What is outside the scope of VAT may stand beside nothing else under a category of its own, nor under the seller's VAT
    number (BR-O-02, BR-O-11): it stands as exempt, and says why, as in the invoice of a period.

    Raises:
        KeyError: no such VAT type.
    """
    found = VAT_TYPES[vat_type]
    return replace(found, category="E") if found.category == "O" else found


def exempt_together(exemptions: Iterable[tuple[VatType, str | None]]) -> tuple[str | None, str | None]:
    """Return the code and the reason that exempt lines of one invoice have together: its breakdown has room for one (BR-E-01).

    Where one code says why for all of them, it is enough (BR-E-10).

    Args:
        exemptions: the VAT type of each line, and the reason that its sender says.
    """
    known = list(dict.fromkeys(exemptions))
    codes = {each.exemption for each, _ in known}
    code = codes.pop() if len(codes) == 1 else None
    reasons = dict.fromkeys(reason for each, said in known if (reason := said or (None if code else each.reason)))
    return code, "; ".join(reasons) or None
