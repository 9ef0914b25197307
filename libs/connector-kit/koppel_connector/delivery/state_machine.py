"""The delivery's state machine: a pure function from (situation, event, patience, now) to a transition.

Nothing here knows a database or a vendor. Which event may happen in which state stands here; what becomes of the delivery then,
in ``transitions``.
"""

from dataclasses import replace
from datetime import datetime

from koppel_connector.contract.problems import Problem
from koppel_mesh.messages import DeliveryState

from .events import (
    Accepted,
    ActionNeeded,
    Ambiguous,
    Bounced,
    Claimed,
    Deferred,
    EntryFoundInBooks,
    EntryReported,
    Event,
    LeaseExpired,
    LookupAmbiguous,
    LookupFailed,
    LookupFoundNothing,
    OwnEntryFound,
    PriorDeliveryFound,
    ReadBackBooked,
    ReadBackEnded,
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
from .situation import (
    BLOCKED,
    BOOKED,
    FAILED,
    READY,
    REVIEW,
    SENDING,
    SUPERSEDED,
    UNKNOWN,
    Patience,
    Situation,
    Transition,
)
from .transitions import (
    ambiguous,
    bounced,
    cannot_tell,
    doubted,
    ended,
    exported,
    fresh,
    held,
    is_for_review,
    left_unseen,
    not_seen,
    not_told,
    nothing_found,
    overdue,
    postponed,
    reported,
    resumed,
    still_unbooked,
)


class IllegalTransitionError(Exception):
    """This cannot happen to a delivery in that state; the event came too late or is a bug."""

    def __init__(self, state: DeliveryState, event: "Event") -> None:
        super().__init__(f"{type(event).__name__} cannot happen to a delivery that is {state}")


def transition(situation: Situation, event: Event, patience: Patience, now: datetime) -> Transition:
    """Return what becomes of a delivery.

    Raises:
        IllegalTransitionError: ``event`` cannot happen in this state; nothing must be changed.
    """
    match situation.state, event:
        case _, EntryReported():
            made = reported(situation, patience, now)
        case _, Bounced(problem):
            made = bounced(situation, problem)
        case DeliveryState.SENDING, _:
            made = _from_sending(situation, event, patience, now)
        case DeliveryState.EXPORTED, _:
            made = _from_exported(situation, event, patience, now)
        case DeliveryState.BOOKED, _:
            made = _from_booked(situation, event, patience, now)
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
            return exported(now_is, patience, now)
        case ActionNeeded(problem):
            return Transition(replace(now_is, state=BLOCKED), None, problem)
        case Ambiguous(deadline_at, problem):
            return ambiguous(now_is, patience, now, deadline_at, problem)
    return (
        _from_lookup(now_is, event, patience, now) if now_is.unknown_since else _from_send(now_is, event, patience, now)
    )


def _from_send(now_is: Situation, event: Event, patience: Patience, now: datetime) -> Transition | None:
    match event:
        case Refused(problem):
            return ended(now_is, FAILED, problem)
        case OwnEntryFound():
            return ended(replace(now_is, exported_at=now), BOOKED, None)
        case PriorDeliveryFound(problem) | EntryFoundInBooks(problem):
            return ended(now_is, REVIEW, problem)
        case RetryScheduled(retry_after_s, problem):
            return postponed(now_is, patience, now, retry_after_s, problem)
        case VendorUnavailable(problem, was_well):
            return held(now_is, patience, now, problem, was_well=was_well)
        case Deferred(until, problem):
            return Transition(replace(now_is, state=READY), max(until, now), problem)
        case LeaseExpired(None):
            return Transition(replace(now_is, state=READY), now, keeps_problem=True)
        case LeaseExpired(deadline_at) if deadline_at is not None:
            return ambiguous(now_is, patience, now, deadline_at, None)
    return None


def _from_lookup(now_is: Situation, event: Event, patience: Patience, now: datetime) -> Transition | None:
    match event:
        case LookupFoundNothing():
            return nothing_found(now_is, patience, now)
        case LookupAmbiguous(problem):
            return ended(now_is, REVIEW, problem or Problem("found_twice"))
        case LookupFailed(reason):
            return cannot_tell(now_is, patience, now, reason)
        case Refused(problem):
            # Refusing a *search* says nothing about the document: only a send can end as failed.
            return cannot_tell(now_is, patience, now, str(problem))
        case RetryScheduled(retry_after_s, _):
            return cannot_tell(now_is, patience, now, None, at_least_s=retry_after_s or 0.0)
        case VendorUnavailable() if not is_for_review(now_is, patience, now):
            return Transition(replace(now_is, state=UNKNOWN), now, keeps_problem=True)
        case VendorUnavailable():
            return cannot_tell(now_is, patience, now, None)
        case Deferred(until, problem):
            return Transition(replace(now_is, state=UNKNOWN), max(until, now), problem)
        case LeaseExpired():
            return Transition(replace(now_is, state=UNKNOWN), now, keeps_problem=True)
    return None


def _from_exported(now_is: Situation, event: Event, patience: Patience, now: datetime) -> Transition | None:
    match event:
        case ReadBackBooked() | ResolvedAsBooked():
            return ended(now_is, BOOKED, None)
        case ReadBackPending():
            return still_unbooked(now_is, patience, now)
        case ReadBackEnded():
            return left_unseen(now_is, patience, now)
        case ReadBackMissing():
            return not_seen(now_is, patience, now)
        case ReadBackMismatch(problem):
            return ended(now_is, REVIEW, problem)
        case Deferred(until, _):
            return Transition(now_is, max(until, now), keeps_problem=True)
        case VendorUnavailable():
            return Transition(now_is, now, overdue(now_is, patience, now))
        case RetryRequested() | Unblocked():
            return Transition(now_is, now if patience.reads_back else None, keeps_problem=True)
        case ReexportRequested():
            return doubted(now_is, patience, now)
        case ResolvedAsAbandoned(problem):
            # The vendor has it: as failed it would be sent again by a retry. Nobody looks in the books for it any more.
            return ended(now_is, DeliveryState.EXPORTED, problem)
    return None


def _from_booked(now_is: Situation, event: Event, patience: Patience, now: datetime) -> Transition | None:
    """Nobody looks at it by itself; where the vendor says that its entry was changed, it is read back once more."""
    match event:
        case ReadBackBooked() | ResolvedAsBooked():
            return ended(replace(now_is, lookups=0, not_found=0), BOOKED, None)
        case ReadBackPending():
            return not_told(now_is, patience, now)
        case ReadBackMissing():
            return not_seen(now_is, patience, now)
        case ReadBackMismatch(problem):
            changed = Problem("changed_after_booking", problem.detail or str(problem))
            return ended(replace(now_is, lookups=0, not_found=0), BOOKED, changed)
        case Deferred(until, _):
            return Transition(now_is, max(until, now), keeps_problem=True)
        case VendorUnavailable():
            return Transition(now_is, now, keeps_problem=True)
        case ReexportRequested():
            return doubted(now_is, patience, now)
    return None


def _from_review(now_is: Situation, event: Event, now: datetime) -> Transition | None:
    match event:
        case ResolvedAsBooked():
            return ended(replace(now_is, unknown_since=None), BOOKED, None)
        case ResolvedForResend():
            return Transition(fresh(now_is), now)
        case ResolvedAsAbandoned(problem):
            return ended(now_is, FAILED, problem)
        case ReexportRequested() | Unblocked():
            return Transition(now_is, None, keeps_problem=True)
    return None


def _from_waiting(now_is: Situation, event: Event, patience: Patience, now: datetime) -> Transition | None:
    """ready, unknown, blocked, failed, superseded: nobody is working on it."""
    state, uncertain = now_is.state, now_is.unknown_since is not None
    match event:
        case Claimed() if state in (READY, UNKNOWN):
            return Transition(replace(now_is, state=SENDING), None, keeps_problem=True)
        case ActionNeeded(problem) if state in (READY, UNKNOWN, BLOCKED):
            return Transition(replace(now_is, state=BLOCKED), None, problem)
        case Superseded() if state in (READY, BLOCKED, FAILED) and not uncertain:
            return ended(now_is, SUPERSEDED, None)
        case Unblocked() if state is BLOCKED:
            return resumed(now_is, patience, now)
        case RetryRequested() if state in (BLOCKED, FAILED):
            return resumed(now_is, patience, now)
        case RetryRequested() if state is READY:
            return Transition(now_is, now, keeps_problem=True)
        case ReexportRequested() if state in (BLOCKED, FAILED):
            return resumed(now_is, patience, now)
        case ResolvedAsBooked() if state is FAILED or (state is BLOCKED and uncertain):
            return ended(replace(now_is, unknown_since=None), BOOKED, None)
        case ResolvedAsAbandoned(problem) if state in (READY, BLOCKED, FAILED):
            # One that is uncertain is among them: where its connection is gone nobody can look, and a person may know the books.
            return ended(now_is, FAILED, problem)
    return None
