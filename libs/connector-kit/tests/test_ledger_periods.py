"""Open and closed periods: asked once, believed as long as it may be, and no booking waits for a vendor that does not tell."""

from datetime import date, datetime, timedelta
from typing import Literal

import pytest

from koppel_bookkeeping import CannotBook
from koppel_bookkeeping.periods import Period
from koppel_connector import ActionRequired, ConnectorError, Problem, Rejected
from koppel_connector.contract import RateLimited, RetryLater
from koppel_connector.ledger.periods import OPEN_IS_BELIEVED, Calendar
from koppel_connector.testing import MemoryInProcess
from koppel_mesh.clock import utc_now

JANUARY = Period(2026, 1, date(2026, 1, 1), date(2026, 1, 31))
FEBRUARY = Period(2026, 2, date(2026, 2, 1), date(2026, 2, 28))
DAY = date(2026, 1, 15)


class Vendor:
    """Two periods, those of ``closed`` closed in journal V; what was asked stands in ``asked``."""

    def __init__(self, *closed: Period) -> None:
        self.held = [JANUARY, FEBRUARY]
        self.closed = closed
        self.asked: list[str] = []
        self.failure: ConnectorError | None = None
        self.fails_at = "periods"

    async def periods(self) -> list[Period]:
        self._note("periods")
        return self.held

    async def is_closed(self, journal: str, period: Period) -> bool:
        self._note("state")
        return journal == "V" and period in self.closed

    def _note(self, question: str) -> None:
        self.asked.append(question)
        if self.failure is not None and self.fails_at == question:
            raise self.failure


async def problem(calendar: Calendar, journal: str = "V", day: date = DAY) -> tuple[str, str] | None:
    try:
        await calendar.insist_on_open(journal, day)
    except CannotBook as refused:
        return refused.code, refused.detail
    return None


def waiting(vendor: Vendor, memory: MemoryInProcess, since: datetime | None = None) -> Calendar:
    return Calendar(vendor, memory, since or utc_now())


async def age(memory: MemoryInProcess, by: timedelta) -> None:
    for key, kept in list(memory.kept.items()):
        await memory.remember(key, kept.value, observed_at=kept.observed_at - by)


async def test_open_periods_are_asked_once_a_day() -> None:
    vendor, memory = Vendor(), MemoryInProcess()
    for _ in range(3):
        assert await problem(waiting(vendor, memory)) is None
    assert vendor.asked == ["periods", "state"]
    assert await problem(waiting(vendor, memory), day=date(2026, 2, 28)) is None
    assert await problem(waiting(vendor, memory), "W") is None
    assert vendor.asked == ["periods", "state", "state", "state"]
    vendor.asked.clear()
    await age(memory, OPEN_IS_BELIEVED)
    assert await problem(waiting(vendor, memory)) is None
    assert vendor.asked == ["periods", "state"]


async def test_closed_is_believed_only_by_who_was_waiting_already() -> None:
    vendor, memory, since = Vendor(JANUARY), MemoryInProcess(), utc_now()
    for _ in range(3):
        assert await problem(waiting(vendor, memory, since)) == ("period_closed", "V: 2026 - 1")
    assert vendor.asked == ["periods", "state"]
    vendor.closed = ()
    assert await problem(waiting(vendor, memory)) is None
    assert vendor.asked == ["periods", "state", "state"]


async def test_closed_is_of_one_journal() -> None:
    vendor, memory = Vendor(JANUARY), MemoryInProcess()
    assert await problem(waiting(vendor, memory)) is not None
    assert await problem(waiting(vendor, memory), "W") is None


async def test_a_missing_year_is_asked_again_by_who_comes_later() -> None:
    vendor, memory, since = Vendor(), MemoryInProcess(), utc_now()
    day = date(2027, 1, 1)
    for _ in range(2):
        assert await problem(waiting(vendor, memory, since), day=day) == ("financial_year_missing", "2027")
    assert vendor.asked == ["periods"]
    vendor.held.append(Period(2027, 1, day, date(2027, 1, 31)))
    assert await problem(waiting(vendor, memory), day=day) is None


