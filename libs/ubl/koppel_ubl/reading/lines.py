"""Lines (BG-25) with their price (BG-29), VAT (BG-30) and item (BG-31)."""

from koppel_ubl.model import Item, Line, Period, Price, Property, VatCategory, VatSubtotal
from koppel_ubl.parties import Identifier

from . import vat
from .node import Node


def lines(document: Node, breakdown: tuple[VatSubtotal, ...]) -> tuple[Line, ...]:
    """Read every line of an invoice or credit note."""
    only = breakdown[0] if len(breakdown) == 1 else None
    read = [_line(node, "InvoicedQuantity", only) for node in document.nodes("InvoiceLine")]
    read += [_line(node, "CreditedQuantity", only) for node in document.nodes("CreditNoteLine")]
    return tuple(read)


def period(node: Node | None) -> Period | None:
    """Read the dates of a period."""
    if node is None:
        return None
    read = Period(start=node.day("StartDate"), end=node.day("EndDate"))
    node.done()
    return read


def _line(node: Node, quantity_name: str, only: VatSubtotal | None) -> Line:
    quantity, unit = node.number_with(quantity_name, "unitCode")
    order_line, order = _order(node.node("OrderLineReference"))
    item, classified = _item(node.node("Item"))
    own = vat.totals(node, None, None).breakdown
    return Line(
        id=node.text("ID"),
        notes=node.texts("Note"),
        object=_object(node),
        quantity=quantity,
        unit=unit,
        net=node.number("LineExtensionAmount"),
        accounting_cost=node.text("AccountingCost") or node.text("AccountingCostCode"),
        order_line=order_line,
        order=order,
        period=period(node.node("InvoicePeriod")),
        allowances_charges=vat.allowances_charges(node),
        item=item,
        vat=_vat(classified, own[0] if len(own) == 1 else only),
        price=_price(node.node("Price")),
    )


def _vat(classified: VatCategory, fallback: VatSubtotal | None) -> VatCategory:
    if classified.category is not None or fallback is None:
        return classified
    return VatCategory(
        category=fallback.category,
        rate=fallback.rate if classified.rate is None else classified.rate,
        exemption_code=fallback.exemption_code,
        exemption_reason=fallback.exemption_reason,
        name=classified.name or fallback.name,
    )


def _item(node: Node | None) -> tuple[Item, VatCategory]:
    if node is None:
        return Item(), VatCategory()
    descriptions = node.texts("Description")
    classified = [vat.category(one) for one in node.nodes("ClassifiedTaxCategory")]
    origin = node.node("OriginCountry")
    country = None
    if origin is not None:
        country = origin.text("IdentificationCode")
        origin.done()
    item = Item(
        name=node.text("Name"),
        description=" ".join(descriptions) or None,
        seller_id=_id_in(node, "SellersItemIdentification"),
        buyer_id=_id_in(node, "BuyersItemIdentification"),
        standard_id=_scheme_id_in(node, "StandardItemIdentification"),
        classifications=tuple(
            code for one in node.nodes("CommodityClassification") if (code := one.identifier("ItemClassificationCode"))
        ),
        origin_country=country,
        properties=tuple(
            Property(name=one.text("Name") or "", value=one.text("Value") or "")
            for one in node.nodes("AdditionalItemProperty")
        ),
    )
    node.done()
    return item, classified[0] if classified else VatCategory()


def _price(node: Node | None) -> Price | None:
    if node is None:
        return None
    base_quantity, base_unit = node.number_with("BaseQuantity", "unitCode")
    discounts = vat.allowances_charges(node)
    discount = next((one for one in discounts if not one.is_charge), None)
    read = Price(
        net=node.number("PriceAmount"),
        gross=discount.base if discount else None,
        discount=discount.amount if discount else None,
        base_quantity=base_quantity,
        base_unit=base_unit,
    )
    node.done()
    return read


def _order(node: Node | None) -> tuple[str | None, str | None]:
    if node is None:
        return None, None
    line = node.text("LineID")
    order_node = node.node("OrderReference")
    order = None
    if order_node is not None:
        order = order_node.text("ID")
        order_node.done()
    node.done()
    return line, order


def _object(line: Node) -> Identifier | None:
    found = None
    for one in line.nodes("DocumentReference"):
        code = one.text("DocumentTypeCode")
        if code in {"130", None}:
            found = found or one.identifier("ID")
    return found


def _id_in(item: Node, name: str) -> str | None:
    identifier = _scheme_id_in(item, name)
    return identifier.value if identifier else None


def _scheme_id_in(item: Node, name: str) -> Identifier | None:
    node = item.node(name)
    if node is None:
        return None
    identifier = node.identifier("ID")
    node.done()
    return identifier
