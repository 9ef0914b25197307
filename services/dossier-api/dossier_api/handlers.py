"""What connectors report: deliveries and connections, as rows a person sees, and the document's state read off them.

Set-based: a batch of a hundred facts costs a handful of statements. Late, repeated and shuffled facts change nothing,
because each carries a version that only rises.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.messages import (
    ConnectionChanged,
    ConnectionState,
    DeliveryChanged,
    DeliveryState,
    DocumentState,
    newest,
)
from koppel_mesh.outbox import publish
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context

from . import machine
from .amend import progress_of
from .documents import read_deliveries
from .outgoing_events import document_changed
from .problems import ProblemObservation, note

log = structlog.get_logger(__name__)

_REACHED = {DeliveryState.EXPORTED, DeliveryState.BOOKED}
_RECOVERED = _REACHED | {DeliveryState.SUPERSEDED}


async def deliveries_changed(context: Context, tx: AsyncConnection, facts: Sequence[DeliveryChanged]) -> None:
    """Take in how far deliveries have come."""
    latest = newest(facts)
    owners = await _lock_documents(tx, {fact.document_id for fact in latest.values()})
    known = {key: fact for key, fact in latest.items() if fact.document_id in owners}
    now = context.now()
    await _note_hand_ins(tx, [fact for fact in latest.values() if fact.document_id not in owners], now)
    if not known:
        return
    fresh = await _store_deliveries(tx, [_delivery_row(fact, now) for fact in known.values()])
    applied = [known[key] for key in fresh]
    await note(tx, [_delivery_observation(fact, owners[fact.document_id]) for fact in applied], now)
    await _move_documents(tx, [owners[key] for key in sorted({fact.document_id for fact in applied})], now)


async def _note_hand_ins(tx: AsyncConnection, facts: Sequence[DeliveryChanged], now: datetime) -> None:
    """Note what stops a document on its way to its dossier, which we do not have for that reason."""
    dossiers = [fact.dossier_id for fact in facts if fact.dossier_id is not None]
    firms = {row.id: row.firm_id for row in await _FIRMS.all(tx, {"dossiers": dossiers})} if dossiers else {}
    found = [
        ProblemObservation(
            subject_id=fact.delivery_id,
            firm_id=firms[fact.dossier_id],
            dossier_id=fact.dossier_id,
            document_id=None,
            connector=fact.connector,
            connection_id=fact.connection_id,
            delivery_id=fact.delivery_id,
            problem=fact.problem,
            recovered=fact.state in _RECOVERED,
        )
        for fact in facts
        if fact.dossier_id is not None and fact.dossier_id in firms
    ]
    if len(found) < len(facts):
        log.warning("deliveries of unknown documents ignored", count=len(facts) - len(found))
    await note(tx, found, now)


async def connections_changed(context: Context, tx: AsyncConnection, facts: Sequence[ConnectionChanged]) -> None:
    """Take in the state of connections."""
    latest = newest(facts)
    wanted = {fact.dossier_id for fact in latest.values()}
    firms: dict[UUID, UUID] = {row.id: row.firm_id for row in await _FIRMS.all(tx, {"dossiers": list(wanted)})}
    known = {key: fact for key, fact in latest.items() if fact.dossier_id in firms}
    if not known:
        return
    now = context.now()
    rows = [_connection_row(fact, now) for fact in known.values()]
    fresh = await _STORE_CONNECTIONS.all(tx, {"rows": json.dumps(rows, default=str)})
    applied = [known[row.id] for row in fresh]
    await note(tx, [_connection_observation(fact, firms[fact.dossier_id]) for fact in applied], now)


_FIRMS = Statement("SELECT id, firm_id FROM dossier WHERE id = ANY(CAST(:dossiers AS uuid[]))")
# Version 0 comes from a connector that does not number its facts: then the last one to arrive counts.
_STORE_CONNECTIONS = Statement("""
    INSERT INTO connection AS held (id, dossier_id, connector, state, version, connected_via_user, problem, updated_at)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, dossier_id uuid, connector text, state text,
        version integer, connected_via_user text, problem jsonb, updated_at timestamptz)
    ON CONFLICT (id) DO UPDATE SET connector = excluded.connector, state = excluded.state, version = excluded.version,
        connected_via_user = excluded.connected_via_user, problem = excluded.problem, updated_at = excluded.updated_at
    WHERE excluded.version > held.version OR excluded.version = 0 AND held.version = 0
    RETURNING id
""")
_LOCK = Statement("""
    SELECT document.*, dossier.lock_after_export FROM document JOIN dossier ON dossier.id = document.dossier_id
    WHERE document.id = ANY(CAST(:documents AS uuid[])) ORDER BY document.id FOR NO KEY UPDATE OF document
""")


async def _lock_documents(tx: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Record]:
    """Return the documents with their dossier's lock rule, locked in the order of their ids."""
    return {row.id: row for row in await _LOCK.all(tx, {"documents": list(ids)})}