@pytest.mark.parametrize("question", ["periods", "state"])
@pytest.mark.parametrize("refusal", [ActionRequired(Problem("missing_right")), Rejected(Problem("vendor_refused"))])
async def test_a_refused_question_stops_no_booking_and_is_not_repeated(question: str, refusal: ConnectorError) -> None:
    vendor, memory = Vendor(JANUARY), MemoryInProcess()
    vendor.failure, vendor.fails_at = refusal, question
    for _ in range(3):
        assert await problem(waiting(vendor, memory)) is None
    assert vendor.asked.count(question) == 1


async def test_a_vendor_that_tells_no_periods_is_asked_once() -> None:
    vendor, memory = Vendor(), MemoryInProcess()
    vendor.held = []
    for _ in range(3):
        assert await problem(waiting(vendor, memory)) is None
    assert vendor.asked == ["periods"]


async def test_one_that_is_away_is_asked_again() -> None:
    vendor, memory = Vendor(JANUARY), MemoryInProcess()
    vendor.failure = RetryLater()
    assert await problem(waiting(vendor, memory)) is None
    vendor.failure = None
    assert await problem(waiting(vendor, memory)) == ("period_closed", "V: 2026 - 1")


@pytest.mark.parametrize(("holds", "stops"), [("operation", False), ("connection", True)])
async def test_a_connection_without_calls_stops(holds: Literal["connection", "operation"], stops: bool) -> None:
    vendor = Vendor()
    vendor.failure = RateLimited(holds=holds)
    if stops:
        with pytest.raises(RateLimited):
            await problem(waiting(vendor, MemoryInProcess()))
    else:
        assert await problem(waiting(vendor, MemoryInProcess())) is None


async def test_what_the_vendor_contradicts_is_asked_again() -> None:
    vendor, memory, since = Vendor(), MemoryInProcess(), utc_now()
    await waiting(vendor, memory, since).forget_if_refused("V", DAY, Problem("period_closed"))
    assert await problem(waiting(vendor, memory, since)) is None
    vendor.closed = (JANUARY,)
    await waiting(vendor, memory, since).forget_if_refused("V", DAY, Problem("period_closed"))
    assert await problem(waiting(vendor, memory, since)) == ("period_closed", "V: 2026 - 1")


async def test_the_open_period_is_returned_as_people_call_it() -> None:
    vendor, memory = Vendor(), MemoryInProcess()
    vendor.held = [Period(3, 202601, JANUARY.starts_on, JANUARY.ends_on, "202601"), FEBRUARY]
    for _ in range(2):
        assert await waiting(vendor, memory).insist_on_open("V", DAY) == vendor.held[0]
    assert vendor.asked == ["periods", "state"]
    closed = Vendor(vendor.held[0])
    closed.held = vendor.held
    assert await problem(waiting(closed, MemoryInProcess())) == ("period_closed", "V: 202601")


FAILURES = [
    ActionRequired(Problem("missing_right")),
    Rejected(Problem("vendor_refused")),
    RetryLater(),
    RateLimited(holds="operation"),
]


@pytest.mark.parametrize("question", ["periods", "state"])
@pytest.mark.parametrize("failure", FAILURES)
async def test_where_bookings_name_their_period_no_answer_stops_the_document(
    question: str, failure: ConnectorError
) -> None:
    vendor, memory = Vendor(), MemoryInProcess()
    vendor.failure, vendor.fails_at = failure, question
    calendar = Calendar(vendor, memory, utc_now(), is_named=True)
    for _ in range(2):
        with pytest.raises(type(failure)):
            await calendar.insist_on_open("V", DAY)
    vendor.failure, vendor.held = None, []
    memory.kept.clear()
    assert await problem(calendar) == ("financial_year_missing", "2026"), "a dossier without any year"
