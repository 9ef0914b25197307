"""Whether the books are open on the day of a document: one question for each period and journal instead of refusals.

A vendor may count what it refuses (``ErrorBudget``): a box of old invoices would then block the new ones behind it. The periods,
and the state of a journal in one of them, cost one call each and are remembered with the moment of the answer. An open period is
believed for a day. A closed one is believed only for deliveries that were due before the answer: when a person retries one later,
the period may have been opened.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol

from koppel_bookkeeping import CannotBook
from koppel_bookkeeping.periods import Period, period_of
from koppel_connector.contract.errors import ActionRequired, RateLimited, Rejected, RetryLater
from koppel_connector.contract.memory import Memory, Remembered
from koppel_connector.contract.problems import Problem
from koppel_mesh.clock import utc_now

REFUSALS: Final = frozenset({"period_closed", "financial_year_missing"})
"""The problems found here. A vendor's own refusal by one of them means that what is remembered is out of date."""
OPEN_IS_BELIEVED: Final = timedelta(days=1)
_PERIODS: Final = "financial_periods"


class PeriodsOfVendor(Protocol):
    """What only the vendor knows."""

    async def periods(self) -> list[Period]:
        """Return every period that exists; none where the vendor does not say."""

    async def is_closed(self, journal: str, period: Period) -> bool:
        """Return whether a journal is closed in a period; false where the vendor does not say."""


class Calendar:
    """The financial years of a connection's books, as one delivery sees them.

    Args:
        vendor: answers what is not remembered.
        memory: of the connection.
        waiting_since: when the delivery was due.
        is_named: whether bookings name their period: then a vendor that does not say stops the document.
    """

    def __init__(
        self, vendor: PeriodsOfVendor, memory: Memory, waiting_since: datetime, *, is_named: bool = False
    ) -> None:
        self._vendor = vendor
        self._memory = memory
        self._waiting_since = waiting_since
        self._is_named = is_named

    async def insist_on_open(self, journal: str, day: date) -> Period | None:
        """Return the open period that the day lies in; None where the vendor does not say: the booking itself will show it.

        Raises:
            CannotBook: the year does not exist, or the period is closed in this journal.
            RateLimited: the connection has no calls left. Where only these two operations have none, it returns.
            ConnectorError: whatever the vendor refuses, where bookings name their period.
        """
        try:
            periods = await self._periods(day)
            if not periods and not self._is_named:
                return None
            period = period_of(periods, day)
            if period is None:
                raise CannotBook("financial_year_missing", str(day.year))
            if await self._is_closed(journal, period):
                raise CannotBook("period_closed", f"{journal}: {period}")
            return period
        except RetryLater:
            if self._is_named:
                raise
            return None
        except RateLimited as limited:
            if self._is_named or limited.holds == "connection":
                raise
            return None

    async def forget_if_refused(self, journal: str, day: date, problem: Problem | None) -> None:
        """Forget the periods and the state of the journal where the vendor has just refused a day that was remembered as open."""
        if problem is None or problem.code not in REFUSALS:
            return
        kept = await self._memory.recall(_PERIODS)
        if kept is None:
            return
        await self._memory.forget(_PERIODS)
        if (period := period_of(_periods_of(kept), day)) is not None:
            await self._memory.forget(_state_key(journal, period))

    async def _periods(self, day: date) -> list[Period]:
        def is_good(kept: Remembered) -> bool:
            periods = _periods_of(kept)
            return not periods or period_of(periods, day) is not None

        if (kept := await self._believed(_PERIODS, is_good)) is not None:
            return _periods_of(kept)
        asked_at = utc_now()
        try:
            found = await self._vendor.periods()
        except (ActionRequired, Rejected):
            if self._is_named:
                raise
            # Remembered as "does not say": repeated for every document, the refusals would cost what they are to save.
            found = []
        rows: list[Any] = [[each.year, each.number, each.starts_on, each.ends_on, each.label] for each in found]
        await self._memory.remember(_PERIODS, rows, observed_at=asked_at)
        return found

    async def _is_closed(self, journal: str, period: Period) -> bool:
        key = _state_key(journal, period)
        if (kept := await self._believed(key, lambda state: not state.value)) is not None:
            return bool(kept.value)
        asked_at = utc_now()
        try:
            closed = await self._vendor.is_closed(journal, period)
        except (ActionRequired, Rejected):
            if self._is_named:
                raise
            closed = False
        await self._memory.remember(key, closed, observed_at=asked_at)
        return closed

    async def _believed(self, key: str, is_good: Callable[[Remembered], bool]) -> Remembered | None:
        """Return what is remembered, unless it is too old to be believed."""
        kept = await self._memory.recall(key)
        if kept is None:
            return None
        if is_good(kept):
            return kept if utc_now() - kept.observed_at < OPEN_IS_BELIEVED else None
        return kept if kept.observed_at >= self._waiting_since else None


def _periods_of(kept: Remembered) -> list[Period]:
    return [Period(*row) for row in kept.value]


def _state_key(journal: str, period: Period) -> str:
    return f"journal_period {journal} {period}"
