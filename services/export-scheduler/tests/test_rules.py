"""When a document goes: every combination, the calendar's corners, and clocks that jump."""

import itertools
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_scheduler.rules import (
    STATE_ORDER,
    Calendar,
    Candidate,
    Plan,
    WaitsFor,
    is_released,
    next_run,
    plan,
    run_after_month,
)
from koppel_mesh.clock import BRUSSELS, brussels_date
from koppel_mesh.messages import DocumentState, ExportFrequency, ExportRules, Trigger

CALENDAR = Calendar()
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
AFTER_10_MINUTES = ExportRules(frequency=ExportFrequency.AFTER_10_MINUTES)
LAST_MONTH = ExportRules(frequency=ExportFrequency.LAST_MONTH)
NEVER = ExportRules(frequency=ExportFrequency.NEVER)


def filed(
    document_on: date = date(2026, 11, 20),
    opened_at: datetime = NOON,
    state: DocumentState = DocumentState.FILED,
    approved_at: datetime | None = None,
    revision: int = 1,
    sent_revision: int | None = None,
) -> Candidate:
    return Candidate(state, revision, sent_revision, document_on, opened_at, approved_at)


@pytest.mark.parametrize("approval_required", [False, True])
def test_what_its_sender_does_not_forward_goes_by_hand(approval_required: bool) -> None:
    """R122."""
    rules = ExportRules(frequency=ExportFrequency.AFTER_10_MINUTES, approval_required=approval_required)
    found = plan(rules, replace(filed(approved_at=NOON), forward=False), CALENDAR)
    assert (found.due_at, found.waits_for) == (None, WaitsFor.HAND)


def brussels(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=BRUSSELS).astimezone(UTC)


@pytest.mark.parametrize(
    ("state", "frequency", "approval_required", "locks", "approved", "sent_revision"),
    itertools.product(DocumentState, ExportFrequency, (False, True), (False, True), (False, True), (None, 1, 2)),
)
def test_every_combination(
    state: DocumentState,
    frequency: ExportFrequency,
    approval_required: bool,
    locks: bool,
    approved: bool,
    sent_revision: int | None,
) -> None:
    rules = ExportRules(frequency=frequency, approval_required=approval_required, lock_after_export=locks)
    found = plan(
        rules,
        filed(state=state, approved_at=NOON if approved else None, revision=2, sent_revision=sent_revision),
        CALENDAR,
    )
    goes = (
        sent_revision != 2
        and is_released(state)
        and not (sent_revision == 1 and locks)
        and frequency is not ExportFrequency.NEVER
        and (approved or not approval_required)
    )
    assert (found.due_at is not None) is goes
    assert (found.waits_for is WaitsFor.MOMENT) is goes
    assert found.trigger == ((Trigger.APPROVAL if approval_required else Trigger.SCHEDULE) if goes else None)
    if sent_revision == 2:
        assert found.waits_for is WaitsFor.NOTHING, "at most once"


def test_never_waits_for_a_hand() -> None:
    assert plan(NEVER, filed(), CALENDAR) == Plan(None, WaitsFor.HAND)


def test_after_ten_minutes() -> None:
    assert plan(AFTER_10_MINUTES, filed(), CALENDAR).due_at == NOON + timedelta(minutes=10)


def test_approval_releases_at_once_whatever_the_frequency() -> None:
    for frequency in (ExportFrequency.LAST_MONTH, ExportFrequency.AFTER_10_MINUTES):
        rules = ExportRules(frequency=frequency, approval_required=True)
        assert plan(rules, filed(), CALENDAR).waits_for is WaitsFor.APPROVAL
        approved = plan(rules, filed(approved_at=NOON + timedelta(hours=1)), CALENDAR)
        assert (approved.due_at, approved.trigger) == (NOON + timedelta(hours=1), Trigger.APPROVAL)


def test_filed_before_approval_was_asked_for_is_not_approved_by_that() -> None:
    before = plan(AFTER_10_MINUTES, filed(), CALENDAR)
    after = plan(AFTER_10_MINUTES.model_copy(update={"approval_required": True}), filed(), CALENDAR)
    assert before.due_at is not None
    assert after == Plan(None, WaitsFor.APPROVAL)


def test_a_newer_revision_of_what_went_unapproved_waits_for_nobodys_approval() -> None:
    rules = AFTER_10_MINUTES.model_copy(update={"approval_required": True})
    for state in (DocumentState.FILED, DocumentState.EXPORTED, DocumentState.BOOKED):
        assert plan(rules, filed(state=state, revision=2, sent_revision=1), CALENDAR) == Plan(None, WaitsFor.HAND)


def test_a_dossier_that_is_not_known_yet() -> None:
    assert plan(None, filed(), CALENDAR) == Plan(None, WaitsFor.DOSSIER)


