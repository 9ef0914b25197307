"""Amounts to the cent: rounding, writing them down, and spreading a total over lines.

Belgium rounds VAT once, on the total per rate (Royal Decree of 8 July 2025); ledgers round per line unless they are told
the amount. So each rate's VAT is spread over its lines such that the sum is exact.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Final

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")
# Long enough that no amount of a document, 20 digits and 40 decimals, nor a share of it loses a digit on its way to the cent.
_CONTEXT: Final = Context(prec=100)


def rounded(value: Decimal) -> Decimal:
    """Round an amount to the cent, halves away from zero."""
    return value.quantize(CENT, ROUND_HALF_UP, _CONTEXT)


def negated(value: Decimal) -> Decimal:
    """Return an amount with the other sign; a minus alone keeps no more than 28 digits."""
    return _CONTEXT.minus(value)


def total_of_all(values: Iterable[Decimal]) -> Decimal:
    """Return the sum, every digit kept."""
    with localcontext(_CONTEXT):
        return sum(values, Decimal(0))


def percent_of(value: Decimal, percent: Decimal) -> Decimal:
    """Return a percentage of an amount, to the cent."""
    with localcontext(_CONTEXT):
        return rounded(value * percent / 100)


def plain(value: Decimal) -> str:
    """Return a number as decimal text without exponent, as every body and message carries it."""
    return format(value, "f")


def spread(total: Decimal, weights: Sequence[Decimal], rate: Decimal | None = None) -> list[Decimal]:
    """Split ``total`` over ``weights`` in cents: each within one cent of its share, the sum exactly ``total``.

    Largest remainder; the earlier line wins a tie, so the same document is always spread the same way. No part has another
    sign than its exact share, for some ledgers (Octopus) refuse a line whose base and VAT have opposite signs.

    Args:
        total: what is spread.
        weights: the nets of the lines, of one sign or mixed.
        rate: in percent, where ``total`` is the VAT of the weights: each line's share is its own VAT then, and only what the
            sum differs by is spread. Lines that nearly cancel out would otherwise take the whole difference many times over.
    """
    if not weights:
        raise ValueError("nothing to spread over")
    shares = _shares(total, weights, rate)
    if shares is None:
        return _on_one_line(total, weights)
    cents = [share.quantize(CENT, ROUND_FLOOR, _CONTEXT) for share in shares]
    left = int((total - sum(cents, Decimal(0))) / CENT)
    by_remainder = sorted(range(len(shares)), key=lambda index: (cents[index] - shares[index], index))
    for index in by_remainder[:left]:
        cents[index] += CENT
    return cents


def _shares(total: Decimal, weights: Sequence[Decimal], rate: Decimal | None) -> list[Decimal] | None:
    """Return the exact share of each line; None where the lines cancel out and their rate is unknown."""
    weight, size = sum(weights, Decimal(0)), sum(map(abs, weights), Decimal(0))
    if not rate or not size:
        if weight == 0:
            return None
        return [_CONTEXT.divide(_CONTEXT.multiply(total, part), weight) for part in weights]
    with localcontext(_CONTEXT):
        own = [part * rate / 100 for part in weights]
        difference = total - sum(own, Decimal(0))
        return [share + difference * abs(part) / size for share, part in zip(own, weights, strict=True)]


def _on_one_line(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Lines that cancel out have no shares, and may carry VAT all the same: the largest of the total's sign takes it."""
    same_sign = [index for index, part in enumerate(weights) if part * total > 0] or range(len(weights))
    largest = max(same_sign, key=lambda index: (abs(weights[index]), -index))
    return [total if index == largest else ZERO for index in range(len(weights))]


def to_cents(parts: Sequence[Decimal], stated: Decimal | None = None) -> list[Decimal]:
    """Return amounts in cents whose sum is that of the amounts as they are, rounded once.

    Args:
        parts: amounts of any number of decimals.
        stated: their sum as a document states it. One that is made of parts that were rounded first leaves them so.
    """
    with localcontext(_CONTEXT):
        total, each_rounded = rounded(sum(parts, Decimal(0))), [rounded(part) for part in parts]
        if stated not in {None, total} and stated == sum(each_rounded, Decimal(0)):
            return each_rounded
    # A part is the whole of its own amount: at 100 percent nothing is left to spread but the rounding.
    return spread(total, parts, Decimal(100))
