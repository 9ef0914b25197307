"""A random walk over the delivery's machine never sends again what may be there."""

from contextlib import suppress
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from koppel_connector.delivery import events
from koppel_connector.delivery.events import Event
from koppel_connector.delivery.situation import Situation
from koppel_connector.delivery.state_machine import IllegalTransitionError, transition
from koppel_mesh.messages import DeliveryState as S

from .test_machine import EVENTS, NOW, PATIENCE


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
        made = transition(self.situation, event, PATIENCE, self.now)
        self.situation, self.due_at = made.to, made.due_at

    @rule(seconds=st.integers(0, 100_000))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.situation.state is S.READY and self.due_at is not None and self.due_at <= self.now)
    @rule(
        acted=st.booleans(),
        ending=st.sampled_from(
            ["Accepted", "Ambiguous", "Refused", "RetryScheduled", "Deferred", "ActionNeeded", "dies"]
        ),
    )
    def send(self, acted: bool, ending: str) -> None:
        self.go(events.Claimed())
        definite_no = ending in ("Refused", "RetryScheduled", "Deferred", "ActionNeeded")
        if ending == "Accepted" or (acted and not definite_no):
            self.held += 1
        deadline_at = self.now + timedelta(seconds=20)
        match ending:
            case "dies":
                self.go(events.LeaseExpired(deadline_at))
            case "Ambiguous":
                self.go(events.Ambiguous(deadline_at))
            case "Deferred":
                self.go(events.Deferred(deadline_at))
            case _:
                self.go(EVENTS[ending])

    @precondition(
        lambda self: self.situation.state is S.UNKNOWN and self.due_at is not None and self.due_at <= self.now
    )
    @rule(contexts=st.booleans())
    def look_up(self, contexts: bool) -> None:
        self.go(events.Claimed())
        if not contexts:
            self.go(events.LookupFailed())
        elif self.held:
            self.go(events.Accepted())
        else:
            self.misses.append(self.now)
            self.go(events.LookupFoundNothing())

    @precondition(lambda self: self.situation.state is S.UNKNOWN)
    @rule()
    def vendor_reports(self) -> None:
        with suppress(IllegalTransitionError):
            self.go(events.EntryReported())

    @precondition(lambda self: self.situation.state in (S.BLOCKED, S.FAILED))
    @rule(event=st.sampled_from(["RetryRequested", "ReexportRequested"]))
    def person_retries(self, event: str) -> None:
        self.go(EVENTS[event])

    @precondition(lambda self: self.situation.state in (S.BOOKED, S.EXPORTED))
    @rule(event=st.sampled_from(["ReexportRequested"]))
    def exported_again(self, event: str) -> None:
        self.go(EVENTS[event])

    @precondition(lambda self: self.situation.state is S.UNKNOWN)
    @rule()
    def connection_stops(self) -> None:
        self.go(EVENTS["ActionNeeded"])

    @precondition(lambda self: self.situation.state is S.EXPORTED)
    @rule()
    def read_back(self) -> None:
        self.go(events.ReadBackBooked())

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
