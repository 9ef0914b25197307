"""Taking facts in: what they amount to becomes events, and each event a delivery for every endpoint that asked for it.

All of it is one transaction with the inbox. Transactions that record events come one after the other, over all processes: so
positions are given in the order of commits, and nobody who reads by cursor misses one that was committed late.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.database import after_commit
from koppel_mesh.ids import new_id
from koppel_mesh.messages import ConnectionChanged, DeliveryChanged, DocumentChanged
from koppel_mesh.messages import ReceiptsPeriodClosed as PeriodClosed
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context

from . import projection
from .event_types import Data, body_of
from .loops import SEND
from .projection import Known, Projected

Fact = TypeVar("Fact", DocumentChanged, DeliveryChanged, ConnectionChanged, PeriodClosed)
log = structlog.get_logger(__name__)

_IN_TURN = Statement("SELECT pg_advisory_xact_lock(hashtext('koppel webhook events'))")
_CLOCK = Statement("SELECT clock_timestamp() AS now")
_KNOWN = Statement("SELECT * FROM known WHERE kind = :kind AND id = ANY(CAST(:ids AS uuid[]))")
_SUBJECTS = Statement("SELECT * FROM subject WHERE id = ANY(CAST(:ids AS uuid[]))")
_KEEP_KNOWN = Statement("""
    INSERT INTO known (kind, id, version, state, findings, problem)
    SELECT :kind, given.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, version integer, state text,
        findings text, problem text)
    ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, state = excluded.state, findings = excluded.findings,
        problem = excluded.problem
""")
_KEEP_SUBJECTS = Statement("""
    INSERT INTO subject (id, firm_id, dossier_id, sequence)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, firm_id uuid, dossier_id uuid, sequence integer)
    ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, dossier_id = excluded.dossier_id
""")
# Rows come out of a sorted subquery, so that positions follow the order of the facts.
_ADD_EVENTS = Statement("""
    WITH added AS (
        INSERT INTO event (recorded_at, id, type, firm_id, subject_id, sequence, body)
        SELECT recorded_at, id, type, firm_id, subject_id, sequence, body
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (place integer, recorded_at timestamptz, id uuid, type text,
            firm_id uuid, subject_id uuid, sequence integer, body text)
        ORDER BY place
        RETURNING recorded_at, id, position, type, firm_id, subject_id, sequence
    )
    INSERT INTO delivery (recorded_at, event_id, endpoint_id, position, type, subject_id, sequence)
    SELECT a.recorded_at, a.id, e.id, a.position, a.type, a.subject_id, a.sequence
    FROM added a JOIN endpoint e ON a.type = ANY(e.event_types) AND e.state <> 'disabled'
        AND (e.firm_ids IS NULL AND e.firm_id = a.firm_id OR e.firm_ids @> ARRAY[a.firm_id])
