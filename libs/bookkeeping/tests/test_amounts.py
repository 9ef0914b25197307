"""VAT spread over lines: no cent is lost, none is made, none lands far from where it belongs."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from koppel_bookkeeping.amounts import CENT, spread

cents = st.integers(-(10**9), 10**9).map(lambda number: Decimal(number) * CENT)


@given(total=cents, weights=st.lists(cents, min_size=1, max_size=60))
def test_the_sum_is_exact_to_the_cent(total: Decimal, weights: list[Decimal]) -> None:
    parts = spread(total, weights)
    assert len(parts) == len(weights)
    assert sum(parts) == total
    assert all(part == part.quantize(CENT) for part in parts)


@given(total=cents, weights=st.lists(cents, min_size=1, max_size=60).filter(lambda weights: sum(weights) != 0))
def test_each_part_is_within_a_cent_of_its_share(total: Decimal, weights: list[Decimal]) -> None:
    whole = sum(weights, Decimal(0))
    for part, weight in zip(spread(total, weights), weights, strict=True):
        assert abs(part - total * weight / whole) <= CENT


@given(total=cents, weights=st.lists(cents, min_size=1, max_size=60))
def test_the_same_document_is_always_spread_the_same(total: Decimal, weights: list[Decimal]) -> None:
    assert spread(total, weights) == spread(total, list(weights))


def test_the_cent_that_rounding_per_line_would_add() -> None:
    """Three lines of 0.10 at 21 %: per line 0.02 each makes 0.06; the invoice says 0.06 on 0.30, and 0.07 on 0.33."""
    assert spread(Decimal("0.06"), [Decimal("0.10")] * 3) == [Decimal("0.02")] * 3
    assert spread(Decimal("0.07"), [Decimal("0.11")] * 3) == [Decimal("0.03"), Decimal("0.02"), Decimal("0.02")]
    assert spread(Decimal("-0.07"), [Decimal("-0.11")] * 3) == [Decimal("-0.02"), Decimal("-0.02"), Decimal("-0.03")]


def test_lines_that_cancel_out_still_carry_their_vat() -> None:
    assert spread(Decimal("0.01"), [Decimal("5.00"), Decimal("-5.00")]) == [Decimal("0.01"), Decimal("0.00")]
    assert spread(Decimal("-0.01"), [Decimal("5.00"), Decimal("-5.00")]) == [Decimal("0.00"), Decimal("-0.01")]
    assert spread(Decimal("0.01"), [Decimal("0.00")]) == [Decimal("0.01")]
