"""Every state meets every event; a random walk never sends again what may be there."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from koppel_connector import Problem, happenings
from koppel_connector.happenings import Event
from koppel_connector.machine import IllegalMoveError, Patience, Situation, move
from koppel_mesh.messages import DeliveryState as S

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
PATIENCE = Patience(retry_schedule_s=(10.0, 60.0), settle_s=30.0)
P = Problem("rejected_by_vendor")
EVENTS: dict[str, Event] = {
    "Claimed": happenings.Claimed(),
    "Accepted": happenings.Accepted(),
    "Refused": happenings.Refused(P),
    "Postponed": happenings.Postponed(),
    "HeldBack": happenings.HeldBack(NOW + timedelta(seconds=5)),
    "WaitsForPerson": happenings.WaitsForPerson(P),
    "Ambiguous": happenings.Ambiguous(NOW + timedelta(seconds=20)),
    "SearchedInVain": happenings.SearchedInVain(),
    "SearchFailed": happenings.SearchFailed(),
    "FoundSeveral": happenings.FoundSeveral(),
    "LeaseExpired": happenings.LeaseExpired(),
    "LeaseExpiredOpen": happenings.LeaseExpired(NOW + timedelta(seconds=20)),
    "SeenBooked": happenings.SeenBooked(),
    "SeenUnbooked": happenings.SeenUnbooked(),
    "SeenVanished": happenings.SeenVanished(),
    "SeenDifferent": happenings.SeenDifferent(P),
    "RetryAsked": happenings.RetryAsked(),
    "Unblocked": happenings.Unblocked(),
    "AgainAsked": happenings.AgainAsked(),
    "Superseded": happenings.Superseded(),
    "ResolvedBooked": happenings.ResolvedBooked(),
    "ResolvedResend": happenings.ResolvedResend(),
    "ResolvedAbandoned": happenings.ResolvedAbandoned(),
}

# (state, uncertain) → event → new state. What is not named is refused.
TABLE: dict[tuple[S, bool], dict[str, S]] = {
    (S.READY, False): {
        "Claimed": S.SENDING,
        "WaitsForPerson": S.BLOCKED,
        "Superseded": S.SUPERSEDED,
        "RetryAsked": S.READY,
        "ResolvedAbandoned": S.FAILED,
    },
    (S.UNKNOWN, True): {"Claimed": S.SENDING, "WaitsForPerson": S.BLOCKED},
    (S.SENDING, False): {
        "Accepted": S.EXPORTED,
        "Refused": S.FAILED,
        "Postponed": S.READY,
        "HeldBack": S.READY,
        "WaitsForPerson": S.BLOCKED,
        "Ambiguous": S.UNKNOWN,
        "LeaseExpired": S.READY,
        "LeaseExpiredOpen": S.UNKNOWN,
    },
    (S.SENDING, True): {
        "Accepted": S.EXPORTED,
        "Refused": S.UNKNOWN,
        "Postponed": S.UNKNOWN,
        "HeldBack": S.UNKNOWN,
        "WaitsForPerson": S.BLOCKED,
        "Ambiguous": S.UNKNOWN,
        "SearchedInVain": S.UNKNOWN,
        "SearchFailed": S.UNKNOWN,
        "FoundSeveral": S.REVIEW,
        "LeaseExpired": S.UNKNOWN,
        "LeaseExpiredOpen": S.UNKNOWN,
    },
    (S.EXPORTED, False): {
        "SeenBooked": S.BOOKED,
        "SeenUnbooked": S.EXPORTED,
        "SeenVanished": S.EXPORTED,
        "SeenDifferent": S.REVIEW,
        "HeldBack": S.EXPORTED,
        "RetryAsked": S.EXPORTED,
        "Unblocked": S.EXPORTED,
        "AgainAsked": S.UNKNOWN,
        "ResolvedBooked": S.BOOKED,
    },
    (S.BOOKED, False): {"AgainAsked": S.UNKNOWN},
    (S.BLOCKED, False): {
        "WaitsForPerson": S.BLOCKED,
        "Superseded": S.SUPERSEDED,
        "Unblocked": S.READY,
        "RetryAsked": S.READY,
        "AgainAsked": S.READY,
        "ResolvedAbandoned": S.FAILED,
    },
    (S.BLOCKED, True): {
        "WaitsForPerson": S.BLOCKED,
        "Unblocked": S.UNKNOWN,
        "RetryAsked": S.UNKNOWN,
        "AgainAsked": S.UNKNOWN,
        "ResolvedBooked": S.BOOKED,
        "ResolvedAbandoned": S.FAILED,
    },
    (S.FAILED, False): {
        "Superseded": S.SUPERSEDED,
        "RetryAsked": S.READY,
        "AgainAsked": S.READY,
        "ResolvedBooked": S.BOOKED,
    },
    (S.FAILED, True): {"RetryAsked": S.UNKNOWN, "AgainAsked": S.UNKNOWN, "ResolvedBooked": S.BOOKED},
    (S.REVIEW, False): {
        "ResolvedBooked": S.BOOKED,
        "ResolvedResend": S.READY,
        "ResolvedAbandoned": S.FAILED,
        "AgainAsked": S.REVIEW,
        "Unblocked": S.REVIEW,
    },
    (S.REVIEW, True): {
        "ResolvedBooked": S.BOOKED,
        "ResolvedResend": S.READY,
        "ResolvedAbandoned": S.FAILED,
        "AgainAsked": S.REVIEW,
        "Unblocked": S.REVIEW,
    },
    (S.SUPERSEDED, False): {},
}


def test_the_table_names_every_state() -> None:
    assert {state for state, _ in TABLE} == set(S)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(("state", "uncertain"), TABLE)
def test_every_state_meets_every_event(state: S, uncertain: bool, event: str) -> None:
    situation = Situation(state, unknown_since=NOW - timedelta(minutes=1) if uncertain else None)
    wanted = TABLE[state, uncertain].get(event)
    if wanted is None:
        with pytest.raises(IllegalMoveError):
            move(situation, EVENTS[event], PATIENCE, NOW)
        return
    made = move(situation, EVENTS[event], PATIENCE, NOW)
    assert made.to.state is wanted
    if made.to.state in (S.READY, S.UNKNOWN):
        assert made.due_at is not None
        assert made.due_at >= NOW


def sending(**known: Any) -> Situation:
    return replace(Situation(S.SENDING), **known)


def test_definite_failures_follow_the_schedule_and_then_end() -> None:
    first = move(sending(), EVENTS["Postponed"], PATIENCE, NOW)
    assert first.due_at == NOW + timedelta(seconds=10)
    asked = move(sending(), happenings.Postponed(3600), PATIENCE, NOW)
    assert asked.due_at == NOW + timedelta(seconds=3600)
    last = move(sending(failures=2), happenings.Postponed(), PATIENCE, NOW)
    assert last.to.state is S.FAILED
    assert last.problem == Problem("retries_exhausted")


def test_waiting_for_budget_or_a_person_spends_no_attempt() -> None:
    for event in ("HeldBack", "WaitsForPerson"):
        assert move(sending(failures=1), EVENTS[event], PATIENCE, NOW).to.failures == 1


def test_the_first_lookup_waits_past_the_deadline_and_settles() -> None:
    made = move(sending(), EVENTS["Ambiguous"], PATIENCE, NOW)
    assert made.due_at == NOW + timedelta(seconds=20 + 30)


def test_only_not_found_twice_allows_a_resend() -> None:
    uncertain = sending(unknown_since=NOW)
    first = move(uncertain, EVENTS["SearchedInVain"], PATIENCE, NOW)
    assert (first.to.state, first.due_at) == (S.UNKNOWN, NOW + timedelta(seconds=30))
    second = move(replace(first.to, state=S.SENDING), EVENTS["SearchedInVain"], PATIENCE, NOW)
    assert (second.to.state, second.to.unknown_since) == (S.READY, None)


def test_what_is_never_found_is_sent_at_once_then_by_schedule_and_not_for_ever() -> None:
    situation, pauses = sending(), []
    for _ in range(len(PATIENCE.retry_schedule_s) + 1):
        lost = move(situation, EVENTS["Ambiguous"], PATIENCE, NOW).to
        once = move(replace(lost, state=S.SENDING), EVENTS["SearchedInVain"], PATIENCE, NOW).to
        again = move(replace(once, state=S.SENDING), EVENTS["SearchedInVain"], PATIENCE, NOW)
        pauses.append((again.due_at or NOW) - NOW)
        situation = replace(again.to, state=S.SENDING)
    assert again.to.state is S.FAILED
    assert again.problem == Problem("retries_exhausted")
    expected = [0.0, *(each * PATIENCE.jitter for each in PATIENCE.retry_schedule_s[:-1]), 0.0]
    assert pauses == [timedelta(seconds=each) for each in expected]


def test_age_turns_unknown_into_review_never_into_failed() -> None:
    old = sending(unknown_since=NOW - timedelta(hours=25))
    made = move(old, EVENTS["SearchFailed"], PATIENCE, NOW)
    assert (made.to.state, made.problem) == (S.REVIEW, Problem("unknown_outcome_review"))
    told = move(old, happenings.SearchFailed("no right to read entries"), PATIENCE, NOW)
    assert told.problem == Problem("unknown_outcome_review", "no right to read entries")


def test_vendors_that_cannot_be_searched() -> None:
    asks = replace(PATIENCE, on_ambiguous="review")
    assert move(sending(), EVENTS["Ambiguous"], asks, NOW).to.state is S.REVIEW
    safe = replace(PATIENCE, on_ambiguous="resend_safe")
    assert move(sending(), EVENTS["Ambiguous"], safe, NOW).to.state is S.READY


def test_what_a_person_left_may_still_be_there() -> None:
    left = move(Situation(S.REVIEW, unknown_since=NOW), EVENTS["ResolvedAbandoned"], PATIENCE, NOW).to
    assert move(left, EVENTS["RetryAsked"], PATIENCE, NOW).to.state is S.UNKNOWN
    asks = replace(PATIENCE, on_ambiguous="review")
    assert move(left, EVENTS["RetryAsked"], asks, NOW).to.state is S.REVIEW


def test_a_clock_notices_exported_but_not_booked() -> None:
    patience = replace(PATIENCE, unbooked_after_s=3600)
    early = Situation(S.EXPORTED, exported_at=NOW - timedelta(seconds=3590), lookups=5)
    quiet = move(early, EVENTS["SeenUnbooked"], patience, NOW)
    assert quiet.problem is None
    assert quiet.due_at == NOW + timedelta(seconds=10)
    late = replace(early, exported_at=NOW - timedelta(hours=2))
    assert move(late, EVENTS["SeenUnbooked"], patience, NOW).problem == Problem("exported_not_booked")


def test_gone_is_what_is_not_there_twice() -> None:
    first = move(Situation(S.EXPORTED), EVENTS["SeenVanished"], PATIENCE, NOW)
    assert (first.to.state, first.due_at) == (S.EXPORTED, NOW + timedelta(seconds=30))
    assert move(first.to, EVENTS["SeenVanished"], PATIENCE, NOW).to.state is S.REVIEW


def test_nothing_is_asked_where_nothing_can_be_read_back() -> None:
    assert move(sending(), EVENTS["Accepted"], replace(PATIENCE, reads_back=False), NOW).due_at is None


class AnyWalk(RuleBasedStateMachine):
    """A vendor that may have acted on any send; the machine must never send while it may hold our document."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.situation = Situation(S.READY)
        self.due_at: datetime | None = NOW
        self.held = 0
        self.misses: list[datetime] = []
        self.person_spoke = False

    def go(self, event: Event) -> None:
        made = move(self.situation, event, PATIENCE, self.now)
        self.situation, self.due_at = made.to, made.due_at

    @rule(seconds=st.integers(0, 100_000))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.situation.state is S.READY and self.due_at is not None and self.due_at <= self.now)
    @rule(
        acted=st.booleans(),
        ending=st.sampled_from(["Accepted", "Ambiguous", "Refused", "Postponed", "HeldBack", "WaitsForPerson", "dies"]),
    )
    def send(self, acted: bool, ending: str) -> None:
        self.go(happenings.Claimed())
        definite_no = ending in ("Refused", "Postponed", "HeldBack", "WaitsForPerson")
        if ending == "Accepted" or (acted and not definite_no):
            self.held += 1
        deadline_at = self.now + timedelta(seconds=20)
        match ending:
            case "dies":
                self.go(happenings.LeaseExpired(deadline_at))
            case "Ambiguous":
                self.go(happenings.Ambiguous(deadline_at))
            case "HeldBack":
                self.go(happenings.HeldBack(deadline_at))
            case _:
                self.go(EVENTS[ending])

    @precondition(
        lambda self: self.situation.state is S.UNKNOWN and self.due_at is not None and self.due_at <= self.now
    )
    @rule(works=st.booleans())
    def look_up(self, works: bool) -> None:
        self.go(happenings.Claimed())
        if not works:
            self.go(happenings.SearchFailed())
        elif self.held:
            self.go(happenings.Accepted())
        else:
            self.misses.append(self.now)
            self.go(happenings.SearchedInVain())

    @precondition(lambda self: self.situation.state in (S.BLOCKED, S.FAILED))
    @rule(event=st.sampled_from(["RetryAsked", "AgainAsked"]))
    def person_retries(self, event: str) -> None:
        self.go(EVENTS[event])

    @precondition(lambda self: self.situation.state in (S.BOOKED, S.EXPORTED))
    @rule(event=st.sampled_from(["AgainAsked"]))
    def exported_again(self, event: str) -> None:
        self.go(EVENTS[event])

    @precondition(lambda self: self.situation.state is S.UNKNOWN)
    @rule()
    def connection_stops(self) -> None:
        self.go(EVENTS["WaitsForPerson"])

    @precondition(lambda self: self.situation.state is S.EXPORTED)
    @rule()
    def read_back(self) -> None:
        self.go(happenings.SeenBooked())

    @invariant()
    def never_twice(self) -> None:
        assert self.held <= 1

    @invariant()
    def never_failed_while_uncertain(self) -> None:
        if self.situation.state is S.FAILED:
            assert self.held == 0

    @invariant()
    def somebody_looks_again(self) -> None:
        if self.situation.state in (S.READY, S.UNKNOWN):
            assert self.due_at is not None

    @invariant()
    def misses_are_settled(self) -> None:
        if self.situation.state is S.READY and len(self.misses) >= 2:
            assert self.misses[-1] - self.misses[-2] >= timedelta(seconds=PATIENCE.settle_s)


TestAnyWalk = AnyWalk.TestCase
TestAnyWalk.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
