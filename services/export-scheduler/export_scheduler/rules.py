"""When a document goes by itself: a pure function of the dossier's rules and the document.

The answer does not depend on the moment of asking. That is what makes clocks harmless: a plan is a moment, sending clears
it in the same transaction, so a clock set back finds nothing to send again, and one set forward finds everything overdue.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from koppel_mesh.clock import BRUSSELS, brussels_date
from koppel_mesh.messages import DocumentState, ExportFrequency, ExportRules, Trigger

STATE_ORDER = (
    DocumentState.DROPPED,
    DocumentState.RECEIVED,
    DocumentState.AWAITING_ENTRY,
    DocumentState.HELD,
    DocumentState.AWAITING_APPROVAL,
    DocumentState.FILED,
    DocumentState.EXPORTED,
    DocumentState.BOOKED,
)
"""The order of a document's life (design §5); what was dropped goes no further until somebody takes that back."""
_STEP = {state: step for step, state in enumerate(STATE_ORDER)}


class WaitsFor(StrEnum):
    """What a document is waiting for."""

    MOMENT = "moment"
    """The moment in ``due_at``."""
    ENTRY = "entry"
    """A person must enter the data of a PDF that has none."""
    ANSWER = "answer"
    """A person must answer a question about it."""
    APPROVAL = "approval"
    """The entrepreneur must approve (R055)."""
    HAND = "hand"
    """A manual export: the dossier says never (R051), its sender does not forward it (R122), nobody can approve any more what
    went once without, or no calendar month follows the document's date."""
    UNLOCKING = "unlocking"
    """It went before, and the dossier locks what went (R056)."""
    CONNECTION = "connection"
    """It went, and its dossier has no connection that could have taken it: it goes again when one is made."""
    DOSSIER = "dossier"
    """No fact about the dossier has arrived yet."""
    NOTHING = "nothing"
    """This revision went."""


@dataclass(frozen=True)
class Calendar:
    """The operator's part of the rules."""

    delay: timedelta = timedelta(minutes=10)
    run_day: int = 1
    run_at: time = time(6, 0)


@dataclass(frozen=True)
class Candidate:
    """What the rules need to know of a document."""

    state: DocumentState
    revision: int
    sent_revision: int | None
    document_on: date
    """Its date; that of its arrival where it has none."""
    opened_at: datetime
    """When it arrived; for a document that went before, when the first newer revision arrived."""
    approved_at: datetime | None = None
    """When it was seen to leave ``awaiting_approval``; None for what never was there."""
    forward: bool = True
    """False for what its sender does not let go to the bookkeeping by itself (R122)."""


@dataclass(frozen=True)
class Plan:
    """What becomes of a document by itself."""

    due_at: datetime | None
    waits_for: WaitsFor
    trigger: Trigger | None = None
    late: bool = False
    """It goes with a later run than that of its own month (R052)."""


def plan(rules: ExportRules | None, document: Candidate, calendar: Calendar) -> Plan:
    """Return when ``document`` goes by itself, or what it waits for."""
    if waits_for := _obstacle(rules, document):
        return Plan(None, waits_for)
    assert rules is not None
    if rules.approval_required:
        if document.approved_at is None:
            # What went once is beyond approval in dossier-api: a newer revision of it goes by hand.
            return Plan(None, WaitsFor.APPROVAL if document.sent_revision is None else WaitsFor.HAND)
        return Plan(max(document.approved_at, document.opened_at), WaitsFor.MOMENT, Trigger.APPROVAL)
    if rules.frequency is ExportFrequency.AFTER_10_MINUTES:
        return Plan(document.opened_at + calendar.delay, WaitsFor.MOMENT, Trigger.SCHEDULE)
    own_run = run_after_month(document.document_on, calendar)
    if own_run is None:
        return Plan(None, WaitsFor.HAND)
    run = next_run(document.opened_at, calendar) if document.opened_at > own_run else own_run
    return Plan(run, WaitsFor.MOMENT, Trigger.SCHEDULE, late=run > own_run)


def _obstacle(rules: ExportRules | None, document: Candidate) -> WaitsFor | None:
    if document.sent_revision is not None and document.sent_revision >= document.revision:
        return WaitsFor.NOTHING
    if rules is None:
        return WaitsFor.DOSSIER
    if document.state in (DocumentState.RECEIVED, DocumentState.AWAITING_ENTRY):
        return WaitsFor.ENTRY
    if document.state in (DocumentState.HELD, DocumentState.DROPPED):
        return WaitsFor.ANSWER
    if document.state is DocumentState.AWAITING_APPROVAL:
        return WaitsFor.APPROVAL
    if document.sent_revision is not None and rules.lock_after_export:
        return WaitsFor.UNLOCKING
    goes_by_hand = rules.frequency is ExportFrequency.NEVER or not document.forward
    return WaitsFor.HAND if goes_by_hand else None


def run_after_month(day: date, calendar: Calendar) -> datetime | None:
    """Return the run that takes the calendar month of ``day``; None where the calendar ends (year 9999)."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    if year > date.max.year:
        return None
    # fold=0: a time that the clocks skip in March is taken an hour later, one that they repeat in October the first time.
    return datetime.combine(date(year, month, calendar.run_day), calendar.run_at, tzinfo=BRUSSELS).astimezone(UTC)


def next_run(moment: datetime, calendar: Calendar) -> datetime:
    """Return the first run after ``moment``."""
    this_month = brussels_date(moment).replace(day=1)
    for day in (this_month - timedelta(days=1), this_month):
        run = run_after_month(day, calendar)
        if run is not None and run > moment:
            return run
    raise OverflowError(f"no run follows {moment}")


def step(state: DocumentState) -> int:
    """Return how far along a document's life that state is."""
    return _STEP[state]


def is_delivered(state: DocumentState) -> bool:
    """Return whether a document in that state is with the accountant's package already."""
    return step(state) >= step(DocumentState.EXPORTED)


def is_released(state: DocumentState) -> bool:
    """Return whether nothing has to be entered or approved any more."""
    return step(state) >= step(DocumentState.FILED)
