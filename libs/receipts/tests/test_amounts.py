"""The VAT within an amount, and cash in steps of five cents."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koppel_receipts import OUTSIDE_SCOPE, VatSplit, round_cash, split_vat, totals_key, written

CENTS = st.decimals(min_value=-10_000_000, max_value=10_000_000, places=2)


@pytest.mark.parametrize(
    ("amount", "rate", "base", "vat"),
    [
        ("500.00", 21, "413.22", "86.78"),
        ("242.00", 21, "200.00", "42.00"),
        ("106.00", 6, "100.00", "6.00"),
        ("112.00", 12, "100.00", "12.00"),
        ("-242.00", 21, "-200.00", "-42.00"),
        ("0.01", 21, "0.01", "0.00"),
        ("7.50", 0, "7.50", "0.00"),
    ],
)
def test_an_amount_is_split_half_up(amount: str, rate: int, base: str, vat: str) -> None:
    assert split_vat(Decimal(amount), Decimal(rate)) == VatSplit(Decimal(base), Decimal(vat))


@given(CENTS, st.sampled_from([0, 6, 12, 21]))
def test_base_and_vat_add_up_and_mirror(amount: Decimal, rate: int) -> None:
    split, mirrored = split_vat(amount, Decimal(rate)), split_vat(-amount, Decimal(rate))
    assert split.base + split.vat == amount
    assert (mirrored.base, mirrored.vat) == (-split.base, -split.vat)
    assert abs(split.base * rate - split.vat * 100) <= Decimal("0.5") * (100 + rate) / 100 + Decimal("0.01")


@pytest.mark.parametrize(
    ("amount", "paid"),
    [("9.97", "9.95"), ("9.98", "10.00"), ("9.92", "9.90"), ("9.93", "9.95"), ("0.02", "0.00"), ("-9.98", "-10.00")],
)
def test_cash_is_rounded_to_the_nearest_five_cents(amount: str, paid: str) -> None:
    assert round_cash(Decimal(amount)) == Decimal(paid)


def test_a_line_counts_under_its_category_and_rate() -> None:
    assert totals_key("S", Decimal("21.00")) == "S:21"
    assert totals_key("S", Decimal("5.5")) == "S:5.5"
    assert totals_key(OUTSIDE_SCOPE, Decimal("0.00")) == "O"


def test_an_amount_has_one_spelling() -> None:
    assert [written(Decimal(text)) for text in ("1", "1.5", "-0.00", "1E+3")] == ["1.00", "1.50", "0.00", "1000.00"]
