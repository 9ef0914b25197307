"""What older and careless files leave out, filled in from what they do say; each filling is listed in `document.derived`.

Only what follows by arithmetic (EN 16931 BR-CO-10, -13, -15, -16) or from the single thing it can mean; never a guess.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from koppel_ubl.model.lines import Line
from koppel_ubl.model.money import ZERO, AllowanceCharge, Totals, VatBreakdown, VatCategory
from koppel_ubl.reading.money import Subtotal, TaxTotal
from koppel_ubl.reading.rules import Context, Values, fail

_CENT = Decimal("0.01")


def category_of(subtotal: Subtotal, context: Context) -> VatCategory:
    """The category of a subtotal; its rate from the category, else beside it (e-FFF), else VAT divided by base."""
    category = subtotal.vat or VatCategory("")
    if category.rate is None and category.code != "O":
        rate = subtotal.percent if subtotal.percent is not None else _rate_from_amounts(subtotal)
        if rate is not None:
            context.derived.append("vat.rate")
            category = replace(category, rate=rate)
    if not category.code and category.rate:
        context.derived.append("vat.code")
        category = replace(category, code="S")  # a rate above zero has no other category in Belgium
    return category


def _rate_from_amounts(subtotal: Subtotal) -> Decimal | None:
    """A whole percentage that explains the VAT to the cent; None when none does."""
    base = subtotal.taxable_amount
    if not base:
        return None
    rate = (subtotal.vat_amount / base * 100).quantize(Decimal(1), ROUND_HALF_UP)
    explained = (base * rate / 100).quantize(_CENT, ROUND_HALF_UP)
    return rate if abs(explained - subtotal.vat_amount) <= _CENT else None


def breakdown_of(
    tax_totals: Sequence[TaxTotal], lines: Sequence[Line], entries: Sequence[AllowanceCharge], context: Context
) -> tuple[VatBreakdown, ...]:
    """BG-23 from the VAT total that has subtotals; of a second one nothing is lost: it is listed as unread."""
    rows: list[VatBreakdown] = []
    with_subtotals = [total for total in tax_totals if total.subtotals]
    for total in with_subtotals[1:]:
        context.skip(total.element)
    for subtotal in with_subtotals[0].subtotals if with_subtotals else ():
        category = category_of(subtotal, context)
        taxable = subtotal.taxable_amount
        if taxable is None:
            context.derived.append("vat_breakdown.taxable_amount")
            taxable = _taxable(category, lines, entries)
        rows.append(VatBreakdown(taxable, subtotal.vat_amount, category))
    return tuple(rows)


def _taxable(category: VatCategory, lines: Sequence[Line], entries: Sequence[AllowanceCharge]) -> Decimal:
    own = sum((line.net_amount for line in lines if line.vat is not None and line.vat.key == category.key), ZERO)
    return own + sum((e.signed_amount for e in entries if e.vat is not None and e.vat.key == category.key), ZERO)


def complete_lines(lines: Sequence[Line], breakdown: Sequence[VatBreakdown], context: Context) -> tuple[Line, ...]:
    """A line without a category takes the only one the document has."""
    if len(breakdown) != 1 or all(line.vat is not None for line in lines):
        return tuple(lines)
    context.derived.append("lines.vat")
    only = breakdown[0].vat
    return tuple(line if line.vat is not None else replace(line, vat=only) for line in lines)


def totals_of(written: Values, tax_totals: Sequence[TaxTotal], lines: Sequence[Line], context: Context) -> Totals:
    """BG-22, its missing sums computed as the standard defines them."""
    values = dict(written)
    vat, in_tax_currency = _vat_totals(tax_totals, context)
    values["vat"], values["vat_in_tax_currency"] = vat, in_tax_currency
    if "gross" not in values:  # BR-CO-16 turned round
        values["gross"] = values["payable"] + values.get("prepaid", ZERO) - values.get("rounding", ZERO)
        context.derived.append("totals.gross")
    if "net" not in values:  # BR-CO-15 turned round
        values["net"] = values["gross"] - vat
        context.derived.append("totals.net")
    if "lines" not in values:  # BR-CO-10
        values["lines"] = sum((line.net_amount for line in lines), ZERO)
        context.derived.append("totals.lines")
    return Totals(**values)


def _vat_totals(tax_totals: Sequence[TaxTotal], context: Context) -> tuple[Decimal, Decimal | None]:
    """BT-110 and BT-111, told apart by currency; among equals the one with a breakdown goes first."""
    own: TaxTotal | None = None
    other: TaxTotal | None = None
    for total in sorted(tax_totals, key=lambda total: not total.subtotals):
        is_own = total.currency in {context.currency, ""}
        if is_own and own is None:
            own = total
        elif not is_own and other is None:
            other = total
        elif not total.subtotals:
            context.skip(total.element)
    if own is None and other is not None and other.subtotals:
        raise fail(
            other.element, f"the VAT total is in {other.currency[:10]}, not in the document's currency", "structure"
        )
    return (own.vat_amount if own else ZERO), (other.vat_amount if other else None)
