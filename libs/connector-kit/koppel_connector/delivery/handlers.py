"""Taking in facts: ``document.ready`` becomes one delivery per connection of the dossier; ``dossier.changed`` is kept.

The unique key (connection, operation, document, revision) is what makes repeated, late and shuffled messages one effect.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract.problems import Problem
from koppel_connector.kit import Kit
from koppel_mesh import outbox
from koppel_mesh.messages import DeliveryState, DocumentReady, DossierChanged, newest
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from koppel_mesh.telemetry.tracing import current_traceparent

from . import targets
from .events import ReexportRequested, Superseded
from .store import COLUMNS, DeliveryRow, row_of

_KEEP_DOSSIERS = Statement("""
    INSERT INTO dossier AS held (id, firm_id, name, enterprise_number, language, version)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, firm_id uuid, name text,
        enterprise_number text, language text, version integer)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, enterprise_number = excluded.enterprise_number,
        language = excluded.language, version = excluded.version
    WHERE held.version <= excluded.version
""")
# What waits because its connection leads to another company goes on, or says so anew, once the dossier's number is put right.
_NUMBER_CHANGED = Statement("""
    UPDATE connection SET unblocked_at = clock_timestamp()
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, enterprise_number text, version integer)
        JOIN dossier held ON held.id = given.id
    WHERE connection.dossier_id = given.id AND held.version <= given.version
        AND held.enterprise_number <> given.enterprise_number
    RETURNING connection.id
""")
_CONNECTIONS = Statement("""
    SELECT id, dossier_id, firm_id, settings FROM connection
    WHERE dossier_id = ANY(CAST(:dossiers AS uuid[])) AND state <> 'disconnected'
        AND NOT EXISTS (SELECT FROM firm_deletion WHERE firm_deletion.firm_id = connection.firm_id)
    ORDER BY id
""")
_REVISIONS = Statement(f"""
    SELECT {COLUMNS} FROM delivery d WHERE d.document_id = ANY(CAST(:documents AS uuid[])) ORDER BY d.id FOR UPDATE
""")
_PLACE = Statement(f"""
    UPDATE delivery d SET state = :state, problem = CAST(:problem AS jsonb), due_at = NULL WHERE d.id = :id
    RETURNING {COLUMNS}, d.version
""")
_KNOWN = Statement(f"""
    SELECT {COLUMNS}, d.export_id FROM delivery d WHERE d.connection_id = :connection AND d.operation = :operation
    AND d.document_id = :document AND d.revision = :revision FOR UPDATE
""")
_EXPORT_SEEN = Statement("""
    UPDATE delivery SET export_id = :export_id WHERE id = :id AND export_id IS DISTINCT FROM :export_id
