"""Amounts with their VAT: categories, allowances and charges, the breakdown, the totals."""

from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class VatCategory:
    """How something is taxed: BT-151/152 on a line, BT-95/96 and BT-102/103 on allowance and charge, BT-118/119 in the breakdown.

    `code` is UNCL 5305: S standard and reduced rates, Z zero, E exempt, AE reverse charge, K intra-Community, G export,
    O outside scope. It is empty when the document names none. `rate` is a percentage (21), None for O.
    """

    code: str
    rate: Decimal | None = None
    name: str | None = None
    """cac:TaxCategory/cbc:Name: the Belgian VAT code of e-FFF and UBL.BE (`03` = 21 %, `45` = co-contractor)"""
    exemption_reason_code: str | None = None
    """BT-121"""
    exemption_reason: str | None = None
    """BT-120"""

    @property
    def key(self) -> tuple[str, Decimal]:
        """What groups amounts in the breakdown: the category and its rate."""
        return self.code, self.rate or ZERO


@dataclass(frozen=True, slots=True)
class AllowanceCharge:
    """An allowance (BG-20, BG-27) lowers the sum, a charge (BG-21, BG-28) raises it; `amount` is as written, not signed."""

    is_charge: bool
    amount: Decimal
    """BT-92, BT-99, BT-136, BT-141"""
    base_amount: Decimal | None = None
    """BT-93, BT-100, BT-137, BT-142"""
    percentage: Decimal | None = None
    """BT-94, BT-101, BT-138, BT-143"""
    reason: str | None = None
    """BT-97, BT-104, BT-139, BT-144"""
    reason_code: str | None = None
    """BT-98, BT-105, BT-140, BT-145"""
    vat: VatCategory | None = None
    """On the document only; on a line the line's category applies"""
    accounting_cost: str | None = None
    """cbc:AccountingCost; no business term of EN 16931"""

    @property
    def signed_amount(self) -> Decimal:
        """What it adds to the sum: negative for an allowance."""
        return self.amount if self.is_charge else -self.amount


@dataclass(frozen=True, slots=True)
class VatBreakdown:
    """BG-23: one row for each VAT category and rate."""

    taxable_amount: Decimal
    """BT-116"""
    vat_amount: Decimal
    """BT-117"""
    vat: VatCategory


@dataclass(frozen=True, slots=True)
class Totals:
    """BG-22."""

    lines: Decimal
    """BT-106: sum of the line net amounts"""
    net: Decimal
    """BT-109: without VAT"""
    gross: Decimal
    """BT-112: with VAT"""
    payable: Decimal
    """BT-115"""
    vat: Decimal
    """BT-110, in the document's currency; zero when the document has no VAT total"""
    vat_in_tax_currency: Decimal | None = None
    """BT-111, in `document.tax_currency`"""
    allowances: Decimal | None = None
    """BT-107"""
    charges: Decimal | None = None
    """BT-108"""
    prepaid: Decimal | None = None
    """BT-113"""
    rounding: Decimal | None = None
    """BT-114"""
