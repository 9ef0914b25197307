"""Invoice and credit note lines."""

from dataclasses import dataclass
from decimal import Decimal

from koppel_ubl.model.basics import Identifier, Period, Quantity
from koppel_ubl.model.money import AllowanceCharge, VatCategory


@dataclass(frozen=True, slots=True)
class Classification:
    """BT-158 with its list (BT-158-1, BT-158-2)."""

    code: str
    list_id: str | None = None
    list_version: str | None = None


@dataclass(frozen=True, slots=True)
class ItemProperty:
    """BG-32: a name (BT-160) and a value (BT-161)."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Item:
    """BG-31: what is sold."""

    name: str
    """BT-153; empty when the document gives none"""
    description: str | None = None
    """BT-154"""
    seller_id: str | None = None
    """BT-155"""
    buyer_id: str | None = None
    """BT-156"""
    standard_id: Identifier | None = None
    """BT-157"""
    classifications: tuple[Classification, ...] = ()
    """BT-158"""
    origin_country: str | None = None
    """BT-159"""
    properties: tuple[ItemProperty, ...] = ()
    """BG-32"""


@dataclass(frozen=True, slots=True)
class Price:
    """BG-29: the price of `base_quantity` units (of one, when None)."""

    net: Decimal
    """BT-146"""
    discount: Decimal | None = None
    """BT-147"""
    gross: Decimal | None = None
    """BT-148"""
    base_quantity: Quantity | None = None
    """BT-149, BT-150"""


@dataclass(frozen=True, slots=True)
class Line:
    """BG-25."""

    id: str
    """BT-126"""
    net_amount: Decimal
    """BT-131"""
    item: Item
    """BG-31"""
    vat: VatCategory | None = None
    """BG-30; of an older Belgian line without one: the line's tax total, else the document's only category"""
    quantity: Quantity | None = None
    """BT-129, BT-130"""
    price: Price | None = None
    """BG-29"""
    note: str | None = None
    """BT-127"""
    object_id: Identifier | None = None
    """BT-128"""
    order_line: str | None = None
    """BT-132"""
    accounting_cost: str | None = None
    """BT-133: the buyer's booking reference for this line"""
    period: Period | None = None
    """BG-26"""
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    """BG-27 and BG-28, as ordered in the document"""
    vat_amount: Decimal | None = None
    """cac:TaxTotal of the line in e-FFF and UBL.BE; no business term of EN 16931, and never a basis for booking"""

    @property
    def allowances(self) -> tuple[AllowanceCharge, ...]:
        """BG-27."""
        return tuple(entry for entry in self.allowances_charges if not entry.is_charge)

    @property
    def charges(self) -> tuple[AllowanceCharge, ...]:
        """BG-28."""
        return tuple(entry for entry in self.allowances_charges if entry.is_charge)
