"""VAT categories, allowances and charges, and the totals."""

from dataclasses import dataclass
from decimal import Decimal

from .numbers import EXACT


@dataclass(frozen=True, kw_only=True)
class VatCategory:
    """A category with its rate: of a line (BG-30), or of an allowance or charge of the document (in BG-20, BG-21)."""

    category: str | None = None
    """BT-95, BT-102, BT-151: S, Z, E, AE, K, G, O, L, M or B."""
    rate: Decimal | None = None
    """BT-96, BT-103, BT-152: in percent; None for O."""
    exemption_code: str | None = None
    """No business term here; the breakdown's is BT-121."""
    exemption_reason: str | None = None
    """No business term here; the breakdown's is BT-120."""
    name: str | None = None
    """The Belgian VAT code of UBL.BE and e-FFF, a hint that Peppol tolerates."""


NO_VAT = VatCategory()
"""The VAT of a line without one."""


@dataclass(frozen=True, kw_only=True)
class AllowanceCharge:
    """BG-20, BG-21 on the document; BG-27, BG-28 on a line (there without VAT: the line's applies)."""

    is_charge: bool
    amount: Decimal
    """BT-92, BT-99, BT-136, BT-141: as written, not signed."""
    base: Decimal | None = None
    """BT-93, BT-100, BT-137, BT-142."""
    percent: Decimal | None = None
    """BT-94, BT-101, BT-138, BT-143."""
    reason: str | None = None
    """BT-97, BT-104, BT-139, BT-144."""
    reason_code: str | None = None
    """BT-98, BT-105, BT-140, BT-145."""
    vat: VatCategory | None = None
    """BT-95 and BT-96, BT-102 and BT-103."""
    accounting_cost: str | None = None
    """No business term; some senders name a ledger account here."""

    @property
    def signed_amount(self) -> Decimal:
        """What it adds to the total: negative for an allowance."""
        return self.amount if self.is_charge else EXACT.minus(self.amount)


@dataclass(frozen=True, kw_only=True)
class VatSubtotal:
    """BG-23: VAT of one category and rate."""

    category: str | None
    """BT-118."""
    rate: Decimal | None
    """BT-119: in percent."""
    taxable: Decimal
    """BT-116."""
    tax: Decimal
    """BT-117."""
    exemption_code: str | None = None
    """BT-121."""
    exemption_reason: str | None = None
    """BT-120."""
    name: str | None = None
    """The Belgian VAT code of UBL.BE and e-FFF."""


@dataclass(frozen=True, kw_only=True)
class Totals:
    """BG-22; the VAT totals (BT-110, BT-111) are with the VAT breakdown."""

    lines: Decimal | None = None
    """BT-106."""
    allowances: Decimal | None = None
    """BT-107."""
    charges: Decimal | None = None
    """BT-108."""
    without_vat: Decimal | None = None
    """BT-109."""
    with_vat: Decimal | None = None
    """BT-112."""
    prepaid: Decimal | None = None
    """BT-113."""
    rounding: Decimal | None = None
    """BT-114."""
    payable: Decimal | None = None
    """BT-115."""


NO_TOTALS = Totals()
"""The totals of a document without any."""
