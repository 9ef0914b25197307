"""Lines: what was sold, how much of it, at what price and under which VAT."""

from dataclasses import dataclass
from decimal import Decimal

from .money import NO_VAT, AllowanceCharge, VatCategory
from .parties import Identifier
from .period import Period


@dataclass(frozen=True, kw_only=True)
class Price:
    """BG-29: the price of ``base_quantity`` units, of one when None."""

    net: Decimal | None = None
    """BT-146."""
    gross: Decimal | None = None
    """BT-148."""
    discount: Decimal | None = None
    """BT-147."""
    base_quantity: Decimal | None = None
    """BT-149."""
    base_unit: str | None = None
    """BT-150."""


@dataclass(frozen=True, kw_only=True)
class Property:
    """BG-32: a name and its value."""

    name: str
    """BT-160."""
    value: str
    """BT-161."""


@dataclass(frozen=True)
class Classification:
    """A code from a list of goods and services, such as CPV or UNSPSC."""

    value: str
    """BT-158."""
    scheme: str | None = None
    """BT-158-1: the list, by its UNTDID 7143 code."""
    version: str | None = None
    """BT-158-2."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """BG-31."""

    name: str | None = None
    """BT-153."""
    description: str | None = None
    """BT-154."""
    seller_id: str | None = None
    """BT-155."""
    buyer_id: str | None = None
    """BT-156."""
    standard_id: Identifier | None = None
    """BT-157."""
    classifications: tuple[Classification, ...] = ()
    """BT-158."""
    origin_country: str | None = None
    """BT-159."""
    properties: tuple[Property, ...] = ()
    """BG-32."""


NOTHING = Item()
"""The item of a line without one."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """BG-25."""

    id: str | None = None
    """BT-126."""
    notes: tuple[str, ...] = ()
    """BT-127."""
    object: Identifier | None = None
    """BT-128."""
    quantity: Decimal | None = None
    """BT-129."""
    unit: str | None = None
    """BT-130: UN/ECE Recommendation 20, such as C62 one, HUR hour."""
    net: Decimal | None = None
    """BT-131."""
    accounting_cost: str | None = None
    """BT-133: the buyer's booking reference, often a ledger account."""
    order_line: str | None = None
    """BT-132."""
    order: str | None = None
    """No business term; the order of that line, where it differs from the document's."""
    period: Period | None = None
    """BG-26."""
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    """BG-27, BG-28."""
    item: Item = NOTHING
    """BG-31."""
    vat: VatCategory = NO_VAT
    """BG-30; where a line has none (e-FFF): its own VAT total's, else the only one of the document."""
    vat_amount: Decimal | None = None
    """No business term; VAT of this line alone, which UBL.BE and e-FFF state and the standard does not."""
    price: Price | None = None
    """BG-29."""