""")


@dataclass
class _Subject:
    firm_id: UUID
    dossier_id: UUID | None
    sequence: int = 0


@dataclass(frozen=True)
class _Fact:
    """What recording needs of a fact, of whatever type."""

    id: UUID
    version: int
    subject_id: UUID
    firm_id: UUID | None
    dossier_id: UUID | None
    project: Callable[[Known | None, UUID | None], Projected]
    """Takes what is known and the dossier of the subject."""


async def on_document_changed(context: Context, tx: AsyncConnection, events: Sequence[DocumentChanged]) -> None:
    """Record what became of documents."""
    public_url = context.settings.public_url

    def project(fact: DocumentChanged, known: Known | None, _: UUID | None) -> Projected:
        return projection.of_document(known, fact, public_url)

    await _record(context, tx, "document", [_fact(fact, fact.document_id, fact.version, project) for fact in events])


async def on_delivery_changed(context: Context, tx: AsyncConnection, events: Sequence[DeliveryChanged]) -> None:
    """Record what became of deliveries; their events are put in order with those of their document."""
    public_url = context.settings.public_url

    def project(fact: DeliveryChanged, known: Known | None, dossier_id: UUID | None) -> Projected:
        return projection.of_delivery(known, fact, dossier_id, public_url)

    await _record(context, tx, "delivery", [_fact(fact, fact.document_id, fact.version, project) for fact in events])


async def on_connection_changed(context: Context, tx: AsyncConnection, events: Sequence[ConnectionChanged]) -> None:
    """Record what became of connections."""

    def project(fact: ConnectionChanged, known: Known | None, _: UUID | None) -> Projected:
        return projection.of_connection(known, fact)

    await _record(
        context, tx, "connection", [_fact(fact, fact.connection_id, fact.version, project) for fact in events]
    )


async def on_period_closed(context: Context, tx: AsyncConnection, events: Sequence[PeriodClosed]) -> None:
    """Record which periods were closed."""

    def project(fact: PeriodClosed, known: Known | None, _: UUID | None) -> Projected:
        return projection.of_period(known, fact)

    await _record(context, tx, "period", [_fact(fact, fact.period_id, 0, project) for fact in events])


def _fact(
    fact: Fact, subject_id: UUID, version: int, project: Callable[[Fact, Known | None, UUID | None], Projected]
) -> _Fact:
    return _Fact(fact.subject_id, version, subject_id, fact.firm_id, fact.dossier_id, partial(project, fact))


async def _record(context: Context, tx: AsyncConnection, kind: str, given: Iterable[_Fact]) -> None:
    """Keep what is known after these facts, the older before the newer, and record the events."""
    facts = sorted(given, key=lambda fact: fact.version)
    await _IN_TURN.run(tx)
    now = (await _CLOCK.one(tx)).now
    ids = {fact.id for fact in facts}
    known = {row.id: _known(row) for row in await _KNOWN.all(tx, {"kind": kind, "ids": list(ids)})}
    subjects = {
        row.id: _Subject(row.firm_id, row.dossier_id, row.sequence)
        for row in await _SUBJECTS.all(tx, {"ids": list({fact.subject_id for fact in facts})})
    }
    rows: list[dict[str, Any]] = []
    changed: dict[UUID, Known] = {}
    for fact in facts:
        subject = subjects.get(fact.subject_id)
        if subject is None and fact.firm_id is None:
            log.warning("a fact of no firm that is known, left aside", id=str(fact.id))
            continue
        if projection.is_late(known.get(fact.id), fact.version):
            continue
        if subject is None:
            assert fact.firm_id is not None
            subject = subjects[fact.subject_id] = _Subject(fact.firm_id, fact.dossier_id)
        subject.dossier_id = subject.dossier_id or fact.dossier_id
        known[fact.id], events = fact.project(known.get(fact.id), subject.dossier_id)
        changed[fact.id] = known[fact.id]
        rows += [_row(context, fact.subject_id, subject, data, now) for data in events]
    if changed:
        told = [{"id": str(key), **asdict(one)} for key, one in changed.items()]
        await _KEEP_KNOWN.run(tx, {"kind": kind, "rows": json.dumps(told)})
        kept = [{"id": key, **asdict(one)} for key, one in subjects.items()]
        await _KEEP_SUBJECTS.run(tx, {"rows": json.dumps(kept, default=str)})
    if rows:
        numbered = [{"place": place, **row} for place, row in enumerate(rows)]
        await _ADD_EVENTS.run(tx, {"rows": json.dumps(numbered, default=str)})
        after_commit(tx, partial(context.wake, SEND))


def _known(row: Record) -> Known:
    return Known(row.version, row.state, row.findings, row.problem)


def _row(context: Context, subject_id: UUID, subject: _Subject, data: Data, now: datetime) -> dict[str, Any]:
    subject.sequence += 1
    event_id = new_id()
    more = {"firmid": subject.firm_id, "sequence": subject.sequence}
    body = body_of(event_id, data, public_url=context.settings.public_url, time=now, subject=subject_id, **more)
    return {
        "recorded_at": now,
        "id": event_id,
        "type": data.type,
        "firm_id": subject.firm_id,
        "subject_id": subject_id,
        "sequence": subject.sequence,
        "body": body,
    }
