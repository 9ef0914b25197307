"""VAT categories, the VAT breakdown (BG-23), allowances and charges (BG-20, BG-21, BG-27, BG-28), totals (BG-22)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from koppel_ubl.errors import ReadError
from koppel_ubl.model import AllowanceCharge, Totals, VatCategory, VatSubtotal

from .aggregate import (
    CAC,
    CBC,
    Aggregate,
    Notes,
    Values,
    aggregate,
    aggregate_of,
    amount,
    built,
    joined,
    many,
    number,
    number_with,
    one,
    required,
    sole,
    text,
    truth,
)
from .parties import VAT

_BELGIAN_CODES: Final[dict[str, tuple[str, Decimal]]] = {
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


def _category(values: Values, element: etree._Element, notes: Notes) -> VatCategory:
    scheme = values.pop("scheme", VAT)
    if scheme != VAT and scheme.upper() != VAT:
        notes.skip_below(element, CAC + "TaxScheme")
    if "name" in values:
        belgian = _BELGIAN_CODES.get(values["name"].upper())
        if belgian is not None:
            values.setdefault("category", belgian[0])
            if belgian[0] != "O":
                values.setdefault("rate", belgian[1])
    return built(VatCategory, values)


def _of_category(vat: VatCategory) -> Mapping[str, Any]:
    return {
        "category": vat.category,
        "name": vat.name,
        "rate": vat.rate,
        "exemption_code": vat.exemption_code,
        "exemption_reason": vat.exemption_reason,
        "scheme": VAT,
    }


CATEGORY = Aggregate(
    (
        text("cbc:ID", "category"),
        text("cbc:Name", "name"),
        number("cbc:Percent", "rate"),
        text("cbc:TaxExemptionReasonCode", "exemption_code"),
        joined("cbc:TaxExemptionReason", "exemption_reason"),
        sole("cac:TaxScheme", "cbc:ID", "scheme"),
    ),
    _category,
    _of_category,
)


_OWN_PERCENT: Final = f"{CAC}TaxCategory/{CBC}Percent"
_NO_CATEGORY: Final = VatCategory()
_ZERO: Final = Decimal(0)


def _subtotal(values: Values, element: etree._Element, notes: Notes) -> VatSubtotal:
    vat: VatCategory = values.get("vat", _NO_CATEGORY)
    taxable, tax = values.get("taxable", _ZERO), values.get("tax", _ZERO)
    rate, beside = vat.rate, values.get("rate")
    if beside is not None and beside != rate:
        if element.find(_OWN_PERCENT) is None:
            rate = beside  # an explicit value takes precedence over what the name of the category implies
        else:
            notes.skip_below(element, CBC + "Percent")
    if rate is None and taxable and (vat.category == "S" or (vat.category is None and tax)):
        rate = (tax * 100 / taxable).quantize(Decimal(1))
    category = vat.category or ("S" if rate else None)
    return built(VatSubtotal, {**vat.__dict__, "category": category, "rate": rate, "taxable": taxable, "tax": tax})


def _of_subtotal(one: VatSubtotal) -> Mapping[str, Any]:
    vat = VatCategory(
        category=one.category,
        rate=one.rate,
        exemption_code=one.exemption_code,
        exemption_reason=one.exemption_reason,
        name=one.name,
    )
    return {"taxable": one.taxable, "tax": one.tax, "vat": vat}


SUBTOTAL = Aggregate(
    (
        amount("cbc:TaxableAmount", "taxable"),
        required(amount("cbc:TaxAmount", "tax")),
        number("cbc:Percent", "rate", read_only=True),
        one("cac:TaxCategory", "vat", CATEGORY),
    ),
    _subtotal,
    _of_subtotal,
)


def _tax_total(values: Values, element: etree._Element, _notes: Notes) -> Values:
    values["element"] = element
    return values


TAX_TOTAL = aggregate(
    required(number_with("cbc:TaxAmount", "tax", currencyID="currency")),
    many("cac:TaxSubtotal", "subtotals", SUBTOTAL),
    make=_tax_total,
)


def _allowance_charge(values: Values, element: etree._Element, _notes: Notes) -> AllowanceCharge:
    if "is_charge" not in values or "amount" not in values:
        code, tag = ("missing_amount", "Amount") if "is_charge" in values else ("invalid_indicator", "ChargeIndicator")
        raise ReadError(code, f"An allowance or charge has no {tag}.", line=element.sourceline, path=tag)
    return built(AllowanceCharge, values)


def _of_allowance_charge(one: AllowanceCharge) -> Mapping[str, Any]:
    return {
        "is_charge": one.is_charge,
        "reason_code": one.reason_code,
        "reason": one.reason,
        "percent": one.percent,
        "amount": one.amount,
        "base": one.base,
        "accounting_cost": one.accounting_cost,
        "vat": one.vat,
    }


ALLOWANCE_CHARGE = Aggregate(
    (
        required(truth("cbc:ChargeIndicator", "is_charge")),
        text("cbc:AllowanceChargeReasonCode", "reason_code"),
        joined("cbc:AllowanceChargeReason", "reason"),
        number("cbc:MultiplierFactorNumeric", "percent"),
        required(amount("cbc:Amount", "amount")),
        amount("cbc:BaseAmount", "base"),
        text("cbc:AccountingCost", "accounting_cost"),
        one("cac:TaxCategory", "vat", CATEGORY),
    ),
    _allowance_charge,
    _of_allowance_charge,
)
TOTALS = aggregate_of(
    Totals,
    amount("cbc:LineExtensionAmount", "lines"),
    amount("cbc:TaxExclusiveAmount", "without_vat"),
    amount("cbc:TaxInclusiveAmount", "with_vat"),
    amount("cbc:AllowanceTotalAmount", "allowances"),
    amount("cbc:ChargeTotalAmount", "charges"),
    amount("cbc:PrepaidAmount", "prepaid"),
    amount("cbc:PayableRoundingAmount", "rounding"),
    required(amount("cbc:PayableAmount", "payable")),
)
