"""The transitions of ``state_machine``: what a delivery becomes, when somebody looks at it again, and what a person is told.

The rule behind every line: what may have reached the vendor is looked up before it is sent again, and no passing of time turns
"we do not know" into "failed" (messaging §3.5–3.8).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from koppel_connector.contract.problems import Problem
from koppel_mesh.messages import DeliveryState

from .situation import BOOKED, EXPORTED, FAILED, READY, REVIEW, SENDING, UNKNOWN, Patience, Situation, Transition

READ_BACK_SCHEDULE_S = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0)
"""Pauses between looks at an exported document that is not booked yet; the last one repeats."""
READ_BACK_LATE_S = 100 * 86_400.0
"""So long somebody may take to book by hand what went to a mailbox: a quarter, and until its VAT return is due."""


def exported(was: Situation, patience: Patience, now: datetime) -> Transition:
    """The vendor has it; it is read back now, where its books can be read."""
    reached = replace(was, state=EXPORTED, unknown_since=None, not_found=0, lookups=0, exported_at=now)
    return Transition(reached, now if patience.reads_back else None)


def ended(was: Situation, state: DeliveryState, problem: Problem | None) -> Transition:
    """Nobody looks at it again by itself."""
    return Transition(replace(was, state=state), None, problem)


def reported(was: Situation, patience: Patience, now: datetime) -> Transition | None:
    """The vendor speaks of the entry: look at it now. None where there is nothing to hurry."""
    if was.state is EXPORTED:
        return Transition(was, now if patience.reads_back else None, keeps_problem=True)
    if was.state is BOOKED and patience.reads_back:
        # A while later: vendors report one change several times, and their own booking of what we sent as well.
        return Transition(replace(was, lookups=0), now + timedelta(seconds=patience.settle_s), keeps_problem=True)
    if was.state is UNKNOWN and (was.lookups or was.not_found):
        # Not before the first search: the call may still act until that is due, and what is not found too early proves nothing.
        return Transition(replace(was, not_found=0), now, keeps_problem=True)
    return None


def bounced(was: Situation, problem: Problem) -> Transition | None:
    """What may have been taken did not arrive. None where nothing can have been taken."""
    if was.state is EXPORTED or (was.unknown_since is not None and was.state is not SENDING):
        return ended(replace(was, unknown_since=None, not_found=0, lookups=0), FAILED, problem)
    return None


def fresh(was: Situation) -> Situation:
    """Return it as it was before the first try."""
    return replace(was, state=READY, unknown_since=None, not_found=0, lookups=0, failures=0)


def resumed(was: Situation, patience: Patience, now: datetime) -> Transition:
    """Go on after what it waited for: send it, or look it up where the vendor may hold it."""
    if was.unknown_since is None:
        return Transition(fresh(was), now)
    if patience.on_ambiguous == "review":
        return ended(was, REVIEW, Problem("unknown_outcome_review"))
    # Settled anew: it may have been blocked a moment after the attempt, and "not found twice" counts from the start.
    settled_at = now + timedelta(seconds=patience.settle_s)
    return Transition(replace(was, state=UNKNOWN, not_found=0), settled_at, keeps_problem=True)


def doubted(was: Situation, patience: Patience, now: datetime) -> Transition | None:
    """Look again at something that was there; where nobody can look, what we know stays what it is."""
    if patience.on_ambiguous != "lookup":
        return None
    return Transition(replace(was, state=UNKNOWN, unknown_since=now, not_found=0, lookups=0, failures=0), now)


def postponed(
    was: Situation, patience: Patience, now: datetime, retry_after_s: float | None, problem: Problem | None
) -> Transition:
    """Try again by schedule, one try spent; after the last one it has failed."""
    failures = was.failures + 1
    if failures > len(patience.retry_schedule_s):
        return ended(replace(was, failures=failures), FAILED, problem or Problem("retries_exhausted"))
    delay_s = max(patience.retry_schedule_s[failures - 1] * patience.jitter, min(retry_after_s or 0.0, 86_400.0))
    return Transition(replace(was, state=READY, failures=failures), now + timedelta(seconds=delay_s), problem)


def held(was: Situation, patience: Patience, now: datetime, problem: Problem | None, *, was_well: bool) -> Transition:
    """Wait for the vendor. A document that always finds it well and leaves it ill is a failure like others, in the end."""
    failures = was.failures + was_well
    if failures > len(patience.retry_schedule_s):
        return ended(replace(was, failures=failures), FAILED, problem or Problem("retries_exhausted"))
    pause_s = patience.retry_schedule_s[failures - 2] * patience.jitter if was_well and failures > 1 else 0.0
    return Transition(replace(was, state=READY, failures=failures), now + timedelta(seconds=pause_s), problem)


def ambiguous(
    was: Situation, patience: Patience, now: datetime, deadline_at: datetime, problem: Problem | None
) -> Transition:
    """Look it up once the call can act no more, or as its target says."""
    unknown = replace(was, state=UNKNOWN, unknown_since=was.unknown_since or now, not_found=0, lookups=0)
    if patience.on_ambiguous == "review":
        return ended(unknown, REVIEW, Problem("unknown_outcome_review"))
    return Transition(unknown, max(deadline_at, now) + timedelta(seconds=patience.settle_s), problem)


def nothing_found(was: Situation, patience: Patience, now: datetime) -> Transition:
    """A complete search found nothing: it is not there when the next one, a settling time later, finds nothing either."""
    not_found = was.not_found + 1
    if not_found >= 2:
        return _not_there(replace(was, unknown_since=None, not_found=0, lookups=0), patience, now)
    later = now + timedelta(seconds=patience.settle_s)
    return Transition(replace(was, state=UNKNOWN, not_found=not_found), later, keeps_problem=True)


def _not_there(was: Situation, patience: Patience, now: datetime) -> Transition:
    """Send it again: at once the first time, then by schedule, for what always ends like this is a failure like others."""
    failures = was.failures + 1
    if failures > len(patience.retry_schedule_s):
        return ended(replace(was, failures=failures), FAILED, Problem("retries_exhausted"))
    pause_s = patience.retry_schedule_s[failures - 2] * patience.jitter if failures > 1 else 0.0
    return Transition(replace(was, state=READY, failures=failures), now + timedelta(seconds=pause_s))


def cannot_tell(
    was: Situation, patience: Patience, now: datetime, reason: str | None, at_least_s: float = 0.0
) -> Transition:
    """Search again by schedule, until a person has to say."""
    if is_for_review(was, patience, now):
        return ended(was, REVIEW, Problem("unknown_outcome_review", reason))
    schedule = patience.retry_schedule_s or (60.0,)
    delay_s = schedule[min(was.lookups, len(schedule) - 1)] * patience.jitter
    later = now + timedelta(seconds=min(max(delay_s, patience.settle_s, at_least_s), 3600.0))
    return Transition(replace(was, state=UNKNOWN, lookups=was.lookups + 1), later, keeps_problem=True)


def is_for_review(was: Situation, patience: Patience, now: datetime) -> bool:
    """Whether it has been unknown for so long that a person has to say."""
    return was.unknown_since is not None and now - was.unknown_since > timedelta(seconds=patience.review_after_s)


def not_seen(was: Situation, patience: Patience, now: datetime) -> Transition:
    """Look again, a settling time later; then it is for a person."""
    # A vendor's search may lag behind its own answer; gone is what is not there twice, a settling time apart.
    if was.not_found >= 1:
        return ended(was, REVIEW, Problem("vanished_at_vendor"))
    later = now + timedelta(seconds=patience.settle_s)
    return Transition(replace(was, not_found=was.not_found + 1), later, keeps_problem=True)


def still_unbooked(was: Situation, patience: Patience, now: datetime) -> Transition:
    """Look again, ever more rarely, and exactly when it becomes a problem."""
    pause_s = READ_BACK_SCHEDULE_S[min(was.lookups, len(READ_BACK_SCHEDULE_S) - 1)] * patience.jitter
    problem = overdue(was, patience, now)
    due_at = now + timedelta(seconds=pause_s)
    if patience.may_stay_exported:
        is_given_up = due_at - (was.exported_at or now) > timedelta(seconds=READ_BACK_LATE_S)
        return Transition(replace(was, lookups=was.lookups + 1), None if is_given_up else due_at)
    if problem is None:
        due_at = min(due_at, _overdue_at(was, patience, now))
    return Transition(replace(was, lookups=was.lookups + 1), due_at, problem)


def left_unseen(was: Situation, patience: Patience, now: datetime) -> Transition:
    """Nobody looks any more. By the time by which it should be booked that is a problem (P3), which only a person ends."""
    problem = overdue(was, patience, now)
    is_settled = problem is not None or patience.may_stay_exported
    return Transition(was, None if is_settled else _overdue_at(was, patience, now), problem)


def not_told(was: Situation, patience: Patience, now: datetime) -> Transition:
    """Look again at a booked entry that the books could not be asked about; a hint is followed for hours, not for ever."""
    if was.lookups >= len(READ_BACK_SCHEDULE_S):
        return Transition(replace(was, lookups=0), None, keeps_problem=True)
    pause_s = READ_BACK_SCHEDULE_S[was.lookups] * patience.jitter
    return Transition(replace(was, lookups=was.lookups + 1), now + timedelta(seconds=pause_s), keeps_problem=True)


def _overdue_at(was: Situation, patience: Patience, now: datetime) -> datetime:
    return (was.exported_at or now) + timedelta(seconds=patience.unbooked_after_s)


def overdue(was: Situation, patience: Patience, now: datetime) -> Problem | None:
    """Return the problem of a document that should be in the books by now."""
    is_due = not patience.may_stay_exported
    return Problem("exported_not_booked") if is_due and now >= _overdue_at(was, patience, now) else None
