"""VAT spread over lines: no cent is lost, none is made, none lands far from where it belongs."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from koppel_bookkeeping.amounts import CENT, rounded, spread, to_cents

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


rates = st.sampled_from([Decimal(rate) for rate in ("6", "12", "21", "5.5", "0", "0.01")])


@given(total=cents, nets=st.lists(cents, min_size=1, max_size=60), rate=rates)
def test_with_a_rate_the_sum_is_exact_too(total: Decimal, nets: list[Decimal], rate: Decimal) -> None:
    assert sum(spread(total, nets, rate)) == total


@given(off=st.integers(-60, 60), nets=st.lists(cents, min_size=1, max_size=60), rate=rates.filter(bool))
def test_lines_of_mixed_sign_each_carry_their_own_vat(off: int, nets: list[Decimal], rate: Decimal) -> None:
    difference = off * CENT
    total = rounded(sum(nets, Decimal(0)) * rate / 100) + difference
    size = sum(map(abs, nets), Decimal(0))
    for part, net in zip(spread(total, nets, rate), nets, strict=True):
        spread_on_it = (abs(difference) + CENT) * abs(net) / size if size else abs(total)
        assert abs(part - net * rate / 100) <= spread_on_it + CENT


def test_a_returned_good_does_not_take_the_rounding_of_the_whole_invoice() -> None:
    """100.00 sold and 99.00 taken back at 21 %; the sender rounded the VAT of 1.00 up to 0.22."""
    nets = [Decimal("100.00"), Decimal("-99.00")]
    assert spread(Decimal("0.22"), nets, Decimal(21)) == [Decimal("21.01"), Decimal("-20.79")]


def test_the_cent_that_rounding_per_line_would_add() -> None:
    """Three lines of 0.10 at 21 %: per line 0.02 each makes 0.06; the invoice says 0.06 on 0.30, and 0.07 on 0.33."""
    assert spread(Decimal("0.06"), [Decimal("0.10")] * 3) == [Decimal("0.02")] * 3
    assert spread(Decimal("0.07"), [Decimal("0.11")] * 3) == [Decimal("0.03"), Decimal("0.02"), Decimal("0.02")]
    assert spread(Decimal("-0.07"), [Decimal("-0.11")] * 3) == [Decimal("-0.02"), Decimal("-0.02"), Decimal("-0.03")]


def test_lines_that_cancel_out_still_carry_their_vat() -> None:
    assert spread(Decimal("0.01"), [Decimal("5.00"), Decimal("-5.00")]) == [Decimal("0.01"), Decimal("0.00")]
    assert spread(Decimal("-0.01"), [Decimal("5.00"), Decimal("-5.00")]) == [Decimal("0.00"), Decimal("-0.01")]
    assert spread(Decimal("0.01"), [Decimal("0.00")]) == [Decimal("0.01")]


def test_amounts_are_brought_to_cents_that_make_their_sum() -> None:
    third = Decimal("3.3333")
    assert to_cents([third, third, Decimal("3.3334")]) == [Decimal(each) for each in ("3.33", "3.33", "3.34")]
    assert to_cents([Decimal("1.00"), Decimal("-0.99"), Decimal(0)]) == [Decimal("1.00"), Decimal("-0.99"), Decimal(0)]
    assert to_cents([Decimal("1.005"), Decimal("1.005")], Decimal("2.02")) == [Decimal("1.01")] * 2
    assert to_cents([Decimal("1.005"), Decimal("1.005")], Decimal("2.03")) == [Decimal("1.01"), Decimal("1.00")]


def test_no_digit_is_lost_on_the_way_to_the_cent() -> None:
    assert to_cents([Decimal("100.00499999999999999999999999999999999999")]) == [Decimal("100.00")]
