"""Periods of a financial year (bookyear), which need not be the calendar's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Period:
    """A period of a financial year; both days are in it."""

    year: int
    number: int
    starts_on: date
    ends_on: date
    label: str = ""
    """What people call it, where they do not call it by year and number."""

    def __str__(self) -> str:
        return self.label or f"{self.year} - {self.number}"


def period_of(periods: Iterable[Period], day: date) -> Period | None:
    """Return the period that a day lies in; None where no financial year holds it."""
    return next((period for period in periods if period.starts_on <= day <= period.ends_on), None)
