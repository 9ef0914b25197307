"""Tables for lines, items and prices."""

from typing import Any

from koppel_ubl.model.basics import Period, Quantity
from koppel_ubl.model.lines import Classification, Item, ItemProperty, Line, Price
from koppel_ubl.reading.fallbacks import category_of
from koppel_ubl.reading.money import read_allowance_charge, read_category, read_tax_total
from koppel_ubl.reading.rules import (
    CAC,
    CBC,
    Context,
    Element,
    Rule,
    Table,
    Values,
    amount,
    day,
    decimal_of,
    identifier,
    into,
    many,
    one,
    read_into,
    require,
    text,
    text_of,
    tuples,
)


def _quantity(field: str) -> Rule:
    def rule(element: Element, values: Values, context: Context) -> None:
        if field in values:
            context.skip(element)
            return
        values[field] = Quantity(decimal_of(element), element.get("unitCode"))
        if len(element.keys()) > 1:
            context.skip_attributes(element, ("unitCode",))

    return rule


_PERIOD: Table = {f"{CBC}StartDate": day("start_on"), f"{CBC}EndDate": day("end_on")}


def _read_period(element: Element, context: Context) -> Period:
    return Period(**read_into(element, _PERIOD, {}, context))


def _classification(element: Element, values: Values, context: Context) -> None:
    code = text_of(element)
    if code:
        entry = Classification(code, element.get("listID"), element.get("listVersionID"))
        values.setdefault("classifications", []).append(entry)
    context.skip_attributes(element, ("listID", "listVersionID"))


_PROPERTY: Table = {f"{CBC}Name": text("name"), f"{CBC}Value": text("value")}


def _read_property(element: Element, context: Context) -> ItemProperty:
    values: dict[str, Any] = {"name": "", "value": ""}
    values.update(read_into(element, _PROPERTY, {}, context))
    return ItemProperty(**values)


_ITEM: Table = {
    f"{CBC}Name": text("name"),
    f"{CBC}Description": text("description"),
    f"{CAC}SellersItemIdentification": into({f"{CBC}ID": text("seller_id")}),
    f"{CAC}BuyersItemIdentification": into({f"{CBC}ID": text("buyer_id")}),
    f"{CAC}StandardItemIdentification": into({f"{CBC}ID": identifier("standard_id")}),
    f"{CAC}CommodityClassification": into({f"{CBC}ItemClassificationCode": _classification}),
    f"{CAC}OriginCountry": into({f"{CBC}IdentificationCode": text("origin_country")}),
    f"{CAC}AdditionalItemProperty": many("properties", _read_property),
    f"{CAC}ClassifiedTaxCategory": one("vat", read_category),
}


def _item(element: Element, values: Values, context: Context) -> None:
    """BG-31, and BG-30 which UBL keeps inside it."""
    if "item" in values:
        context.skip(element)
        return
    found = read_into(element, _ITEM, {}, context)
    if "vat" in found:
        values["vat"] = found.pop("vat")
    found.setdefault("name", "")
    values["item"] = Item(**tuples(found, "classifications", "properties"))


_DISCOUNT: Table = {
    f"{CBC}ChargeIndicator": text("indicator"),
    f"{CBC}Amount": amount("discount"),
    f"{CBC}BaseAmount": amount("gross"),
}


def _discount(element: Element, values: Values, context: Context) -> None:
    """BT-147 and BT-148; a charge at price level has no place in EN 16931 (Peppol rule R044)."""
    found = read_into(element, _DISCOUNT, {}, context)
    if found.pop("indicator", "false") in {"true", "1"} or "discount" in values or "gross" in values:
        context.skip(element)
    else:
        values.update(found)


_PRICE: Table = {
    f"{CBC}PriceAmount": amount("net"),
    f"{CBC}BaseQuantity": _quantity("base_quantity"),
    f"{CAC}AllowanceCharge": _discount,
}


def _read_price(element: Element, context: Context) -> Price:
    values = read_into(element, _PRICE, {}, context)
    require(element, values, "net", "cbc:PriceAmount")
    return Price(**values)


def _object_reference(element: Element, values: Values, context: Context) -> None:
    """BT-128: a document reference of type 130; others have no business term."""
    found: dict[str, Any] = read_into(element, _OBJECT, {}, context)
    if found.get("type_code") not in {None, "130"} or "object_id" in values or "id" not in found:
        context.skip(element)
    else:
        values["object_id"] = found["id"]


_OBJECT: Table = {f"{CBC}ID": identifier("id"), f"{CBC}DocumentTypeCode": text("type_code")}
_LINE: Table = {
    f"{CBC}ID": text("id"),
    f"{CBC}Note": text("note"),
    f"{CBC}InvoicedQuantity": _quantity("quantity"),
    f"{CBC}CreditedQuantity": _quantity("quantity"),
    f"{CBC}LineExtensionAmount": amount("net_amount"),
    f"{CBC}AccountingCost": text("accounting_cost"),
    f"{CAC}InvoicePeriod": one("period", _read_period),
    f"{CAC}OrderLineReference": into({f"{CBC}LineID": text("order_line")}),
    f"{CAC}DocumentReference": _object_reference,
    f"{CAC}AllowanceCharge": many("allowances_charges", read_allowance_charge),
    f"{CAC}TaxTotal": one("tax_total", read_tax_total),
    f"{CAC}Item": _item,
    f"{CAC}Price": one("price", _read_price),
}


def read_line(element: Element, context: Context) -> Line:
    """BG-25. A line without a category takes the one of its own tax total, as e-FFF writes it."""
    values = read_into(element, _LINE, {}, context)
    require(element, values, "net_amount", "cbc:LineExtensionAmount")
    total = values.pop("tax_total", None)
    if total is not None:
        values["vat_amount"] = total.vat_amount
        if "vat" not in values and len(total.subtotals) == 1:
            values["vat"] = category_of(total.subtotals[0], context)
            context.derived.append("lines.vat")
    values.setdefault("id", "")
    values.setdefault("item", Item(""))
    return Line(**tuples(values, "allowances_charges"))
