"""Taking in facts: ``document.ready`` becomes one delivery per connection of the dossier; ``dossier.changed`` is kept.

The unique key (connection, operation, document, revision) is what makes repeated, late and shuffled messages one effect.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh import outbox
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DeliveryState, DocumentReady, DossierChanged
from koppel_mesh.service import Context
from koppel_mesh.telemetry.tracing import current_traceparent

from .happenings import AgainAsked, Superseded
from .kit import Kit
from .moves import COLUMNS, DeliveryRow, apply, changed, row_of
from .problems import Problem
from .tables import delivery, dossier

REMOTE_NAMESPACE = UUID("6d1f8b52-6a0e-5b0e-9f7e-4b1d0a7c9e11")
"""Never changes: references computed from it stand in vendors' books."""

_CONNECTIONS = text("""
    SELECT id, dossier_id, firm_id FROM connection
    WHERE dossier_id = ANY(CAST(:dossiers AS uuid[])) AND state <> 'disconnected' ORDER BY id
""")
_REVISIONS = text(f"""
    SELECT {COLUMNS} FROM delivery d WHERE d.document_id = ANY(CAST(:documents AS uuid[])) ORDER BY d.id FOR UPDATE
""")
_EXPORT_SEEN = text("""
    UPDATE delivery SET export_id = :export_id WHERE id = :id AND export_id IS DISTINCT FROM :export_id
""")


async def take_dossiers(_: Context, tx: AsyncConnection, events: Sequence[DossierChanged]) -> None:
    """Keep what a dossier is called and who owns it; a late older fact changes nothing."""
    newest = {event.dossier_id: event for event in sorted(events, key=lambda event: event.version)}
    rows = [
        {
            "id": event.dossier_id,
            "firm_id": event.firm_id,
            "name": event.name,
            "enterprise_number": event.enterprise_number,
            "language": event.language,
            "version": event.version,
        }
        for event in sorted(newest.values(), key=lambda event: event.dossier_id)
    ]
    statement = upsert(dossier).values(rows)
    changing = {name: statement.excluded[name] for name in ("name", "enterprise_number", "language", "version")}
    newer = dossier.c.version <= statement.excluded.version
    await tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changing, where=newer))


async def take_documents(context: Context, tx: AsyncConnection, events: Sequence[DocumentReady]) -> None:
    """Make the deliveries of a batch of ready documents."""
    kit: Kit = context.resources
    mine = [event for event in events if event.kind in kit.profile.kinds]
    if not mine:
        return
    dossiers = sorted({str(event.dossier_id) for event in mine})
    connections: dict[UUID, list[Any]] = {}
    for row in (await tx.execute(_CONNECTIONS, {"dossiers": dossiers})).all():
        connections.setdefault(row.dossier_id, []).append(row)
    if not connections:
        return
    for event in sorted(mine, key=lambda event: (event.document_id, event.revision)):
        for row in connections.get(event.dossier_id, ()):
            if row.firm_id != event.firm_id:
                continue
            await _take(kit, tx, event, row.id)
    kit.wake("deliveries")


async def _take(kit: Kit, tx: AsyncConnection, event: DocumentReady, connection_id: UUID) -> None:
    record = _new_record(kit, event, connection_id)
    statement = upsert(delivery).values(record).on_conflict_do_nothing(constraint="delivery_key")
    made = (await tx.execute(statement.returning(delivery.c.id))).one_or_none() is not None
    if not made:
        if event.again:
            await _again(kit, tx, event, connection_id)
        return
    others = await _other_revisions(tx, event, connection_id)
    state, problem = await _place_among(kit, tx, event, others)
    if state is not DeliveryState.READY:
        told = kit.tell(problem).model_dump(mode="json") if problem else None
        await tx.execute(
            delivery.update().where(delivery.c.id == record["id"]).values(state=state.value, problem=told, due_at=None)
        )
    row = (
        await tx.execute(text(f"SELECT {COLUMNS}, d.version FROM delivery d WHERE d.id = :id"), {"id": record["id"]})
    ).one()
    await outbox.publish(tx, changed(kit, row_of(row), state, row))


def _new_record(kit: Kit, event: DocumentReady, connection_id: UUID) -> dict[str, Any]:
    operation = kit.profile.operation
    key = f"{connection_id}/{operation}/{event.document_id}/{event.revision}"
    return {
        "id": new_id(),
        "connection_id": connection_id,
        "firm_id": event.firm_id,
        "dossier_id": event.dossier_id,
        "document_id": event.document_id,
        "revision": event.revision,
        "operation": operation,
        "kind": event.kind.value,
        "state": DeliveryState.READY.value,
        "due_at": text("clock_timestamp()"),
        "remote_ref": remote_ref(key),
        "remote_uuid": uuid5(REMOTE_NAMESPACE, key),
        "export_id": event.export_id,
        "traceparent": current_traceparent(),
    }


def remote_ref(key: str) -> str:
    """Return the reference by which a vendor is searched: ``KPL-`` and 100 bits of the key, in capitals and digits."""
    return f"KPL-{base64.b32encode(hashlib.sha256(key.encode()).digest()).decode()[:20]}"


async def _other_revisions(tx: AsyncConnection, event: DocumentReady, connection_id: UUID) -> list[DeliveryRow]:
    rows = (await tx.execute(_REVISIONS, {"documents": [str(event.document_id)]})).all()
    return [row_of(row) for row in rows if row.connection_id == connection_id and row.revision != event.revision]


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
                await apply(tx, kit, row, Superseded())
        else:
            may_be_there = True
    if may_be_there:
        return DeliveryState.REVIEW, Problem("already_booked_other_revision")
    return DeliveryState.READY, None


def _never_left(row: DeliveryRow) -> bool:
    waiting = (DeliveryState.READY, DeliveryState.BLOCKED, DeliveryState.FAILED, DeliveryState.SUPERSEDED)
    return row.state in waiting and row.unknown_since is None and row.remote_id is None


async def _again(kit: Kit, tx: AsyncConnection, event: DocumentReady, connection_id: UUID) -> None:
    """Make sure that it is there (R060); one export asks once, however often its message comes."""
    found = (
        await tx.execute(
            text(f"""
                SELECT {COLUMNS}, d.export_id FROM delivery d WHERE d.connection_id = :connection AND d.operation = :operation
                AND d.document_id = :document AND d.revision = :revision FOR UPDATE
            """),
            {
                "connection": connection_id,
                "operation": kit.profile.operation,
                "document": event.document_id,
                "revision": event.revision,
            },
        )
    ).one()
    if found.export_id == event.export_id:
        return
    await tx.execute(_EXPORT_SEEN, {"id": found.id, "export_id": event.export_id})
    row = row_of(found)
    settled = (DeliveryState.EXPORTED, DeliveryState.BOOKED)
    if row.state in (DeliveryState.BLOCKED, DeliveryState.FAILED) or (
        row.state in settled and kit.profile.on_ambiguous == "lookup"
    ):
        await apply(tx, kit, row, AgainAsked())
