"""Periods: both days are in them, and a financial year may cross the new year."""

from datetime import date

from koppel_bookkeeping.periods import Period, period_of

JANUARY = Period(2026, 7, date(2026, 1, 1), date(2026, 1, 31))
DECEMBER = Period(2026, 6, date(2025, 12, 1), date(2025, 12, 31))


def test_a_day_lies_in_its_period_of_a_broken_financial_year() -> None:
    periods = [JANUARY, DECEMBER]
    assert period_of(periods, date(2025, 12, 31)) is DECEMBER
    assert period_of(periods, date(2026, 1, 1)) is JANUARY
    assert period_of(periods, date(2026, 1, 31)) is JANUARY
    assert str(period_of(periods, date(2026, 1, 15))) == "2026 - 7"


def test_a_day_outside_every_financial_year_has_none() -> None:
    assert period_of([JANUARY, DECEMBER], date(2026, 2, 1)) is None
    assert period_of([], date(2026, 1, 15)) is None
