"""Lines (BG-25) with their price (BG-29), VAT (BG-30) and item (BG-31)."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from lxml import etree

from koppel_ubl.model import (
    NO_VAT,
    AllowanceCharge,
    Classification,
    Item,
    Line,
    Period,
    Price,
    Property,
    VatCategory,
    VatSubtotal,
)

from .aggregate import (
    CAC,
    CBC,
    Aggregate,
    Entry,
    Notes,
    Values,
    aggregate,
    aggregate_of,
    amount,
    built,
    day,
    identifier,
    into,
    joined,
    many,
    number_with,
    one,
    required,
    sole,
    text,
    text_with,
    texts,
)
from .money import ALLOWANCE_CHARGE, CATEGORY, SUBTOTAL
from .references import INVOICED_OBJECT, OBJECT

_TAX_TOTAL = aggregate(required(amount("cbc:TaxAmount", "tax")), many("cac:TaxSubtotal", "subtotals", SUBTOTAL))
PERIOD = aggregate_of(Period, day("cbc:StartDate", "start"), day("cbc:EndDate", "end"))
_ITEM_FIELDS = tuple(each.name for each in fields(Item))
_LINE_FIELDS = tuple(each.name for each in fields(Line))


def _property(values: Values, _element: etree._Element, _notes: Notes) -> Property:
    return Property(name=values.get("name", ""), value=values.get("value", ""))


_PROPERTY = aggregate_of(Property, required(text("cbc:Name", "name")), text("cbc:Value", "value"), make=_property)


def _classification(values: Values, element: etree._Element, notes: Notes) -> Classification | None:
    if "value" not in values:
        notes.skip(element)
        return None
    return built(Classification, values)


_CLASSIFICATION = aggregate_of(
    Classification,
    text_with("cbc:ItemClassificationCode", "value", listID="scheme", listVersionID="version"),
    make=_classification,
)


def _item(values: Values, _element: etree._Element, _notes: Notes) -> tuple[Item, VatCategory]:
    vat = values.pop("vat", NO_VAT)
    if "classifications" in values:
        values["classifications"] = tuple(one for one in values["classifications"] if one is not None)
    if "properties" in values:
        values["properties"] = tuple(values["properties"])
    return built(Item, values), vat


def _of_item(both: tuple[Item, VatCategory]) -> Mapping[str, Any]:
    item, vat = both
    values = {name: getattr(item, name) for name in _ITEM_FIELDS}
    values["vat"] = None if vat == NO_VAT else vat
    return values


ITEM = Aggregate(
    (
        joined("cbc:Description", "description"),
        text("cbc:Name", "name"),
        sole("cac:BuyersItemIdentification", "cbc:ID", "buyer_id"),
        sole("cac:SellersItemIdentification", "cbc:ID", "seller_id"),
        into("cac:StandardItemIdentification", aggregate(identifier("cbc:ID", "standard_id"))),
        sole("cac:OriginCountry", "cbc:IdentificationCode", "origin_country"),
        many("cac:CommodityClassification", "classifications", _CLASSIFICATION),
        one("cac:ClassifiedTaxCategory", "vat", CATEGORY),
        many("cac:AdditionalItemProperty", "properties", _PROPERTY),
    ),
    _item,
    _of_item,
)


_NO_PART_OF_A_PRICE = (
    f"{CAC}AllowanceCharge/{CBC}AllowanceChargeReasonCode",
    f"{CAC}AllowanceCharge/{CBC}AllowanceChargeReason",
    f"{CAC}AllowanceCharge/{CBC}MultiplierFactorNumeric",
    f"{CAC}AllowanceCharge/{CBC}AccountingCost",
    f"{CAC}AllowanceCharge/{CAC}TaxCategory",
)


def _price(values: Values, element: etree._Element, notes: Notes) -> Price:
    if "reduction" in values:
        reduction: AllowanceCharge = values.pop("reduction")
        if reduction.is_charge:
            notes.skip_below(element, CAC + "AllowanceCharge")
        else:
            values["gross"], values["discount"] = reduction.base, reduction.amount
            notes.skip_below(element, *_NO_PART_OF_A_PRICE)
    return built(Price, values)


def _of_price(price: Price) -> Mapping[str, Any]:
    values: Values = {name: getattr(price, name) for name in ("net", "base_quantity", "base_unit")}
    discount = price.discount
    if discount is None and price.gross is not None and price.net is not None:
        discount = price.gross - price.net
    if discount is not None:
        values["reduction"] = AllowanceCharge(is_charge=False, amount=discount, base=price.gross)
    return values


PRICE = Aggregate(
    (
        required(amount("cbc:PriceAmount", "net")),
        number_with("cbc:BaseQuantity", "base_quantity", unitCode="base_unit"),
        one("cac:AllowanceCharge", "reduction", ALLOWANCE_CHARGE),
    ),
    _price,
    _of_price,
)


def _line(values: Values, element: etree._Element, notes: Notes) -> Line:
    item: tuple[Item, VatCategory] | None = values.pop("item", None)
    vat = NO_VAT
    if item is not None:
        values["item"], vat = item
    if "objects" in values:
        _object(values, element, notes)
    if "tax_totals" in values:
        vat = _own_vat(values, vat, element, notes)
    if "notes" in values:
        values["notes"] = tuple(values["notes"])
    if "allowances_charges" in values:
        values["allowances_charges"] = tuple(values["allowances_charges"])
    if "accounting_code" in values:
        code = values.pop("accounting_code")
        if values.setdefault("accounting_cost", code) != code:
            notes.skip_below(element, "{*}AccountingCostCode")
    values["vat"] = vat
    return built(Line, values)


def _object(values: Values, element: etree._Element, notes: Notes) -> None:
    """BT-128 is the reference with type 130; one without a type is what older documents write."""
    elements: list[etree._Element] = []
    for position, found in enumerate(values.pop("objects")):
        if found.get("type_code") in {INVOICED_OBJECT, None} and "object" not in values:
            values["object"] = found.get("id")
        else:
            elements = elements or element.findall(CAC + "DocumentReference")  # once: there may be very many
            notes.skip(elements[position])


def _own_vat(values: Values, vat: VatCategory, element: etree._Element, notes: Notes) -> VatCategory:
    """Take VAT from the line's own total where the item has none (e-FFF); another total goes to ``unmapped``."""
    first, *others = values.pop("tax_totals")
    values["vat_amount"] = first.get("tax")
    for total in element.findall(CAC + "TaxTotal")[1:] if others else ():
        notes.skip(total)
    subtotals: list[VatSubtotal] = first.get("subtotals", [])
    if len(subtotals) == 1:
        vat = vat_with(vat, subtotals[0])
    if subtotals and not (len(subtotals) == 1 and _repeats(subtotals[0], vat, values, element)):
        notes.skip_below(element, _SUBTOTAL)
    return vat


