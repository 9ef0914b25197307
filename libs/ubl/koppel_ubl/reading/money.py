"""Tables for VAT categories, allowances and charges, VAT totals and the document's totals."""

from dataclasses import dataclass
from decimal import Decimal

from koppel_ubl.model.money import AllowanceCharge, VatCategory
from koppel_ubl.reading.rules import (
    CAC,
    CBC,
    Context,
    Element,
    Table,
    Values,
    amount,
    decimal_of,
    into,
    many,
    number,
    one,
    read_into,
    require,
    text,
    truth,
)

_CATEGORY: Table = {
    f"{CBC}ID": text("code"),
    f"{CBC}Name": text("name"),
    f"{CBC}Percent": number("rate"),
    f"{CBC}TaxExemptionReasonCode": text("exemption_reason_code"),
    f"{CBC}TaxExemptionReason": text("exemption_reason"),
    f"{CAC}TaxScheme": into({f"{CBC}ID": text("scheme")}),
}
# e-FFF and UBL.BE: the Belgian VAT codes that fix a rate (reference: UBL.BE code list, read November 2026).
_RATES_BY_NAME = {"00": Decimal(0), "01": Decimal(6), "02": Decimal(12), "03": Decimal(21)}


def read_category(element: Element, context: Context) -> VatCategory:
    """A VAT category; without a rate of its own, the rate its Belgian code implies."""
    values = read_into(element, _CATEGORY, {}, context)
    scheme = values.pop("scheme", "VAT")
    if scheme.upper() != "VAT":
        context.skip(element)
    if "rate" not in values and values.get("name") in _RATES_BY_NAME and values.get("code") != "O":
        values["rate"] = _RATES_BY_NAME[values["name"]]
        context.derived.append("vat.rate")
    values.setdefault("code", "")
    return VatCategory(**values)


_ALLOWANCE_CHARGE: Table = {
    f"{CBC}ChargeIndicator": truth("is_charge"),
    f"{CBC}AllowanceChargeReasonCode": text("reason_code"),
    f"{CBC}AllowanceChargeReason": text("reason"),
    f"{CBC}MultiplierFactorNumeric": number("percentage"),
    f"{CBC}Amount": amount("amount"),
    f"{CBC}BaseAmount": amount("base_amount"),
    f"{CBC}AccountingCost": text("accounting_cost"),
    f"{CAC}TaxCategory": one("vat", read_category),
}


def read_allowance_charge(element: Element, context: Context) -> AllowanceCharge:
    """BG-20, BG-21, BG-27, BG-28."""
    values = read_into(element, _ALLOWANCE_CHARGE, {}, context)
    require(element, values, "is_charge", "cbc:ChargeIndicator")
    require(element, values, "amount", "cbc:Amount")
    return AllowanceCharge(**values)


@dataclass(slots=True)
class Subtotal:
    """One cac:TaxSubtotal as written."""

    element: Element
    vat_amount: Decimal
    taxable_amount: Decimal | None = None
    percent: Decimal | None = None
    vat: VatCategory | None = None


@dataclass(slots=True)
class TaxTotal:
    """One cac:TaxTotal as written."""

    element: Element
    vat_amount: Decimal
    currency: str
    subtotals: tuple[Subtotal, ...] = ()


_SUBTOTAL: Table = {
    f"{CBC}TaxableAmount": amount("taxable_amount"),
    f"{CBC}TaxAmount": amount("vat_amount"),
    f"{CBC}Percent": number("percent"),
    f"{CAC}TaxCategory": one("vat", read_category),
}


def _read_subtotal(element: Element, context: Context) -> Subtotal:
    values = read_into(element, _SUBTOTAL, {}, context)
    require(element, values, "vat_amount", "cbc:TaxAmount")
    return Subtotal(element, **values)


def _total_amount(element: Element, values: Values, context: Context) -> None:
    """BT-110 or BT-111: the currency decides which, so it is kept here instead of noted as foreign."""
    if "vat_amount" in values:
        context.skip(element)
        return
    values["vat_amount"] = decimal_of(element)
    values["currency"] = element.get("currencyID", "")
    context.skip_attributes(element, ("currencyID",))


_TAX_TOTAL: Table = {
    f"{CBC}TaxAmount": _total_amount,
    f"{CAC}TaxSubtotal": many("subtotals", _read_subtotal),
}


def read_tax_total(element: Element, context: Context) -> TaxTotal:
    """Of the document or, in older Belgian files, of a line."""
    values = read_into(element, _TAX_TOTAL, {}, context)
    require(element, values, "vat_amount", "cbc:TaxAmount")
    return TaxTotal(element, values["vat_amount"], values["currency"], tuple(values.get("subtotals", ())))


_MONETARY_TOTAL: Table = {
    f"{CBC}LineExtensionAmount": amount("lines"),
    f"{CBC}TaxExclusiveAmount": amount("net"),
    f"{CBC}TaxInclusiveAmount": amount("gross"),
    f"{CBC}AllowanceTotalAmount": amount("allowances"),
    f"{CBC}ChargeTotalAmount": amount("charges"),
    f"{CBC}PrepaidAmount": amount("prepaid"),
    f"{CBC}PayableRoundingAmount": amount("rounding"),
    f"{CBC}PayableAmount": amount("payable"),
}


def read_monetary_total(element: Element, context: Context) -> Values:
    """BG-22 as written; `fallbacks.py` completes it."""
    values = read_into(element, _MONETARY_TOTAL, {}, context)
    require(element, values, "payable", "cbc:PayableAmount")
    return values
