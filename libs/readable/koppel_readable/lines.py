"""From a line of a document to a row of its table: what was sold, and under it whatever else the line says."""

from typing import Any

from koppel_ubl import AllowanceCharge, Line, Period, Price

from .formats import format_amount, format_date, format_number, format_percent
from .labels import UNITS, Language, label, say


def line(one: Line, language: Language) -> dict[str, Any]:
    """Return the row: numbers as texts, ``details`` in small letters under the name, ``changes`` with their amounts."""
    item = one.item
    return {
        "id": one.id or "",
        "description": item.name or item.description or "",
        "details": _details(one, language),
        "changes": [_change(change, language) for change in one.allowances_charges],
        "quantity": format_number(one.quantity, language),
        "unit": unit_text(one.unit, language),
        "price": format_amount(one.price.net, language) if one.price else "",
        "per": _per(one.price, one.unit, language),
        "vat": format_percent(one.vat.rate, language),
        "category": one.vat.category if one.vat.category and one.vat.category != "S" else "",
        "net": format_amount(one.net, language),
    }


def unit_text(code: str | None, language: Language) -> str:
    """Return a unit as people write it, an unusual one by its code."""
    if code is None:
        return ""
    return say(UNITS[code], language) if code in UNITS else code


def period_text(period: Period | None, language: Language) -> str:
    """Return a period as text; either end may be open."""
    if period is None:
        return ""
    start, end = format_date(period.start, language), format_date(period.end, language)
    if start and end:
        return start if start == end else f"{start} – {end}"
    if start:
        return f"{label('from', language)} {start}"
    return f"{label('until', language)} {end}" if end else ""


def allowance_text(one: AllowanceCharge, language: Language) -> str:
    """Return what an allowance or charge is, and why where its reason says more than that."""
    name = label("charge" if one.is_charge else "allowance", language)
    reason = one.reason or one.reason_code
    return f"{name}: {reason}" if reason and reason.casefold() != name.casefold() else name


def _details(one: Line, language: Language) -> list[str]:
    item = one.item
    labelled = {
        "article": item.seller_id or (item.standard_id.value if item.standard_id else None),
        "your_article": item.buyer_id,
        "order": one.order,
        "order_line": one.order_line,
        "period": period_text(one.period, language),
        "object": one.object.value if one.object else None,
        "accounting_cost": one.accounting_cost,
        "discount_in_price": _discount(one.price, language),
    }
    texts = [item.description if item.name else None, *one.notes]
    references = " · ".join(f"{label(name, language)} {value}" for name, value in labelled.items() if value)
    properties = " · ".join(f"{pair.name}: {pair.value}" for pair in item.properties)
    return [text for text in (*texts, references, properties) if text and text != item.name]


def _discount(price: Price | None, language: Language) -> str:
    if price is None or not price.discount:
        return ""
    gross = f" {label('of_base', language)} {format_amount(price.gross, language)}" if price.gross is not None else ""
    return format_amount(price.discount, language) + gross


def _per(price: Price | None, unit: str | None, language: Language) -> str:
    """Return the quantity that the price is for, where that is not one unit."""
    if price is None or price.base_quantity is None or price.base_quantity == 1:
        return ""
    quantity = format_number(price.base_quantity, language)
    return " ".join(filter(None, (label("per", language), quantity, unit_text(price.base_unit or unit, language))))


def _change(one: AllowanceCharge, language: Language) -> dict[str, str]:
    """Return an allowance or charge of the line, which its net amount holds already."""
    percent = format_percent(one.percent, language)
    return {
        "description": " ".join(filter(None, (allowance_text(one, language), percent))),
        "amount": format_amount(one.signed_amount, language),
    }
