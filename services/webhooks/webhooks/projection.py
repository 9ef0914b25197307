"""Which events a fact of the mesh amounts to, given what was known before: pure.

A fact carries the state of a thing; an event is that it changed. What is late, or says again what is known, is no event.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from uuid import UUID

from koppel_mesh.messages import (
    ConnectionChanged,
    DeliveryChanged,
    DeliveryState,
    DocumentChanged,
    DocumentState,
    ProblemData,
    WhoCanFix,
)
from koppel_mesh.messages import ReceiptsPeriodClosed as PeriodClosed

from .event_types import (
    ConnectionStateChanged,
    Data,
    DeliveryBooked,
    DeliveryExported,
    DeliveryProblem,
    DocumentApproved,
    DocumentFindings,
    DocumentReceived,
    ReceiptsPeriodClosed,
    StatementGap,
)

APPROVED = frozenset({DocumentState.FILED, DocumentState.EXPORTED, DocumentState.BOOKED})
GAP = "statement_gap"
"""Code of the problem by which connector-coda says that a statement is missing."""


@dataclass(frozen=True)
class Known:
    """What facts have said last of a thing."""

    version: int
    state: str
    findings: str = ""
    """Revision and number of the findings that were told last."""
    problem: str = ""
    """The problem that was told last, until it is gone: see ``_as_told``."""


Projected = tuple[Known, list[Data]]


def is_late(known: Known | None, version: int) -> bool:
    """Return whether a fact is older than what is known; senders that do not number their facts give them all 0."""
    return known is not None and version <= known.version and version > 0


def of_document(known: Known | None, fact: DocumentChanged, public_url: str) -> Projected:
    """Return what is known of a document after a fact, and the events."""
    common = {
        "document_id": fact.document_id,
        "dossier_id": fact.dossier_id,
        "revision": fact.revision,
        "url": f"{public_url}/dossier-api/v1/documents/{fact.document_id}",
    }
    named = {"kind": fact.kind, "number": fact.number}
    events: list[Data] = []
    if known is None:
        received = {"issue_date": fact.issue_date, "received_at": fact.created_at}
        events.append(DocumentReceived(**common, **named, **received))
    findings = f"{fact.revision}/{fact.findings_count}" if fact.findings_count else ""
    if findings and (known is None or known.findings != findings):
        events.append(DocumentFindings(**common, count=fact.findings_count))
    if known is not None and known.state == DocumentState.AWAITING_APPROVAL and fact.state in APPROVED:
        events.append(DocumentApproved(**common, **named))
    return Known(fact.version, fact.state, findings), events


def of_delivery(known: Known | None, fact: DeliveryChanged, dossier_id: UUID | None, public_url: str) -> Projected:
    """Return what is known of a delivery after a fact, and the events.

    ``dossier_id`` is its document's. Where the fact names one itself, the document is not there yet.
    """
    before = known or Known(0, "")
    of_document = {
        "document_id": fact.document_id,
        "dossier_id": fact.dossier_id or dossier_id,
        "revision": fact.revision,
        "url": f"{public_url}/dossier-api/v1/{f'documents/{fact.document_id}' if fact.dossier_id is None else 'problems'}",
    }
    of_delivery = {
        "delivery_id": fact.delivery_id,
        "connector": fact.connector,
        "connection_id": fact.connection_id,
    }
    events: list[Data] = []
    if fact.state is DeliveryState.EXPORTED and before.state != fact.state:
        events.append(DeliveryExported(**of_document, **of_delivery, exported_at=fact.exported_at))
    if fact.state is DeliveryState.BOOKED and before.state != fact.state:
        entry = {"entry_number": fact.entry_number, "entry_url": fact.entry_url, "booked_at": fact.booked_at}
        events.append(DeliveryBooked(**of_document, **of_delivery, **entry))
    if fact.problem is not None and before.problem not in _as_told(fact.problem):
        if fact.problem.code == GAP:
            events.append(StatementGap(**of_document, problem=fact.problem))
        else:
            events.append(DeliveryProblem(**of_document, **of_delivery, state=fact.state, problem=fact.problem))
    return Known(fact.version, fact.state, problem=_as_told(fact.problem)[0] if fact.problem else ""), events


def _as_told(problem: ProblemData) -> tuple[str, str]:
    """Return what is kept of a problem that was told, and what earlier versions kept of it.

    Its facts stand in its message: a gap of which other statements are missing is told again. The message of what an operator
    mends says until when we wait, which is new at every try and no news; its code and detail count alone.
    """
    earlier = f"{problem.code} {problem.detail or ''}"
    if problem.who_can_fix is WhoCanFix.OPERATOR:
        return earlier, earlier
    message = problem.message
    whole = json.dumps([problem.code, problem.detail, message.nl, message.fr, message.en])
    return hashlib.sha256(whole.encode()).hexdigest(), earlier


def of_connection(known: Known | None, fact: ConnectionChanged) -> Projected:
    """Return what is known of a connection after a fact, and the events."""
    after = Known(fact.version, fact.state)
    if known is not None and known.state == fact.state:
        return replace(known, version=fact.version), []
    names = ("connection_id", "dossier_id", "connector", "state", "problem")
    return after, [ConnectionStateChanged(**{name: getattr(fact, name) for name in names})]


def of_period(known: Known | None, fact: PeriodClosed) -> Projected:
    """Return what is known of a period of a receipt book after a fact, and the events: it is closed once."""
    names = ("period_id", "receipt_book_id", "dossier_id", "starts_on", "ends_on", "number", "total")
    events: list[Data] = (
        [ReceiptsPeriodClosed(**{name: getattr(fact, name) for name in names})] if known is None else []
    )
    return Known(1, "closed"), events
