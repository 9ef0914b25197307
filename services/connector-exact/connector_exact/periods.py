"""Whether the books are open on the day of a document: asked of Exact once a period and journal, not found out by errors.

Exact counts what it refuses and blocks an endpoint for an hour after ten (§4.3): a box of old invoices would stop the new
ones behind it. The periods, and the state of a journal in one, cost a call each the first time (§3.5) and are remembered
with the moment they were told. That a period is open is believed for a day; that it is closed only by documents that were waiting
already when it was told, because whoever asks later may have opened it since.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from koppel_bookkeeping import CannotBook
from koppel_connector import values
from koppel_connector.contract.connector import DeliveryContext
from koppel_connector.contract.errors import ActionRequired, RateLimited, Rejected, RetryLater
from koppel_connector.contract.memory import Memory, Remembered
from koppel_mesh.clock import utc_now

from . import odata
from .api import Exact
from .odata import Row

TOLD_BY: Final = frozenset({"period_closed", "financial_year_missing"})
"""The problems that are told here; Exact's own refusals of the same name mean that what is remembered is out of date."""
OPEN_IS_BELIEVED: Final = timedelta(days=1)
_PERIODS: Final = "financial_periods"
_STATE: Final = "journal_period"


@dataclass(frozen=True)
class Period:
    """A period of a financial year; both days are in it."""

    year: int
    number: int
    starts_on: date
    ends_on: date

    def __str__(self) -> str:
        return f"{self.year} - {self.number}"


async def insist_on_open(exact: Exact, context: DeliveryContext, journal: str, day: date) -> None:
    """Let a document go on whose day lies in an open period, and one of which Exact does not tell: booking it will.

    Raises:
        CannotBook: the year does not exist, or the period is closed in this journal.
        ConnectorError: Exact cannot be asked now.
    """
    try:
        periods = await _all_periods(exact, context, day)
        if not periods:
            return
        period = _period_of(periods, day)
        if period is None:
            raise CannotBook("financial_year_missing", str(day.year))
        if await _is_closed(exact, context, journal, period):
            raise CannotBook("period_closed", f"{journal}: {period}")
    except RetryLater:
        return
    except RateLimited as held:
        if held.holds == "connection":  # only the questions are out of errors; booking is not
            raise


async def forget(memory: Memory, journal: str, day: date) -> None:
    """Have all asked again: Exact has just refused what was remembered as open."""
    known = await memory.recall(_PERIODS)
    if known is None:
        return
    await memory.forget(_PERIODS)
    if (period := _period_of(_periods_of(known), day)) is not None:
        await memory.forget(_state_key(journal, period))


async def _all_periods(exact: Exact, context: DeliveryContext, day: date) -> list[Period]:
    memory = context.vendor.memory
    known = await memory.recall(_PERIODS)
    if known is not None:
        periods = _periods_of(known)
        if _is_believed(known, context, good=not periods or _period_of(periods, day) is not None):
            return periods
    told_at = utc_now()
    try:
        found = [period for row in await exact.financial_periods() if (period := _period(row)) is not None]
    except (ActionRequired, Rejected):
        # Asked again for every document, a refusal would cost what the question is to spare. A missing right is mostly
        # answered with an empty list (§3.3): that counts the same.
        found = []
    rows = [[one.year, one.number, one.starts_on, one.ends_on] for one in found]
    await memory.remember(_PERIODS, rows, observed_at=told_at)
    return found


async def _is_closed(exact: Exact, context: DeliveryContext, journal: str, period: Period) -> bool:
    memory, key = context.vendor.memory, _state_key(journal, period)
    known = await memory.recall(key)
    if known is not None and _is_believed(known, context, good=not known.value):
        return bool(known.value)
    told_at = utc_now()
    try:
        states = await exact.journal_states(journal, period.year, period.number)
    except (ActionRequired, Rejected):
        states = []
    closed = any(values.decimal(row.get("Status")) == 1 for row in states if _is_about(row, journal, period))
    await memory.remember(key, closed, observed_at=told_at)
    return closed


def _is_about(row: Row, journal: str, period: Period) -> bool:
    """Return whether a row is the one asked for; not every resource heeds every filter."""
    asked = {"Journal": journal, "Year": str(period.year), "Period": str(period.number)}
    return all(str(row[name]).strip() == wanted for name, wanted in asked.items() if row.get(name) is not None)


def _is_believed(known: Remembered, context: DeliveryContext, *, good: bool) -> bool:
    if good:
        return utc_now() - known.observed_at < OPEN_IS_BELIEVED
    return known.observed_at >= context.delivery.due_at


def _period_of(periods: list[Period], day: date) -> Period | None:
    return next((period for period in periods if period.starts_on <= day <= period.ends_on), None)


def _period(row: Row) -> Period | None:
    year, number = values.decimal(row.get("FinYear")), values.decimal(row.get("FinPeriod"))
    starts_on, ends_on = odata.day(row.get("StartDate")), odata.day(row.get("EndDate"))
    if year is None or number is None or starts_on is None or ends_on is None:
        return None
    return Period(int(year), int(number), starts_on, ends_on)


def _periods_of(known: Remembered) -> list[Period]:
    return [Period(*row) for row in known.value]


def _state_key(journal: str, period: Period) -> str:
    return f"{_STATE} {journal} {period}"
