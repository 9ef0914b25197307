"""Amounts including VAT: the base and the VAT within them, and what is paid of them in cash."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
CASH_STEP = Decimal("0.05")
_RATE_EXPONENT_MAX = 10
OUTSIDE_SCOPE = "O"
"""The VAT category of what is no supply, as EN 16931 codes it."""


@dataclass(frozen=True, slots=True)
class VatSplit:
    """What an amount including VAT is made of; the two add up to it."""

    base: Decimal
    vat: Decimal


def split_vat(amount: Decimal, rate: Decimal) -> VatSplit:
    """Return the base and the VAT within an amount.

    Args:
        amount: including VAT, in cents; may be negative.
        rate: in percent.

    The base is rounded half up (away from zero), the VAT is the rest.
    """
    base = (amount * 100 / (100 + rate)).quantize(CENT, ROUND_HALF_UP)
    return VatSplit(base, amount - base)


def round_cash(amount: Decimal) -> Decimal:
    """Return what is paid in cash of an amount: the nearest multiple of 0.05 (Belgian Code of Economic Law, art. VI.7/1)."""
    return (amount / CASH_STEP).quantize(Decimal(1), ROUND_HALF_UP) * CASH_STEP


def totals_key(vat_category: str, vat_rate: Decimal) -> str:
    """Return under what a line counts in the running totals: ``S:21``; a category without a rate by itself, such as ``E``.

    Raises:
        ValueError: it is no rate. Some characters in a file, such as 1e999999999, would be written out without end.
    """
    if abs(vat_rate.adjusted()) > _RATE_EXPONENT_MAX:
        raise ValueError("a VAT rate is a percentage")
    return f"{vat_category}:{vat_rate.normalize():f}" if vat_rate else vat_category


def written(amount: Decimal) -> str:
    """Return an amount as it stands in an entry: with two decimals, and no sign before zero."""
    return f"{amount.quantize(CENT) + 0:f}"
