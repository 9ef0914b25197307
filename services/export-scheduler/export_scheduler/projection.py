"""What the scheduler remembers of a document after one more fact: pure, and right in whatever order facts arrive."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from koppel_mesh.clock import brussels_date
from koppel_mesh.messages import DocumentChanged, DocumentKind, DocumentState

from .rules import Candidate, is_delivered, is_released, step


@dataclass(frozen=True)
class DocumentProjection:
    """A document as the scheduler knows it: the columns of its row that facts and sending decide."""

    document_id: UUID
    dossier_id: UUID
    firm_id: UUID
    version: int
    revision: int
    kind: DocumentKind
    number: str | None
    issue_on: date | None
    document_on: date
    created_at: datetime
    state: DocumentState
    content: list[dict[str, object]]
    traceparent: str | None
    opened_at: datetime
    awaited_approval: bool
    approved_at: datetime | None = None
    sent_revision: int | None = None
    forward: bool = True

    def candidate(self) -> Candidate:
        """Return what the rules need of it."""
        return Candidate(
            state=self.state,
            revision=self.revision,
            sent_revision=self.sent_revision,
            document_on=self.document_on,
            opened_at=self.opened_at,
            approved_at=self.approved_at,
            forward=self.forward,
        )


def fold(known: DocumentProjection | None, fact: DocumentChanged, now: datetime) -> DocumentProjection:
    """Return what is known after ``fact``; ``now`` is the database's clock.

    An older fact changes nothing, but that a document once waited for approval is learnt from it all the same: what left
    that state was approved, and the fact that says so may overtake the one before it.
    """
    if known is None:
        return _approved(_first(fact), now)
    if _order(fact.version, fact.revision, fact.state) < _order(known.version, known.revision, known.state):
        waited = known.awaited_approval or fact.state is DocumentState.AWAITING_APPROVAL
        return _approved(replace(known, awaited_approval=waited), now)
    fresh = _first(fact)
    reopened = known.sent_revision is not None and known.sent_revision == known.revision < fact.revision
    return _approved(
        replace(
            fresh,
            # Editing restarts nothing (a document is frozen when it goes) until it has gone once.
            opened_at=now if reopened else known.opened_at,
            created_at=known.created_at,
            awaited_approval=known.awaited_approval or fresh.awaited_approval,
            approved_at=None if fact.state is DocumentState.AWAITING_APPROVAL else known.approved_at,
            sent_revision=known.sent_revision,
        ),
        now,
    )


def _order(version: int, revision: int, state: DocumentState) -> tuple[int, int, int]:
    return version, revision, step(state)


def _first(fact: DocumentChanged) -> DocumentProjection:
    return DocumentProjection(
        document_id=fact.document_id,
        dossier_id=fact.dossier_id,
        firm_id=fact.firm_id,
        version=fact.version,
        revision=fact.revision,
        kind=fact.kind,
        number=fact.number,
        issue_on=fact.issue_date,
        document_on=fact.issue_date or brussels_date(fact.created_at),
        created_at=fact.created_at,
        state=fact.state,
        content=[content.model_dump(mode="json") for content in fact.content],
        traceparent=fact.traceparent,
        opened_at=fact.created_at,
        awaited_approval=fact.state is DocumentState.AWAITING_APPROVAL,
        sent_revision=fact.revision if is_delivered(fact.state) else None,
        forward=fact.forward,
    )


def _approved(known: DocumentProjection, now: datetime) -> DocumentProjection:
    if known.awaited_approval and known.approved_at is None and is_released(known.state):
        return replace(known, approved_at=now)
    return known
