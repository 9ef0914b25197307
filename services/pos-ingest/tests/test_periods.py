"""Which days close together, and that base and VAT of what was taken are what was taken."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import koppel_ubl
from koppel_ubl.model import Period
from pos_ingest.closing.invoice import Customer, Seller, Taking, invoice_of
from pos_ingest.closing.periods import Rhythm, Span
from pos_ingest.closing.texts import TEXTS

days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
rhythms = st.builds(Rhythm, st.sampled_from(["day", "week", "month"]), st.integers(0, 6))


@pytest.mark.parametrize(
    ("rhythm", "day", "span"),
    [
        (Rhythm("day"), date(2026, 3, 29), Span(date(2026, 3, 29), date(2026, 3, 29))),
        (Rhythm("week"), date(2026, 3, 29), Span(date(2026, 3, 23), date(2026, 3, 29))),
        (Rhythm("week", 0), date(2026, 3, 29), Span(date(2026, 3, 29), date(2026, 4, 4))),
        (Rhythm("week", 3), date(2026, 1, 1), Span(date(2025, 12, 31), date(2026, 1, 6))),
        (Rhythm("month"), date(2028, 2, 29), Span(date(2028, 2, 1), date(2028, 2, 29))),
    ],
)
def test_the_period_of_a_day(rhythm: Rhythm, day: date, span: Span) -> None:
    assert rhythm.span_of(day) == span


@given(rhythms, days, st.integers(0, 90))
def test_periods_follow_one_another_and_leave_no_day_out(rhythm: Rhythm, first: date, more: int) -> None:
    through = first + timedelta(days=more)
    spans = list(rhythm.spans(first, through))
    assert (spans[0].starts_on, spans[-1].ends_on) == (first, through)
    assert all(one.ends_on + timedelta(days=1) == two.starts_on for one, two in pairwise(spans))
    assert all(rhythm.span_of(one.starts_on).ends_on == one.ends_on for one in spans[:-1])
    assert rhythm.ended_before(first) == rhythm.span_of(first).starts_on - timedelta(days=1)


rates = st.sampled_from([("S", "21"), ("S", "12"), ("S", "6"), ("Z", "0"), ("E", "0"), ("O", "0")])
amounts = st.decimals(Decimal("-9999.99"), Decimal("99999.99"), places=2).filter(bool)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(rates, amounts, min_size=1))
def test_an_invoice_is_what_was_taken_to_the_cent_and_keeps_every_rule(taken: dict[tuple[str, str], Decimal]) -> None:
    takings = [Taking(category, Decimal(rate), amount) for (category, rate), amount in taken.items()]
    month = Period(start=date(2026, 3, 1), end=date(2026, 3, 31))
    seller, customer = Seller("Bakkerij Peeters", "0000000196"), Customer("Winkel Gent")
    built = invoice_of("DR-G-00001", month, seller, customer, takings, (), TEXTS["nl"])
    total = sum(taken.values())
    sign = -1 if isinstance(built, koppel_ubl.CreditNote) else 1
    assert sign * (built.totals.with_vat or 0) == total
    assert (built.totals.with_vat or 0) >= 0
    assert (built.totals.payable, built.totals.rounding) == (Decimal(0), None)
    report = koppel_ubl.check(koppel_ubl.write(built))
    assert report.valid
    assert report.rules() == {"KOPPEL-SAME-ENDPOINT"}


@pytest.mark.parametrize(
    ("amount", "rate", "base", "tax"),
    [
        ("500.00", "21", "413.22", "86.78"),
        ("242.00", "21", "200.00", "42.00"),
        ("106.00", "6", "100.00", "6.00"),
        ("112.00", "12", "100.00", "12.00"),
        ("0.03", "21", "0.02", "0.01"),
        ("0.14", "12", "0.13", "0.01"),
    ],
)
def test_base_and_vat_are_rounded_once_for_the_period(amount: str, rate: str, base: str, tax: str) -> None:
    month = Period(start=date(2026, 3, 1), end=date(2026, 3, 31))
    takings = [Taking("S", Decimal(rate), Decimal(amount))]
    built = invoice_of("X-1", month, Seller("X", "0000000196"), Customer("Y"), takings, (), TEXTS["fr"])
    assert [(one.taxable, one.tax) for one in built.vat_breakdown] == [(Decimal(base), Decimal(tax))]