def _delivery_row(fact: DeliveryChanged, now: datetime) -> dict[str, Any]:
    return {
        "id": fact.delivery_id,
        "document_id": fact.document_id,
        "revision": fact.revision,
        "connector": fact.connector,
        "connection_id": fact.connection_id,
        "state": fact.state,
        "version": fact.version,
        "entry_number": fact.entry_number,
        "entry_url": fact.entry_url,
        "exported_at": fact.exported_at or (now if fact.state in _REACHED else None),
        "booked_at": fact.booked_at or (now if fact.state is DeliveryState.BOOKED else None),
        "problem": fact.problem.model_dump(mode="json") if fact.problem else None,
        "warnings": [each.model_dump(mode="json") for each in fact.warnings],
        "ends_as": fact.ends_as,
        "updated_at": now,
    }


# The first observation is the moment of an export or a booking; a failure takes it back, a mere search does not. What is newer
# is the same as in ``_STORE_CONNECTIONS``.
_STORE = Statement("""
    INSERT INTO delivery AS held (id, document_id, revision, connector, connection_id, state, version, entry_number, entry_url,
        exported_at, booked_at, problem, warnings, ends_as, updated_at)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, document_id uuid, revision integer,
        connector text, connection_id uuid, state text, version integer, entry_number text, entry_url text,
        exported_at timestamptz, booked_at timestamptz, problem jsonb, warnings jsonb, ends_as text,
        updated_at timestamptz)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, version = excluded.version, problem = excluded.problem,
        warnings = excluded.warnings, ends_as = excluded.ends_as, updated_at = excluded.updated_at,
        revision = excluded.revision, connector = excluded.connector,
        entry_number = coalesce(excluded.entry_number, held.entry_number),
        entry_url = coalesce(excluded.entry_url, held.entry_url),
        exported_at = CASE WHEN excluded.state = 'failed' THEN excluded.exported_at
            ELSE coalesce(held.exported_at, excluded.exported_at) END,
        booked_at = CASE WHEN excluded.state = 'failed' THEN excluded.booked_at
            ELSE coalesce(held.booked_at, excluded.booked_at) END
    WHERE excluded.version > held.version OR excluded.version = 0 AND held.version = 0
    RETURNING id
""")


async def _store_deliveries(tx: AsyncConnection, rows: list[dict[str, Any]]) -> Sequence[UUID]:
    """Store what is news; return the ids of the deliveries it was news for."""
    return [row.id for row in await _STORE.all(tx, {"rows": json.dumps(rows, default=str)})]


_MOVE = Statement("""
    UPDATE document SET state = given.state, exported_at = given.exported_at, booked_at = given.booked_at,
        locked = given.locked, updated_at = given.updated_at, version = given.version
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, state text, exported_at timestamptz,
        booked_at timestamptz, locked boolean, updated_at timestamptz, version integer)
    WHERE document.id = given.id RETURNING document.*
""")


async def _move_documents(tx: AsyncConnection, rows: Sequence[Record], now: datetime) -> None:
    """Set each document's state to what all its deliveries make of it, and announce those that moved."""
    sent: dict[UUID, list[machine.DeliveryProgress]] = defaultdict(list)
    for row in await read_deliveries(tx, [row.id for row in rows]):
        sent[row.document_id].append(progress_of(row))
    changes = [change for row in rows if (change := _document_change(row, sent[row.id], now)) is not None]
    if not changes:
        return
    moved = await _MOVE.all(tx, {"rows": json.dumps(changes, default=str)})
    await publish(tx, *(document_changed(row) for row in moved))


def _document_change(row: Record, sent: Sequence[machine.DeliveryProgress], now: datetime) -> Mapping[str, Any] | None:
    state = machine.with_deliveries(DocumentState(row.state), sent)
    exported = [each.exported_at for each in sent if machine.is_exported(each) and each.exported_at]
    booked = [each.booked_at for each in sent if machine.is_booked(each) and each.booked_at]
    change = {
        "id": row.id,
        "state": state,
        "exported_at": min(exported, default=None),
        "booked_at": min(booked, default=None),
        "locked": row.locked or (bool(exported) and row.lock_after_export),
        "updated_at": now,
        "version": row.version + 1,
    }
    same = all(getattr(row, name) == change[name] for name in ("state", "exported_at", "booked_at", "locked"))
    return None if same else change


def _delivery_observation(fact: DeliveryChanged, owner: Record) -> ProblemObservation:
    return ProblemObservation(
        subject_id=fact.delivery_id,
        firm_id=owner.firm_id,
        dossier_id=owner.dossier_id,
        document_id=fact.document_id,
        connector=fact.connector,
        connection_id=fact.connection_id,
        delivery_id=fact.delivery_id,
        problem=fact.problem,
        recovered=fact.state in _RECOVERED,
    )


def _connection_row(fact: ConnectionChanged, now: datetime) -> dict[str, Any]:
    return {
        "id": fact.connection_id,
        "dossier_id": fact.dossier_id,
        "connector": fact.connector,
        "state": fact.state,
        "version": fact.version,
        "connected_via_user": fact.connected_via_user,
        "problem": fact.problem.model_dump(mode="json") if fact.problem else None,
        "updated_at": now,
    }


def _connection_observation(fact: ConnectionChanged, firm_id: UUID) -> ProblemObservation:
    return ProblemObservation(
        subject_id=fact.connection_id,
        firm_id=firm_id,
        dossier_id=fact.dossier_id,
        document_id=None,
        connector=fact.connector,
        connection_id=fact.connection_id,
        delivery_id=None,
        problem=fact.problem,
        recovered=fact.state in {ConnectionState.CONNECTED, ConnectionState.DISCONNECTED},
    )