""")


async def take_dossiers(context: Context, tx: AsyncConnection, events: Sequence[DossierChanged]) -> None:
    """Keep what a dossier is called and who owns it; a late older fact changes nothing."""
    rows = [
        {
            "id": event.dossier_id,
            "firm_id": event.firm_id,
            "name": event.name,
            "enterprise_number": event.enterprise_number,
            "language": event.language,
            "version": event.version,
        }
        for event in newest(events).values()
    ]
    values = {"rows": json.dumps(rows, default=str)}
    changed = await _NUMBER_CHANGED.all(tx, values)
    await _KEEP_DOSSIERS.run(tx, values)
    if changed:
        context.wake("reconciler")


async def take_documents(context: Context, tx: AsyncConnection, events: Sequence[DocumentReady]) -> None:
    """Make the deliveries of a batch of ready documents; a statement has none before it is its turn."""
    kit: Kit = context.resources
    wanted = await _wanted(kit, tx, [event for event in events if event.is_for_connectors])
    if not wanted:
        return
    made = {row.id: row for row in await targets.make(tx, [record for _, record in wanted])}
    revised = await _revised(tx, {row.document_id for row in made.values()})
    rendered = []
    for event, record in wanted:
        row = made.get(UUID(record["id"]))
        if row is None:
            if event.again:
                await _again(kit, tx, event, UUID(record["connection_id"]), record["operation"])
            continue
        if event.document_id in revised:
            row = await _placed(kit, tx, event, row)
        rendered.append(kit.deliveries.changed(row_of(row), DeliveryState(row.state), row))
    await outbox.publish(tx, *rendered)
    kit.wake("deliveries")


async def _wanted(
    kit: Kit, tx: AsyncConnection, events: Sequence[DocumentReady]
) -> list[tuple[DocumentReady, dict[str, Any]]]:
    """Return what becomes of each document at every connection of its dossier, in the order in which they are taken."""
    connections: dict[UUID, list[Any]] = defaultdict(list)
    for row in await _CONNECTIONS.all(tx, {"dossiers": list({event.dossier_id for event in events})}):
        connections[row.dossier_id].append((row, kit.connections.shown_settings(row)))
    return [
        (event, record)
        for event in sorted(events, key=lambda event: (event.document_id, event.revision))
        for row, settings in connections[event.dossier_id]
        if row.firm_id == event.firm_id
        for record in targets.records_of(kit, row.id, kit.connector.targets(event.kind, settings), _document_of(event))
    ]


def _document_of(event: DocumentReady) -> dict[str, Any]:
    return {
        "firm_id": str(event.firm_id),
        "dossier_id": str(event.dossier_id),
        "document_id": str(event.document_id),
        "revision": event.revision,
        "kind": event.kind.value,
        "export_id": str(event.export_id),
        "traceparent": event.traceparent or current_traceparent(),
        "sequence_key": event.sequence_key,
    }


async def _revised(tx: AsyncConnection, documents: Collection[UUID]) -> set[UUID]:
    """Return which of ``documents`` have deliveries of more than one revision, and lock those of all of them."""
    seen: dict[UUID, set[int]] = defaultdict(set)
    for row in await _REVISIONS.all(tx, {"documents": list(documents)}):
        seen[row.document_id].add(row.revision)
    return {document_id for document_id, revisions in seen.items() if len(revisions) > 1}


async def _placed(kit: Kit, tx: AsyncConnection, event: DocumentReady, row: Record) -> Record:
    """Return the new delivery where it starts among the other revisions of its document."""
    rows = await _REVISIONS.all(tx, {"documents": [event.document_id]})
    others = [
        row_of(each)
        for each in rows
        if (each.connection_id, each.operation) == (row.connection_id, row.operation) and each.id != row.id
    ]
    state, problem = await _place_among(kit, tx, event, others)
    if state is DeliveryState.READY:
        return row
    rendered = kit.reporter.render(problem).model_dump_json() if problem else None
    return await _PLACE.one(tx, {"id": row.id, "state": state.value, "problem": rendered})


async def _place_among(
    kit: Kit, tx: AsyncConnection, event: DocumentReady, others: Sequence[DeliveryRow]
) -> tuple[DeliveryState, Problem | None]:
    """Return how a new revision starts: it replaces what never left, and never books beside what may have."""
    if any(row.revision > event.revision for row in others):
        return DeliveryState.SUPERSEDED, None
    may_be_there = False
    for row in others:
        if _never_left(row):
            if row.state is not DeliveryState.SUPERSEDED:
                await kit.deliveries.apply(tx, row, Superseded())
        else:
            may_be_there = True
    if may_be_there:
        return DeliveryState.REVIEW, Problem("already_booked_other_revision")
    return DeliveryState.READY, None


def _never_left(row: DeliveryRow) -> bool:
    waiting = (DeliveryState.READY, DeliveryState.BLOCKED, DeliveryState.FAILED, DeliveryState.SUPERSEDED)
    return row.state in waiting and row.unknown_since is None and row.remote_id is None


async def _again(kit: Kit, tx: AsyncConnection, event: DocumentReady, connection_id: UUID, operation: str) -> None:
    """Make sure that it is there (R060); one export asks once, however often its message comes."""
    found = await _KNOWN.one(
        tx,
        {
            "connection": connection_id,
            "operation": operation,
            "document": event.document_id,
            "revision": event.revision,
        },
    )
    if found.export_id == event.export_id:
        return
    await _EXPORT_SEEN.run(tx, {"id": found.id, "export_id": event.export_id})
    row = row_of(found)
    settled = (DeliveryState.EXPORTED, DeliveryState.BOOKED)
    if row.state in (DeliveryState.BLOCKED, DeliveryState.FAILED) or (
        row.state in settled and kit.patience(row).on_ambiguous == "lookup"
    ):
        await kit.deliveries.apply(tx, row, ReexportRequested())
