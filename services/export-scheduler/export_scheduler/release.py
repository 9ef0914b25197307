"""The loops: plan again what a dossier's new rules touch, send what is due, send what was asked for by hand.

Any pod claims any row (SKIP LOCKED). Marking a document as sent and writing ``document.ready`` to the outbox are one
transaction, so a crash leaves both or neither, and "due" is judged by the database's clock alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh import outbox
from koppel_mesh.ids import new_id
from koppel_mesh.messages import ContentRef, DocumentReady, Trigger
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context

from . import store
from .projection import DocumentProjection
from .rules import WaitsFor

BATCH = 200
REPLAN_BATCH = 500

_DUE = Statement("""
    SELECT document_id FROM document WHERE due_at <= now()
    ORDER BY due_at, document_id LIMIT :batch FOR UPDATE SKIP LOCKED
""")
_QUEUED = Statement("""
    SELECT i.export_id, i.document_id, i.again
    FROM export_item i JOIN document d USING (document_id)
    WHERE i.released_at IS NULL
    ORDER BY i.queued_at LIMIT :batch FOR UPDATE OF i, d SKIP LOCKED
""")
_EXPORT = Statement("""
    INSERT INTO export (export_id, dossier_id, firm_id, trigger, filters, include_exported, count)
    VALUES (:export_id, :dossier_id, :firm_id, :trigger, '{}', false, :count)
""")
_ITEM = Statement("""
    INSERT INTO export_item (export_id, document_id, revision, again, late, released_at)
    VALUES (:export_id, :document_id, :revision, false, :late, now())
""")
_RELEASED = Statement("""
    UPDATE export_item SET released_at = now(), revision = :revision
    WHERE export_id = :export AND document_id = :document
""")
_CHANGED_RULES = Statement("SELECT * FROM dossier WHERE replanning LIMIT 1 FOR UPDATE SKIP LOCKED")
_STALE = Statement("""
    SELECT document_id FROM document
    WHERE dossier_id = :dossier_id AND waits_for <> 'nothing' AND rules_number <> :rules_number
    ORDER BY document_id LIMIT :batch
""")
_REPLANNED = Statement("UPDATE dossier SET replanning = false WHERE dossier_id = :dossier_id")
_RULES = Statement("SELECT * FROM dossier WHERE dossier_id = ANY(CAST(:ids AS uuid[]))")
_NOT_PLANNED = {"due_at": None, "trigger": None, "waits_for": WaitsFor.NOTHING, "late": False}


async def replan(context: Context) -> bool:
    """Plan the documents of one dossier whose rules changed again, one batch; True while there is more."""
    async with context.database.transaction() as tx:
        row = await _CHANGED_RULES.one_or_none(tx)
        if row is None:
            return False
        stale = {"dossier_id": row.dossier_id, "rules_number": row.rules_number, "batch": REPLAN_BATCH}
        ids = [each.document_id for each in await _STALE.all(tx, stale)]
        known = await store.documents_held(tx, ids)
        await store.update_documents(tx, [_planned_again(context, one, row) for one in known.values()])
        if len(ids) < REPLAN_BATCH:
            # Nobody can plan a document of this dossier meanwhile: that takes a lock on the row we hold.
            await _REPLANNED.run(tx, {"dossier_id": row.dossier_id})
    return True


def _planned_again(context: Context, known: DocumentProjection, row: Record) -> dict[str, Any]:
    plan = store.planned(known, store.rules_of(row), row["rules_number"], context.settings.calendar)
    return {"document_id": known.document_id, **plan}


async def release_due(context: Context) -> bool:
    """Send one batch of what is due by the rules; True while there may be more."""
    async with context.database.transaction() as tx:
        ids = [row.document_id for row in await _DUE.all(tx, {"batch": BATCH})]
        if not ids:
            return False
        known = await store.documents_held(tx, ids)
        rules = await _rules(tx, {one.dossier_id for one in known.values()})
        now = await store.database_now(tx)
        going: dict[tuple[UUID, Trigger], list[tuple[DocumentProjection, bool]]] = defaultdict(list)
        kept = []
        for one in known.values():
            row = rules[one.dossier_id]
            found = _planned_again(context, one, row)
            if found["due_at"] is not None and found["due_at"] <= now:
                going[one.dossier_id, found["trigger"]].append((one, found["late"]))
            else:
                # The dossier's rules changed a moment ago and the loop has not come by yet.
                kept.append(found)
        await store.update_documents(tx, kept)
        facts = [fact for (_, trigger), group in going.items() for fact in await _scheduled(tx, trigger, group)]
        await _send(context, tx, facts, known)
    return len(ids) == BATCH


async def _rules(tx: AsyncConnection, ids: Iterable[UUID]) -> Mapping[UUID, Record]:
    return {row.dossier_id: row for row in await _RULES.all(tx, {"ids": list(ids)})}


async def _scheduled(
    tx: AsyncConnection, trigger: Trigger, group: Sequence[tuple[DocumentProjection, bool]]
) -> list[DocumentReady]:
    """Write the export that a dossier's documents of this batch go with."""
    export_id, first = new_id(), group[0][0]
    owner = {"dossier_id": first.dossier_id, "firm_id": first.firm_id}
    await _EXPORT.run(tx, {"export_id": export_id, **owner, "trigger": trigger, "count": len(group)})
    await _ITEM.run_many(
        tx,
        [
            {"export_id": export_id, "document_id": one.document_id, "revision": one.revision, "late": late}
            for one, late in group
        ],
    )
    return [ready(one, export_id, trigger, again=False) for one, _ in group]


async def release_queued(context: Context) -> bool:
    """Send one batch of what manual exports asked for; True while there may be more."""
    async with context.database.transaction() as tx:
        items = await _QUEUED.all(tx, {"batch": BATCH})
        if not items:
            return False
        known = await store.documents_held(tx, {item.document_id for item in items})
        facts = [ready(known[item.document_id], item.export_id, Trigger.MANUAL, again=item.again) for item in items]
        # What goes is the document as it is now, which may be newer than when it was asked for.
        await _RELEASED.run_many(
            tx,
            [{"export": fact.export_id, "document": fact.document_id, "revision": fact.revision} for fact in facts],
        )
        await _send(context, tx, facts, known)
    return len(items) == BATCH


async def _send(
    context: Context, tx: AsyncConnection, facts: Sequence[DocumentReady], known: Mapping[UUID, DocumentProjection]
) -> None:
    if not facts:
        return
    now = await store.database_now(tx)
    sent = {"sent_at": now, "repeat_at": now + context.settings.repeat_after, "repeats": 0, **_NOT_PLANNED}
    await store.update_documents(
        tx,
        [
            {"document_id": document_id, "sent_revision": known[document_id].revision, **sent}
            for document_id in sorted({fact.document_id for fact in facts})
        ],
    )
    await outbox.publish(tx, *facts)


def ready(one: DocumentProjection, export_id: UUID, trigger: Trigger, *, again: bool) -> DocumentReady:
    """Return the fact that this document goes now, with that export."""
    return DocumentReady(
        document_id=one.document_id,
        dossier_id=one.dossier_id,
        firm_id=one.firm_id,
        version=one.version,
        revision=one.revision,
        kind=one.kind,
        number=one.number,
        issue_date=one.issue_on,
        created_at=one.created_at,
        state=one.state,
        content=tuple(ContentRef.model_validate(content) for content in one.content),
        export_id=export_id,
        trigger=trigger,
        again=again,
    ).traced(one.traceparent)
