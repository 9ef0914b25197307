"""The delivery's state machine: a pure function from (situation, event, patience, now) to a move.

Nothing here knows a database or a vendor. The rule behind every line: what may have reached the vendor is looked up before
it is sent again, and no passing of time turns "we do not know" into "failed" (messaging sheet §3.5–§3.8).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from koppel_connector.contract.problems import Problem
from koppel_mesh.messages import DeliveryState

from .events import (
    Accepted,
    ActionNeeded,
    Ambiguous,
    Bounced,
    Claimed,
    Deferred,
    EntryReported,
    Event,
    LeaseExpired,
    LookupAmbiguous,
    LookupFailed,
    LookupFoundNothing,
    PriorDeliveryFound,
    ReadBackBooked,
    ReadBackMismatch,
    ReadBackMissing,
    ReadBackPending,
    ReexportRequested,
    Refused,
    ResolvedAsAbandoned,
    ResolvedAsBooked,
    ResolvedForResend,
    RetryRequested,
    RetryScheduled,
    Superseded,
    Unblocked,
    VendorUnavailable,
)

READY = DeliveryState.READY
SENDING = DeliveryState.SENDING
EXPORTED = DeliveryState.EXPORTED
BOOKED = DeliveryState.BOOKED
FAILED = DeliveryState.FAILED
BLOCKED = DeliveryState.BLOCKED
UNKNOWN = DeliveryState.UNKNOWN
REVIEW = DeliveryState.REVIEW
SUPERSEDED = DeliveryState.SUPERSEDED

READ_BACK_SCHEDULE_S = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0)
"""Pauses between looks at an exported document that is not booked yet; the last one repeats."""


@dataclass(frozen=True)
class Situation:
    """What the machine needs to know of a delivery."""

    state: DeliveryState
    unknown_since: datetime | None = None
    """Set while the vendor may hold something we cannot account for; survives ``blocked``, restarts, and being left."""
    failures: int = 0
    """Definite failures so far, sends of which nothing was found among them; waiting for a person or budget is none."""
    lookups: int = 0
    """Searches that could not tell, and read-backs that saw nothing yet: paces the next."""
    not_found: int = 0
    """Complete searches in a row that found nothing."""
    exported_at: datetime | None = None


@dataclass(frozen=True)
class Patience:
    """How long this service and this vendor wait for what, and how often they try."""

    retry_schedule_s: tuple[float, ...]
    settle_s: float
    on_ambiguous: str = "lookup"
    reads_back: bool = True
    unbooked_after_s: float = 86_400.0
    review_after_s: float = 86_400.0
    jitter: float = 1.0
    """Between 0.8 and 1.2, drawn by the caller."""


@dataclass(frozen=True)
class Transition:
    """The new situation; ``due_at`` is when somebody must look again (None: never by itself)."""

    to: Situation
    due_at: datetime | None = None
    problem: Problem | None = None
    keeps_problem: bool = False


class IllegalTransitionError(Exception):
    """This cannot happen to a delivery in that state; the event came too late or is a bug."""

    def __init__(self, state: DeliveryState, event: "Event") -> None:
        super().__init__(f"{type(event).__name__} cannot happen to a delivery that is {state}")


# ----------------------------------------------------------------------------------------------------------------- moves


def transition(situation: Situation, event: Event, patience: Patience, now: datetime) -> Transition:
    """Return what becomes of a delivery.

    Raises:
        IllegalTransitionError: ``event`` cannot happen in this state; nothing must be changed.
    """
    match situation.state, event:
        case _, EntryReported():
            made = _reported(situation, patience, now)
        case _, Bounced(problem):
            made = _bounced(situation, problem)
        case DeliveryState.SENDING, _:
            made = _from_sending(situation, event, patience, now)
        case DeliveryState.EXPORTED, _:
            made = _from_exported(situation, event, patience, now)
        case DeliveryState.REVIEW, _:
            made = _from_review(situation, event, now)
        case _:
            made = _from_waiting(situation, event, patience, now)
    if made is None:
        raise IllegalTransitionError(situation.state, event)
    return made


def _from_sending(now_is: Situation, event: Event, patience: Patience, now: datetime) -> Transition | None:
    match event:
        case Accepted():
            return _exported(now_is, patience, now)
        case ActionNeeded(problem):
            return Transition(replace(now_is, state=BLOCKED), None, problem)
        case Ambiguous(deadline_at, problem):
            return _ambiguous(now_is, patience, now, deadline_at, problem)
    return (
        _from_lookup(now_is, event, patience, now) if now_is.unknown_since else _from_send(now_is, event, patience, now)
    )


def _from_send(now_is: Situation, event: Event, patience: Patience, now: datetime) -> Transition | None:
    match event:
        case Refused(problem):
            return _ended(now_is, FAILED, problem)
        case PriorDeliveryFound(problem):
            return _ended(now_is, REVIEW, problem)
        case RetryScheduled(retry_after_s, problem):
            return _postponed(now_is, patience, now, retry_after_s, problem)
        case VendorUnavailable(problem, was_well):
            return _held(now_is, patience, now, problem, was_well=was_well)
        case Deferred(until, problem):
            return Transition(replace(now_is, state=READY), max(until, now), problem)
        case LeaseExpired(None):
            return Transition(replace(now_is, state=READY), now, keeps_problem=True)
        case LeaseExpired(deadline_at) if deadline_at is not None:
            return _ambiguous(now_is, patience, now, deadline_at, None)
    return None


def _from_lookup(now_is: Situation, event: Event, patience: Patience, now: datetime) -> Transition | None:
    match event:
        case LookupFoundNothing():
            return _searched_in_vain(now_is, patience, now)
        case LookupAmbiguous(problem):
            return _ended(now_is, REVIEW, problem or Problem("found_twice"))
        case LookupFailed(reason):
            return _cannot_tell(now_is, patience, now, reason)
        case Refused(problem):
            # Refusing a *search* says nothing about the document: only a send can end as failed.
            return _cannot_tell(now_is, patience, now, str(problem))
        case RetryScheduled(retry_after_s, _):
            return _cannot_tell(now_is, patience, now, None, at_least_s=retry_after_s or 0.0)
        case VendorUnavailable() if not _is_for_review(now_is, patience, now):
            return Transition(replace(now_is, state=UNKNOWN), now, keeps_problem=True)
        case VendorUnavailable():
            return _cannot_tell(now_is, patience, now, None)
        case Deferred(until, problem):
            return Transition(replace(now_is, state=UNKNOWN), max(until, now), problem)
        case LeaseExpired():
            return Transition(replace(now_is, state=UNKNOWN), now, keeps_problem=True)
    return None


def _from_exported(now_is: Situation, event: Event, patience: Patience, now: datetime) -> Transition | None:
    match event:
        case ReadBackBooked() | ResolvedAsBooked():
            return _ended(now_is, BOOKED, None)
        case ReadBackPending():
            return _still_unbooked(now_is, patience, now)
        case ReadBackMissing():
            return _not_seen(now_is, patience, now)
        case ReadBackMismatch(problem):
            return _ended(now_is, REVIEW, problem)
        case Deferred(until, _):
            return Transition(now_is, max(until, now), keeps_problem=True)
        case VendorUnavailable():
            return Transition(now_is, now, _overdue(now_is, patience, now))
        case RetryRequested() | Unblocked():
            return Transition(now_is, now if patience.reads_back else None, keeps_problem=True)
        case ReexportRequested():
            return _doubted(now_is, patience, now)
    return None


def _from_review(now_is: Situation, event: Event, now: datetime) -> Transition | None:
    match event:
        case ResolvedAsBooked():
            return _ended(replace(now_is, unknown_since=None), BOOKED, None)
        case ResolvedForResend():
            return Transition(_fresh(now_is), now)
        case ResolvedAsAbandoned(problem):
            return _ended(now_is, FAILED, problem)
        case ReexportRequested() | Unblocked():
            return Transition(now_is, None, keeps_problem=True)
    return None


def _from_waiting(now_is: Situation, event: Event, patience: Patience, now: datetime) -> Transition | None:
    """ready, unknown, blocked, failed, booked, superseded: nobody is working on it."""
    state, uncertain = now_is.state, now_is.unknown_since is not None
    match event:
        case Claimed() if state in (READY, UNKNOWN):
            return Transition(replace(now_is, state=SENDING), None, keeps_problem=True)
        case ActionNeeded(problem) if state in (READY, UNKNOWN, BLOCKED):
            return Transition(replace(now_is, state=BLOCKED), None, problem)
        case Superseded() if state in (READY, BLOCKED, FAILED) and not uncertain:
            return _ended(now_is, SUPERSEDED, None)
        case Unblocked() if state is BLOCKED:
            return _resumed(now_is, patience, now)
        case RetryRequested() if state in (BLOCKED, FAILED):
            return _resumed(now_is, patience, now)
        case RetryRequested() if state is READY:
            return Transition(now_is, now, keeps_problem=True)
        case ReexportRequested() if state in (BLOCKED, FAILED):
            return _resumed(now_is, patience, now)
        case ReexportRequested() if state is BOOKED:
            return _doubted(now_is, patience, now)
        case ResolvedAsBooked() if state is FAILED or (state is BLOCKED and uncertain):
            return _ended(replace(now_is, unknown_since=None), BOOKED, None)
        case ResolvedAsAbandoned(problem) if state in (READY, BLOCKED, FAILED):
            # One that is uncertain is among them: where its connection is gone nobody can look, and a person may know the books.
            return _ended(now_is, FAILED, problem)
    return None


def _exported(was: Situation, patience: Patience, now: datetime) -> Transition:
    reached = replace(was, state=EXPORTED, unknown_since=None, not_found=0, lookups=0, exported_at=now)
    return Transition(reached, now if patience.reads_back else None)


def _ended(was: Situation, state: DeliveryState, problem: Problem | None) -> Transition:
    return Transition(replace(was, state=state), None, problem)


def _reported(was: Situation, patience: Patience, now: datetime) -> Transition | None:
    if was.state is EXPORTED:
        return Transition(was, now if patience.reads_back else None, keeps_problem=True)
    if was.state is UNKNOWN and (was.lookups or was.not_found):
        # Not before the first search: the call may still act until that is due, and what is not found too early proves nothing.
        return Transition(replace(was, not_found=0), now, keeps_problem=True)
    return None


def _bounced(was: Situation, problem: Problem) -> Transition | None:
    if was.state is EXPORTED or (was.unknown_since is not None and was.state is not SENDING):
        return _ended(replace(was, unknown_since=None, not_found=0, lookups=0), FAILED, problem)
    return None


def _fresh(was: Situation) -> Situation:
    return replace(was, state=READY, unknown_since=None, not_found=0, lookups=0, failures=0)


def _resumed(was: Situation, patience: Patience, now: datetime) -> Transition:
    if was.unknown_since is None:
        return Transition(_fresh(was), now)
    if patience.on_ambiguous == "review":
        return _ended(was, REVIEW, Problem("unknown_outcome_review"))
    # Settled anew: it may have been blocked a moment after the attempt, and "not found twice" counts from the start.
    settled_at = now + timedelta(seconds=patience.settle_s)
    return Transition(replace(was, state=UNKNOWN, not_found=0), settled_at, keeps_problem=True)


def _doubted(was: Situation, patience: Patience, now: datetime) -> Transition | None:
    """Look again at something that was there; where nobody can look, what we know stays what it is."""
    if patience.on_ambiguous != "lookup":
        return None
    return Transition(replace(was, state=UNKNOWN, unknown_since=now, not_found=0, lookups=0, failures=0), now)


def _postponed(
    was: Situation, patience: Patience, now: datetime, retry_after_s: float | None, problem: Problem | None
) -> Transition:
    failures = was.failures + 1
    if failures > len(patience.retry_schedule_s):
        return _ended(replace(was, failures=failures), FAILED, problem or Problem("retries_exhausted"))
    delay_s = max(patience.retry_schedule_s[failures - 1] * patience.jitter, min(retry_after_s or 0.0, 86_400.0))
    return Transition(replace(was, state=READY, failures=failures), now + timedelta(seconds=delay_s), problem)


def _held(was: Situation, patience: Patience, now: datetime, problem: Problem | None, *, was_well: bool) -> Transition:
    """Wait for the vendor. A document that always finds it well and leaves it ill is a failure like others, in the end."""
    failures = was.failures + was_well
    if failures > len(patience.retry_schedule_s):
        return _ended(replace(was, failures=failures), FAILED, problem or Problem("retries_exhausted"))
    pause_s = patience.retry_schedule_s[failures - 2] * patience.jitter if was_well and failures > 1 else 0.0
    return Transition(replace(was, state=READY, failures=failures), now + timedelta(seconds=pause_s), problem)


def _ambiguous(
    was: Situation, patience: Patience, now: datetime, deadline_at: datetime, problem: Problem | None
) -> Transition:
    if patience.on_ambiguous == "resend_safe":
        return _postponed(was, patience, now, None, problem)
    unknown = replace(was, state=UNKNOWN, unknown_since=was.unknown_since or now, not_found=0, lookups=0)
    if patience.on_ambiguous == "review":
        return _ended(unknown, REVIEW, Problem("unknown_outcome_review"))
    return Transition(unknown, max(deadline_at, now) + timedelta(seconds=patience.settle_s), problem)


def _searched_in_vain(was: Situation, patience: Patience, now: datetime) -> Transition:
    not_found = was.not_found + 1
    if not_found >= 2:
        return _not_there(replace(was, unknown_since=None, not_found=0, lookups=0), patience, now)
    later = now + timedelta(seconds=patience.settle_s)
    return Transition(replace(was, state=UNKNOWN, not_found=not_found), later, keeps_problem=True)


def _not_there(was: Situation, patience: Patience, now: datetime) -> Transition:
    """Send it again: at once the first time, then by schedule, for what always ends like this is a failure like others."""
    failures = was.failures + 1
    if failures > len(patience.retry_schedule_s):
        return _ended(replace(was, failures=failures), FAILED, Problem("retries_exhausted"))
    pause_s = patience.retry_schedule_s[failures - 2] * patience.jitter if failures > 1 else 0.0
    return Transition(replace(was, state=READY, failures=failures), now + timedelta(seconds=pause_s))


def _cannot_tell(
    was: Situation, patience: Patience, now: datetime, reason: str | None, at_least_s: float = 0.0
) -> Transition:
    if _is_for_review(was, patience, now):
        return _ended(was, REVIEW, Problem("unknown_outcome_review", reason))
    schedule = patience.retry_schedule_s or (60.0,)
    delay_s = schedule[min(was.lookups, len(schedule) - 1)] * patience.jitter
    later = now + timedelta(seconds=min(max(delay_s, patience.settle_s, at_least_s), 3600.0))
    return Transition(replace(was, state=UNKNOWN, lookups=was.lookups + 1), later, keeps_problem=True)


def _is_for_review(was: Situation, patience: Patience, now: datetime) -> bool:
    return was.unknown_since is not None and now - was.unknown_since > timedelta(seconds=patience.review_after_s)


def _not_seen(was: Situation, patience: Patience, now: datetime) -> Transition:
    # A vendor's search may lag behind its own answer; gone is what is not there twice, a settling time apart.
    if was.not_found >= 1:
        return _ended(was, REVIEW, Problem("vanished_at_vendor"))
    later = now + timedelta(seconds=patience.settle_s)
    return Transition(replace(was, not_found=was.not_found + 1), later, keeps_problem=True)


def _still_unbooked(was: Situation, patience: Patience, now: datetime) -> Transition:
    pause_s = READ_BACK_SCHEDULE_S[min(was.lookups, len(READ_BACK_SCHEDULE_S) - 1)] * patience.jitter
    problem = _overdue(was, patience, now)
    due_at = now + timedelta(seconds=pause_s)
    if problem is None:
        due_at = min(due_at, _overdue_at(was, patience, now))
    return Transition(replace(was, lookups=was.lookups + 1), due_at, problem)


def _overdue_at(was: Situation, patience: Patience, now: datetime) -> datetime:
    return (was.exported_at or now) + timedelta(seconds=patience.unbooked_after_s)


def _overdue(was: Situation, patience: Patience, now: datetime) -> Problem | None:
    return Problem("exported_not_booked") if now >= _overdue_at(was, patience, now) else None
