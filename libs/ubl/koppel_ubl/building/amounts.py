"""The arithmetic of EN 16931: each line is rounded once, VAT once per rate, and sums are not rounded again.

Ties are rounded away from zero, as in commerce. Belgium requires the same: VAT is rounded on the total per rate, never per line
(Royal Decree of 8 July 2025).
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

from koppel_ubl.errors import WriteError
from koppel_ubl.model import AllowanceCharge, Line, Totals, VatCategory, VatSubtotal

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")
_EXEMPTIONS: Final = {"AE": "VATEX-EU-AE", "K": "VATEX-EU-IC", "G": "VATEX-EU-G", "O": "VATEX-EU-O"}
"""Categories that have one reason only (BR-AE-10, BR-IC-10, BR-G-10, BR-O-10); E has many, and must state which."""


def rounded(amount: Decimal) -> Decimal:
    """Return the amount in cents.

    Raises:
        WriteError: it is no number, or has more digits than any amount.
    """
    try:
        return amount.quantize(CENT, ROUND_HALF_UP)
    except InvalidOperation:
        raise WriteError("invalid_number", f"{amount} is no amount.", "amount") from None


def line_net(line: Line) -> Decimal | None:
    """Return BT-131: quantity times price, with the line's allowances and charges (PEPPOL-EN16931-R120); None without a price."""
    if line.price is None or line.price.net is None:
        return None
    quantity = Decimal(1) if line.quantity is None else line.quantity
    gross = quantity * line.price.net / (line.price.base_quantity or Decimal(1))
    return rounded(gross + sum((one.signed_amount for one in line.allowances_charges), ZERO))


def vat_breakdown(lines: Iterable[Line], allowances_charges: Iterable[AllowanceCharge]) -> tuple[VatSubtotal, ...]:
    """Return BG-23: one for each category and rate (BR-S-08 and its family), its tax rounded once (BR-CO-17).

    Raises:
        WriteError: lines of one category give several reasons of exemption.
    """
    parts = [(line.vat, line.net or ZERO) for line in lines]
    parts += [(one.vat, one.signed_amount) for one in allowances_charges if one.vat is not None]
    groups: dict[tuple[str | None, Decimal | None], list[tuple[VatCategory, Decimal]]] = {}
    for vat, amount in parts:
        groups.setdefault((vat.category, vat.rate), []).append((vat, amount))
    return tuple(_subtotal(category, rate, group) for (category, rate), group in groups.items())


def _subtotal(category: str | None, rate: Decimal | None, group: list[tuple[VatCategory, Decimal]]) -> VatSubtotal:
    taxable = sum((amount for _, amount in group), ZERO)
    reason = _only((vat.exemption_reason for vat, _ in group), category)
    code = _only((vat.exemption_code for vat, _ in group), category)
    if code is None and reason is None:
        code = _EXEMPTIONS.get(category or "")
    return VatSubtotal(
        category=category,
        rate=rate,
        taxable=taxable,
        tax=rounded(taxable * (rate or ZERO) / 100),
        exemption_code=code,
        exemption_reason=reason,
    )


def _only(reasons: Iterable[str | None], category: str | None) -> str | None:
    """Return the one reason there is: a category has one breakdown (BR-E-01), and that has room for one.

    Raises:
        WriteError: there are several, of which all but one would be lost.
    """
    found = list(dict.fromkeys(reason for reason in reasons if reason))
    if len(found) > 1:
        sentence = (
            f"Category {category} has one breakdown with one reason: put {' and '.join(found)} in one text, or split."
        )
        raise WriteError("exemption", sentence, "lines")
    return found[0] if found else None


def without_exemption(vat: VatCategory) -> VatCategory:
    """Return the category as lines state it: only the breakdown states why there is no VAT."""
    return replace(vat, exemption_code=None, exemption_reason=None)


def totals(
    lines: Iterable[Line], allowances_charges: Iterable[AllowanceCharge], vat_total: Decimal, stated: Totals
) -> Totals:
    """Return BG-22 (BR-CO-10 … BR-CO-16); what was paid and what is rounded off is kept as ``stated``."""
    items = tuple(allowances_charges)
    sum_of_lines = sum((line.net or ZERO for line in lines), ZERO)
    allowances = [one.amount for one in items if not one.is_charge]
    charges = [one.amount for one in items if one.is_charge]
    without_vat = sum_of_lines - sum(allowances, ZERO) + sum(charges, ZERO)
    with_vat = without_vat + vat_total
    return Totals(
        lines=sum_of_lines,
        allowances=sum(allowances, ZERO) if allowances else None,
        charges=sum(charges, ZERO) if charges else None,
        without_vat=without_vat,
        with_vat=with_vat,
        prepaid=stated.prepaid,
        rounding=stated.rounding,
        payable=with_vat - (stated.prepaid or ZERO) + (stated.rounding or ZERO),
    )