@pytest.mark.parametrize(
    ("document_on", "arrived_at", "run", "late"),
    [
        (date(2026, 11, 1), NOON, brussels(2026, 12, 1, 6), False),
        (date(2026, 11, 30), brussels(2026, 11, 30, 23, 59), brussels(2026, 12, 1, 6), False),
        (date(2026, 11, 30), brussels(2026, 12, 1, 5, 59), brussels(2026, 12, 1, 6), False),
        (date(2026, 11, 30), brussels(2026, 12, 1, 6), brussels(2026, 12, 1, 6), False),
        (date(2026, 11, 30), brussels(2026, 12, 1, 6, 1), brussels(2027, 1, 1, 6), True),
        (date(2026, 12, 31), brussels(2026, 12, 31, 12), brussels(2027, 1, 1, 6), False),
        (date(2025, 3, 3), NOON, brussels(2026, 12, 1, 6), True),
        (date(2028, 2, 29), brussels(2028, 2, 29, 12), brussels(2028, 3, 1, 6), False),
        (date(2027, 2, 28), brussels(2027, 2, 28, 23), brussels(2027, 3, 1, 6), False),
        # Dated ahead: it is taken with its own month, not with this one.
        (date(2027, 2, 1), NOON, brussels(2027, 3, 1, 6), False),
    ],
)
def test_last_month(document_on: date, arrived_at: datetime, run: datetime, late: bool) -> None:
    found = plan(LAST_MONTH, filed(document_on, arrived_at), CALENDAR)
    assert (found.due_at, found.late, found.trigger) == (run, late, Trigger.SCHEDULE)


def test_the_run_keeps_its_time_of_day_over_the_clock_changes() -> None:
    march, april = run_after_month(date(2026, 2, 1), CALENDAR), run_after_month(date(2026, 3, 1), CALENDAR)
    october, november = run_after_month(date(2026, 9, 1), CALENDAR), run_after_month(date(2026, 10, 1), CALENDAR)
    assert march and april and october and november
    assert [run.astimezone(UTC).hour for run in (march, april, october, november)] == [5, 4, 4, 5]


def test_a_run_at_a_time_that_the_clocks_skip_or_repeat_happens_once() -> None:
    # 28 March 2027 has no 02:30; of 25 October 2026 there are two.
    skipped = run_after_month(date(2027, 2, 1), Calendar(run_day=28, run_at=time(2, 30)))
    repeated = run_after_month(date(2026, 9, 1), Calendar(run_day=25, run_at=time(2, 30)))
    assert skipped and skipped.astimezone(UTC) == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert repeated and repeated.astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_where_the_calendar_ends_a_document_waits_for_a_hand() -> None:
    assert plan(LAST_MONTH, filed(date(9999, 12, 1)), CALENDAR) == Plan(None, WaitsFor.HAND)


def test_a_newer_revision_of_what_went_goes_by_the_same_rule_unless_locked() -> None:
    newer = filed(revision=2, sent_revision=1, opened_at=NOON)
    assert plan(AFTER_10_MINUTES, newer, CALENDAR).due_at == NOON + timedelta(minutes=10)
    locking = AFTER_10_MINUTES.model_copy(update={"lock_after_export": True})
    assert plan(locking, newer, CALENDAR) == Plan(None, WaitsFor.UNLOCKING)
    assert plan(LAST_MONTH, newer, CALENDAR).due_at == brussels(2026, 12, 1, 6)


def test_switched_to_never_and_back_it_goes_when_it_would_have_gone() -> None:
    document = filed()
    first = plan(AFTER_10_MINUTES, document, CALENDAR)
    assert plan(NEVER, document, CALENDAR).due_at is None
    assert plan(AFTER_10_MINUTES, document, CALENDAR) == first


moments = st.integers(946_684_800, 4_102_444_800).map(lambda second: datetime.fromtimestamp(second, UTC))
days = st.dates(date(1900, 1, 1), date(2150, 1, 1))
calendars = st.builds(
    Calendar,
    delay=st.timedeltas(timedelta(0), timedelta(days=1)),
    run_day=st.integers(1, 28),
    run_at=st.times(timezones=st.none()),
)


@given(days, moments, calendars)
def test_last_month_never_takes_a_month_that_is_not_over(
    document_on: date, arrived_at: datetime, calendar: Calendar
) -> None:
    found = plan(LAST_MONTH, filed(document_on, arrived_at), calendar)
    assert found.due_at is not None
    ran_on = brussels_date(found.due_at)
    assert (ran_on.year, ran_on.month) > (document_on.year, document_on.month)
    assert found.due_at >= arrived_at or not found.late
    assert found.due_at.tzinfo is UTC or found.due_at == arrived_at


@given(moments, calendars)
def test_the_next_run_is_the_next_and_at_most_a_month_away(moment: datetime, calendar: Calendar) -> None:
    run = next_run(moment, calendar)
    assert moment < run <= moment + timedelta(days=32)


@given(days, moments, st.sampled_from([AFTER_10_MINUTES, LAST_MONTH]), st.lists(moments, min_size=1, max_size=30))
def test_whatever_the_clock_does_a_document_goes_once_and_never_early(
    document_on: date, arrived_at: datetime, rules: ExportRules, readings: list[datetime]
) -> None:
    sent_at: list[datetime] = []
    for reading in readings:  # in any order: the clock is set forward and back
        document = filed(document_on, arrived_at, sent_revision=1 if sent_at else None)
        due_at = plan(rules, document, CALENDAR).due_at
        if due_at is not None and due_at <= reading:
            assert not sent_at
            sent_at.append(reading)
    due_at = plan(rules, filed(document_on, arrived_at), CALENDAR).due_at
    assert due_at is not None
    assert bool(sent_at) is (max(readings) >= due_at), "overdue is never skipped"


def test_the_order_of_states_names_every_state() -> None:
    assert set(STATE_ORDER) == set(DocumentState)


def test_the_readme_names_what_a_document_may_wait_for() -> None:
    page = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    listed = page.split("with `waits_for`:")[1].split("`overdue`")[0]
    named = re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", listed))
    assert sorted(named) == sorted(set(WaitsFor) - {WaitsFor.NOTHING})