_SUBTOTAL = f"{CAC}TaxTotal/{CAC}TaxSubtotal"


def _repeats(one: VatSubtotal, vat: VatCategory, values: Values, element: etree._Element) -> bool:
    """Return whether the breakdown of one line only repeats what the line states."""
    same = (getattr(one, each.name) in {None, getattr(vat, each.name)} for each in fields(VatCategory))
    has_taxable = element.find(f"{_SUBTOTAL}/{CBC}TaxableAmount") is not None
    return all(same) and one.tax == values["vat_amount"] and (not has_taxable or one.taxable == values.get("net"))


def vat_with(vat: VatCategory, fallback: VatSubtotal) -> VatCategory:
    """Return ``vat``, filled in from a subtotal where it has no value."""
    if vat.category is not None:
        return vat
    return VatCategory(
        category=fallback.category,
        rate=fallback.rate if vat.rate is None else vat.rate,
        exemption_code=fallback.exemption_code,
        exemption_reason=fallback.exemption_reason,
        name=vat.name or fallback.name,
    )


def _of_line(line: Line) -> Mapping[str, Any]:
    values = {name: getattr(line, name) for name in _LINE_FIELDS}
    values["item"] = (line.item, line.vat)
    values["objects"] = ({"id": line.object, "type_code": INVOICED_OBJECT},) if line.object else ()
    values["tax_totals"] = ({"tax": line.vat_amount},) if line.vat_amount is not None else ()
    return values


def line(quantity: str, *, is_credit: bool) -> Aggregate:
    """Return the aggregate of a line; the schema has VAT and allowances the other way round in a credit note."""
    taxes: list[Entry] = [
        many("cac:AllowanceCharge", "allowances_charges", ALLOWANCE_CHARGE),
        many("cac:TaxTotal", "tax_totals", _TAX_TOTAL),
    ]
    if is_credit:
        taxes.reverse()
    order = aggregate(required(text("cbc:LineID", "order_line")), sole("cac:OrderReference", "cbc:ID", "order"))
    entries = (
        required(text("cbc:ID", "id")),
        texts("cbc:Note", "notes"),
        number_with(quantity, "quantity", unitCode="unit"),
        required(amount("cbc:LineExtensionAmount", "net")),
        text("cbc:AccountingCostCode", "accounting_code", read_only=True),
        text("cbc:AccountingCost", "accounting_cost"),
        one("cac:InvoicePeriod", "period", PERIOD),
        into("cac:OrderLineReference", order),
        many("cac:DocumentReference", "objects", OBJECT),
        *taxes,
        required(one("cac:Item", "item", ITEM)),
        one("cac:Price", "price", PRICE),
    )
    return Aggregate(entries, _line, _of_line)


INVOICE_LINE = line("cbc:InvoicedQuantity", is_credit=False)
CREDIT_NOTE_LINE = line("cbc:CreditedQuantity", is_credit=True)
