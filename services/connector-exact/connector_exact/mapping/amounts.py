"""VAT per line from VAT per rate, to the cent.

Belgium rounds VAT once, on the total per rate (Royal Decree of 8 July 2025); Exact rounds per line unless it is told the
amount (§5.3a: 5 900.00 became 5 900.01). So each rate's VAT is spread over its lines such that the sum is exact.
"""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def spread(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Split ``total`` over ``weights`` in cents: each within one cent of its share, the sum exactly ``total``.

    Largest remainder; the earlier line wins a tie, so the result does not depend on anything else.
    """
    if not weights:
        raise ValueError("nothing to spread over")
    weight = sum(weights, Decimal(0))
    if weight == 0:
        # Lines that cancel out but carry VAT all the same: no share can be computed, the largest line takes it.
        largest = max(range(len(weights)), key=lambda index: (abs(weights[index]), -index))
        return [total if index == largest else Decimal("0.00") for index in range(len(weights))]
    shares = [total * part / weight for part in weights]
    cents = [share.quantize(CENT, ROUND_FLOOR) for share in shares]
    left = int((total - sum(cents, Decimal(0))) / CENT)
    by_remainder = sorted(range(len(shares)), key=lambda index: (cents[index] - shares[index], index))
    for index in by_remainder[:left]:
        cents[index] += CENT
    return cents


def rounded(value: Decimal) -> Decimal:
    """Round an amount to the cent, halves away from zero."""
    return value.quantize(CENT, ROUND_HALF_UP)
