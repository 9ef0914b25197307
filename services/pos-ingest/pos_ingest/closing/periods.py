"""Which days are closed together: a day, a week or a calendar month (R126). Pure; days are those of Brussels."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Unit = Literal["day", "week", "month"]
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Days that are closed together; both ends are in it."""

    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class Rhythm:
    """How often a book is closed."""

    unit: Unit
    week_starts_on: int = 1
    """0 is Sunday, as Scrada counts; of weeks only."""

    def span_of(self, day: date) -> Span:
        """Return the whole period that ``day`` lies in."""
        if self.unit == "day":
            return Span(day, day)
        if self.unit == "week":
            starts_on = day - timedelta(days=(day.isoweekday() - self.week_starts_on) % 7)
            return Span(starts_on, starts_on + timedelta(days=6))
        return Span(day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1]))

    def ended_before(self, today: date) -> date:
        """Return the last day of the last period that ended before ``today``."""
        return self.span_of(today).starts_on - A_DAY

    def spans(self, first: date, through: date) -> Iterator[Span]:
        """Yield what closes when everything from ``first`` to ``through`` does; a person may close in the middle of a period."""
        while first <= through:
            span = Span(first, min(self.span_of(first).ends_on, through))
            yield span
            first = span.ends_on + A_DAY
