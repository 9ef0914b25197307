"""VAT categories, the VAT breakdown (BG-23), allowances and charges (BG-20, BG-21, BG-27, BG-28)."""

from dataclasses import dataclass
from decimal import Decimal

from koppel_ubl.model import AllowanceCharge, VatCategory, VatSubtotal

from .node import Node

_BELGIAN_CODES: dict[str, tuple[str, Decimal]] = {
    "00": ("Z", Decimal(0)),
    "01": ("S", Decimal(6)),
    "02": ("S", Decimal(12)),
    "03": ("S", Decimal(21)),
    "45": ("AE", Decimal(0)),
    "NA": ("E", Decimal(0)),
    "NS": ("O", Decimal(0)),
    "FD": ("E", Decimal(0)),
    "SC": ("E", Decimal(0)),
    "MA": ("E", Decimal(0)),
    "00/44": ("E", Decimal(0)),
    "03/SE": ("S", Decimal(21)),
    "44": ("K", Decimal(0)),
    "46/GO": ("K", Decimal(0)),
    "46/TR": ("K", Decimal(0)),
    "47/TO": ("K", Decimal(0)),
    "47/AS": ("K", Decimal(0)),
    "47/DI": ("K", Decimal(0)),
    "47/SE": ("K", Decimal(0)),
    "47/EX": ("G", Decimal(0)),
    "47/EI": ("G", Decimal(0)),
    "47/EE": ("G", Decimal(0)),
}
"""UBL.BE's VAT codes in TaxCategory/Name: what a category or rate that is absent is taken from (e-FFF, UBL.BE)."""


def category(node: Node | None) -> VatCategory:
    """Read a ``cac:TaxCategory`` or ``cac:ClassifiedTaxCategory``."""
    if node is None:
        return VatCategory()
    code, name, rate = node.text("ID"), node.text("Name"), node.number("Percent")
    exemption_code, reasons = node.text("TaxExemptionReasonCode"), node.texts("TaxExemptionReason")
    _skip_scheme(node)
    node.done()
    belgian = _BELGIAN_CODES.get((name or "").upper())
    if belgian is not None:
        code, rate = code or belgian[0], belgian[1] if rate is None and belgian[0] != "O" else rate
    return VatCategory(
        category=code,
        rate=rate,
        exemption_code=exemption_code,
        exemption_reason=" ".join(reasons) or None,
        name=name,
    )


@dataclass
class VatTotals:
    """What the document's or a line's ``cac:TaxTotal`` elements say together."""

    total: Decimal | None
    in_tax_currency: Decimal | None
    breakdown: tuple[VatSubtotal, ...]


def totals(document: Node, currency: str | None, tax_currency: str | None) -> VatTotals:
    """Read every ``cac:TaxTotal``; the one in the accounting currency (BT-111) has no subtotals."""
    total = in_tax_currency = None
    breakdown: list[VatSubtotal] = []
    for one in document.nodes("TaxTotal"):
        amount, written_in = one.number_with("TaxAmount", "currencyID")
        subtotals = [_subtotal(sub) for sub in one.nodes("TaxSubtotal")]
        breakdown += subtotals
        foreign = tax_currency is not None and tax_currency != currency and written_in == tax_currency
        if foreign and not subtotals:
            in_tax_currency = amount
        elif total is None:
            total = amount
    return VatTotals(total, in_tax_currency, tuple(breakdown))


def allowances_charges(parent: Node) -> tuple[AllowanceCharge, ...]:
    """Read every ``cac:AllowanceCharge``."""
    return tuple(_allowance_charge(node) for node in parent.nodes("AllowanceCharge"))


def _subtotal(node: Node) -> VatSubtotal:
    taxable, tax = node.number("TaxableAmount"), node.number("TaxAmount")
    own_rate = node.number("Percent")
    vat = category(node.node("TaxCategory"))
    taxable, tax = taxable or Decimal(0), tax or Decimal(0)
    rate = vat.rate if vat.rate is not None else own_rate
    if rate is None and vat.category == "S" and taxable:
        rate = (tax * 100 / taxable).quantize(Decimal(1))
    return VatSubtotal(
        category=vat.category or ("S" if rate else None),
        rate=rate,
        taxable=taxable,
        tax=tax,
        exemption_code=vat.exemption_code,
        exemption_reason=vat.exemption_reason,
        name=vat.name,
    )


def _allowance_charge(node: Node) -> AllowanceCharge:
    indicator = (node.text("ChargeIndicator") or "").lower()
    if indicator not in {"true", "false", "1", "0"}:
        raise node.error(
            "invalid_indicator", f"{indicator[:40]!r} says neither charge nor allowance.", name="ChargeIndicator"
        )
    amount = node.number("Amount")
    if amount is None:
        raise node.error("missing_amount", "An allowance or charge has no amount.", name="Amount")
    categories = [category(one) for one in node.nodes("TaxCategory")]
    return AllowanceCharge(
        is_charge=indicator in {"true", "1"},
        amount=amount,
        base=node.number("BaseAmount"),
        percent=node.number("MultiplierFactorNumeric"),
        reason=" ".join(node.texts("AllowanceChargeReason")) or None,
        reason_code=node.text("AllowanceChargeReasonCode"),
        vat=categories[0] if categories else None,
        accounting_cost=node.text("AccountingCost"),
    )


def _skip_scheme(node: Node) -> None:
    scheme = node.node("TaxScheme")
    if scheme is not None:
        for name in ("ID", "Name", "TaxTypeCode"):
            scheme.text(name)
        scheme.done()
