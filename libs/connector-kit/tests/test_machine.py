"""Every state of a delivery meets every event."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from koppel_connector import Problem
from koppel_connector.delivery import events
from koppel_connector.delivery.events import Event
from koppel_connector.delivery.situation import Patience, Situation, Transition
from koppel_connector.delivery.state_machine import IllegalTransitionError, transition
from koppel_mesh.messages import DeliveryState as S

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
PATIENCE = Patience(retry_schedule_s=(10.0, 60.0), settle_s=30.0)
P = Problem("rejected_by_vendor")
EVENTS: dict[str, Event] = {
    "Claimed": events.Claimed(),
    "Accepted": events.Accepted(),
    "Refused": events.Refused(P),
    "RetryScheduled": events.RetryScheduled(),
    "VendorUnavailable": events.VendorUnavailable(),
    "Deferred": events.Deferred(NOW + timedelta(seconds=5)),
    "ActionNeeded": events.ActionNeeded(P),
    "Ambiguous": events.Ambiguous(NOW + timedelta(seconds=20)),
    "LookupFoundNothing": events.LookupFoundNothing(),
    "LookupFailed": events.LookupFailed(),
    "LookupAmbiguous": events.LookupAmbiguous(),
    "PriorDeliveryFound": events.PriorDeliveryFound(P),
    "OwnEntryFound": events.OwnEntryFound(),
    "EntryFoundInBooks": events.EntryFoundInBooks(P),
    "LeaseExpired": events.LeaseExpired(),
    "LeaseExpiredOpen": events.LeaseExpired(NOW + timedelta(seconds=20)),
    "ReadBackBooked": events.ReadBackBooked(),
    "ReadBackPending": events.ReadBackPending(),
    "ReadBackEnded": events.ReadBackEnded(),
    "ReadBackMissing": events.ReadBackMissing(),
    "ReadBackMismatch": events.ReadBackMismatch(P),
    "EntryReported": events.EntryReported(),
    "Bounced": events.Bounced(P),
    "RetryRequested": events.RetryRequested(),
    "Unblocked": events.Unblocked(),
    "ReexportRequested": events.ReexportRequested(),
    "Superseded": events.Superseded(),
    "ResolvedAsBooked": events.ResolvedAsBooked(),
    "ResolvedForResend": events.ResolvedForResend(),
    "ResolvedAsAbandoned": events.ResolvedAsAbandoned(),
}

# (state, uncertain) → event → new state. What is not named is refused.
TABLE: dict[tuple[S, bool], dict[str, S]] = {
    (S.READY, False): {
        "Claimed": S.SENDING,
        "ActionNeeded": S.BLOCKED,
        "Superseded": S.SUPERSEDED,
        "RetryRequested": S.READY,
        "ResolvedAsAbandoned": S.FAILED,
    },
    (S.UNKNOWN, True): {"Claimed": S.SENDING, "ActionNeeded": S.BLOCKED, "Bounced": S.FAILED},
    (S.SENDING, False): {
        "Accepted": S.EXPORTED,
        "Refused": S.FAILED,
        "RetryScheduled": S.READY,
        "VendorUnavailable": S.READY,
        "Deferred": S.READY,
        "ActionNeeded": S.BLOCKED,
        "Ambiguous": S.UNKNOWN,
        "PriorDeliveryFound": S.REVIEW,
        "OwnEntryFound": S.BOOKED,
        "EntryFoundInBooks": S.REVIEW,
        "LeaseExpired": S.READY,
        "LeaseExpiredOpen": S.UNKNOWN,
    },
    (S.SENDING, True): {
        "Accepted": S.EXPORTED,
        "Refused": S.UNKNOWN,
        "RetryScheduled": S.UNKNOWN,
        "VendorUnavailable": S.UNKNOWN,
        "Deferred": S.UNKNOWN,
        "ActionNeeded": S.BLOCKED,
        "Ambiguous": S.UNKNOWN,
        "LookupFoundNothing": S.UNKNOWN,
        "LookupFailed": S.UNKNOWN,
        "LookupAmbiguous": S.REVIEW,
        "LeaseExpired": S.UNKNOWN,
        "LeaseExpiredOpen": S.UNKNOWN,
    },
    (S.EXPORTED, False): {
        "ReadBackBooked": S.BOOKED,
        "ReadBackPending": S.EXPORTED,
        "ReadBackEnded": S.EXPORTED,
        "ReadBackMissing": S.EXPORTED,
        "ReadBackMismatch": S.REVIEW,
        "VendorUnavailable": S.EXPORTED,
        "Deferred": S.EXPORTED,
        "EntryReported": S.EXPORTED,
        "Bounced": S.FAILED,
        "RetryRequested": S.EXPORTED,
        "Unblocked": S.EXPORTED,
        "ReexportRequested": S.UNKNOWN,
        "ResolvedAsBooked": S.BOOKED,
        "ResolvedAsAbandoned": S.EXPORTED,
    },
    (S.BOOKED, False): {
        "ReadBackBooked": S.BOOKED,
        "ReadBackPending": S.BOOKED,
        "ReadBackMissing": S.BOOKED,
        "ReadBackMismatch": S.BOOKED,
        "VendorUnavailable": S.BOOKED,
        "Deferred": S.BOOKED,
        "EntryReported": S.BOOKED,
        "ReexportRequested": S.UNKNOWN,
        "ResolvedAsBooked": S.BOOKED,
    },
    (S.BLOCKED, False): {
        "ActionNeeded": S.BLOCKED,
        "Superseded": S.SUPERSEDED,
        "Unblocked": S.READY,
        "RetryRequested": S.READY,
        "ReexportRequested": S.READY,
        "ResolvedAsAbandoned": S.FAILED,
    },
    (S.BLOCKED, True): {
        "ActionNeeded": S.BLOCKED,
        "Bounced": S.FAILED,
        "Unblocked": S.UNKNOWN,
        "RetryRequested": S.UNKNOWN,
        "ReexportRequested": S.UNKNOWN,
        "ResolvedAsBooked": S.BOOKED,
        "ResolvedAsAbandoned": S.FAILED,
    },
    (S.FAILED, False): {
        "Superseded": S.SUPERSEDED,
        "RetryRequested": S.READY,
        "ReexportRequested": S.READY,
        "ResolvedAsBooked": S.BOOKED,
        "ResolvedAsAbandoned": S.FAILED,
    },
    (S.FAILED, True): {
        "Bounced": S.FAILED,
        "RetryRequested": S.UNKNOWN,
        "ReexportRequested": S.UNKNOWN,
        "ResolvedAsBooked": S.BOOKED,
        "ResolvedAsAbandoned": S.FAILED,
    },
    (S.REVIEW, False): {
        "ResolvedAsBooked": S.BOOKED,
        "ResolvedForResend": S.READY,
        "ResolvedAsAbandoned": S.FAILED,
        "ReexportRequested": S.REVIEW,
        "Unblocked": S.REVIEW,
    },
    (S.REVIEW, True): {
        "Bounced": S.FAILED,
        "ResolvedAsBooked": S.BOOKED,
        "ResolvedForResend": S.READY,
        "ResolvedAsAbandoned": S.FAILED,
        "ReexportRequested": S.REVIEW,
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
        with pytest.raises(IllegalTransitionError):
            transition(situation, EVENTS[event], PATIENCE, NOW)
        return
    made = transition(situation, EVENTS[event], PATIENCE, NOW)
    assert made.to.state is wanted
    if made.to.state in (S.READY, S.UNKNOWN):
        assert made.due_at is not None
        assert made.due_at >= NOW


def sending(**known: Any) -> Situation:
    return replace(Situation(S.SENDING), **known)


def test_definite_failures_follow_the_schedule_and_then_end() -> None:
    first = transition(sending(), EVENTS["RetryScheduled"], PATIENCE, NOW)
    assert first.due_at == NOW + timedelta(seconds=10)
    asked = transition(sending(), events.RetryScheduled(3600), PATIENCE, NOW)
    assert asked.due_at == NOW + timedelta(seconds=3600)
    last = transition(sending(failures=2), events.RetryScheduled(), PATIENCE, NOW)
    assert last.to.state is S.FAILED
    assert last.problem == Problem("retries_exhausted")


def test_waiting_for_a_vendor_that_is_away_spends_no_try_and_follows_no_schedule() -> None:
    away = events.VendorUnavailable(Problem("vendor_unavailable"))
    sent = transition(sending(failures=2), away, PATIENCE, NOW)
    assert (sent.to.state, sent.to.failures, sent.due_at) == (S.READY, 2, NOW)
    searched = transition(sending(failures=2, lookups=9, unknown_since=NOW), away, PATIENCE, NOW)
    assert (searched.to.state, searched.to.lookups, searched.due_at) == (S.UNKNOWN, 9, NOW)


def test_a_search_at_a_vendor_that_stays_away_goes_to_a_person_in_the_end() -> None:
    doubtful = sending(unknown_since=NOW - timedelta(days=2))
    made = transition(doubtful, events.VendorUnavailable(), PATIENCE, NOW)
    assert (made.to.state, made.problem) == (S.REVIEW, Problem("unknown_outcome_review", None))


def test_a_document_that_always_finds_the_vendor_well_and_leaves_it_ill_fails_in_the_end() -> None:
    problem = Problem("vendor_unavailable")
    ill = events.VendorUnavailable(problem, was_well=True)
    first, second, third = (transition(sending(failures=failures), ill, PATIENCE, NOW) for failures in range(3))
    assert (first.to.failures, first.due_at) == (1, NOW)
    assert (second.to.failures, second.due_at) == (2, NOW + timedelta(seconds=10))
    assert (third.to.state, third.problem) == (S.FAILED, problem)


def test_the_clock_of_what_is_exported_and_not_booked_goes_on_while_the_vendor_is_away() -> None:
    exported = Situation(S.EXPORTED, exported_at=NOW - timedelta(days=2))
    made = transition(exported, events.VendorUnavailable(), PATIENCE, NOW)
    assert made.problem == Problem("exported_not_booked")


def test_waiting_for_budget_or_a_person_spends_no_attempt() -> None:
    for event in ("Deferred", "ActionNeeded"):
        assert transition(sending(failures=1), EVENTS[event], PATIENCE, NOW).to.failures == 1


def test_the_first_lookup_waits_past_the_deadline_and_settles() -> None:
    made = transition(sending(), EVENTS["Ambiguous"], PATIENCE, NOW)
    assert made.due_at == NOW + timedelta(seconds=20 + 30)


def test_only_not_found_twice_allows_a_resend() -> None:
    uncertain = sending(unknown_since=NOW)
    first = transition(uncertain, EVENTS["LookupFoundNothing"], PATIENCE, NOW)
    assert (first.to.state, first.due_at) == (S.UNKNOWN, NOW + timedelta(seconds=30))
    second = transition(replace(first.to, state=S.SENDING), EVENTS["LookupFoundNothing"], PATIENCE, NOW)
    assert (second.to.state, second.to.unknown_since) == (S.READY, None)


def test_what_is_never_found_is_sent_at_once_then_by_schedule_and_not_for_ever() -> None:
    situation, pauses = sending(), []
    for _ in range(len(PATIENCE.retry_schedule_s) + 1):
        lost = transition(situation, EVENTS["Ambiguous"], PATIENCE, NOW).to
        once = transition(replace(lost, state=S.SENDING), EVENTS["LookupFoundNothing"], PATIENCE, NOW).to
        again = transition(replace(once, state=S.SENDING), EVENTS["LookupFoundNothing"], PATIENCE, NOW)
        pauses.append((again.due_at or NOW) - NOW)
        situation = replace(again.to, state=S.SENDING)
    assert again.to.state is S.FAILED
    assert again.problem == Problem("retries_exhausted")
    expected = [0.0, *(each * PATIENCE.jitter for each in PATIENCE.retry_schedule_s[:-1]), 0.0]
    assert pauses == [timedelta(seconds=each) for each in expected]


def test_what_the_vendor_reports_hurries_no_search_before_the_call_can_no_longer_act() -> None:
    waiting = Situation(S.UNKNOWN, unknown_since=NOW)
    with pytest.raises(IllegalTransitionError):
        transition(waiting, EVENTS["EntryReported"], PATIENCE, NOW)
    made = transition(replace(waiting, not_found=1), EVENTS["EntryReported"], PATIENCE, NOW)
    assert (made.to.state, made.due_at) == (S.UNKNOWN, NOW)
    assert made.to.not_found == 0, "not found twice counts from here, a settling time apart"


def test_what_bounced_is_not_there_and_may_be_sent_again() -> None:
    made = transition(Situation(S.UNKNOWN, unknown_since=NOW), EVENTS["Bounced"], PATIENCE, NOW)
    assert transition(made.to, EVENTS["RetryRequested"], PATIENCE, NOW).to.state is S.READY


def test_age_turns_unknown_into_review_never_into_failed() -> None:
    old = sending(unknown_since=NOW - timedelta(hours=25))
    made = transition(old, EVENTS["LookupFailed"], PATIENCE, NOW)
    assert (made.to.state, made.problem) == (S.REVIEW, Problem("unknown_outcome_review"))
    rendered = transition(old, events.LookupFailed("no right to read entries"), PATIENCE, NOW)
    assert rendered.problem == Problem("unknown_outcome_review", "no right to read entries")


def test_vendors_that_cannot_be_searched() -> None:
    asks = replace(PATIENCE, on_ambiguous="review")
    assert transition(sending(), EVENTS["Ambiguous"], asks, NOW).to.state is S.REVIEW


def test_what_a_person_left_may_still_be_there() -> None:
    left = transition(Situation(S.REVIEW, unknown_since=NOW), EVENTS["ResolvedAsAbandoned"], PATIENCE, NOW).to
    assert transition(left, EVENTS["RetryRequested"], PATIENCE, NOW).to.state is S.UNKNOWN
    asks = replace(PATIENCE, on_ambiguous="review")
    assert transition(left, EVENTS["RetryRequested"], asks, NOW).to.state is S.REVIEW


def test_what_a_person_leaves_exported_is_not_looked_at_again_nor_sent() -> None:
    """The vendor has it: as failed it would be sent again by a retry."""
    was = Situation(S.EXPORTED, exported_at=NOW, lookups=9)
    assert transition(was, EVENTS["ResolvedAsAbandoned"], PATIENCE, NOW) == Transition(was, None)


def test_a_clock_notices_exported_but_not_booked() -> None:
    patience = replace(PATIENCE, unbooked_after_s=3600)
    early = Situation(S.EXPORTED, exported_at=NOW - timedelta(seconds=3590), lookups=5)
    quiet = transition(early, EVENTS["ReadBackPending"], patience, NOW)
    assert quiet.problem is None
    assert quiet.due_at == NOW + timedelta(seconds=10)
    late = replace(early, exported_at=NOW - timedelta(hours=2))
    assert transition(late, EVENTS["ReadBackPending"], patience, NOW).problem == Problem("exported_not_booked")


def test_what_may_stay_exported_is_reported_by_no_clock_and_looked_for_until_a_quarter_is_over() -> None:
    patience = replace(PATIENCE, unbooked_after_s=3600, may_stay_exported=True)
    late = Situation(S.EXPORTED, exported_at=NOW - timedelta(days=90), lookups=5)
    seen = transition(late, EVENTS["ReadBackPending"], patience, NOW)
    assert (seen.to.state, seen.problem) == (S.EXPORTED, None)
    assert seen.due_at is not None
    assert transition(late, EVENTS["VendorUnavailable"], patience, NOW).problem is None
    given_up = replace(late, exported_at=NOW - timedelta(days=101))
    assert transition(given_up, EVENTS["ReadBackPending"], patience, NOW).due_at is None
    assert transition(given_up, EVENTS["ReadBackBooked"], patience, NOW).to.state is S.BOOKED


def test_the_clock_has_the_last_word_on_what_nobody_can_read_back_any_more() -> None:
    patience = replace(PATIENCE, unbooked_after_s=3600)
    was = Situation(S.EXPORTED, exported_at=NOW)
    early = transition(was, EVENTS["ReadBackEnded"], patience, NOW)
    assert early == Transition(was, NOW + timedelta(hours=1))
    late = transition(was, EVENTS["ReadBackEnded"], patience, NOW + timedelta(hours=1))
    assert late == Transition(was, None, Problem("exported_not_booked"))
    mailed = transition(was, EVENTS["ReadBackEnded"], replace(patience, may_stay_exported=True), NOW)
    assert mailed == Transition(was, None)


def test_gone_is_what_is_not_there_twice() -> None:
    first = transition(Situation(S.EXPORTED), EVENTS["ReadBackMissing"], PATIENCE, NOW)
    assert (first.to.state, first.due_at) == (S.EXPORTED, NOW + timedelta(seconds=30))
    assert transition(first.to, EVENTS["ReadBackMissing"], PATIENCE, NOW).to.state is S.REVIEW


def test_nothing_is_asked_where_nothing_can_be_read_back() -> None:
    assert transition(sending(), EVENTS["Accepted"], replace(PATIENCE, reads_back=False), NOW).due_at is None
