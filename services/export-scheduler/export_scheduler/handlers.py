"""Taking facts in: each handler folds a batch into the scheduler's own rows and plans what changed.

Locks are always taken in the same order — dossiers, then documents, each by id — so that pods never wait in a circle.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.messages import DeliveryChanged, DocumentChanged, DossierChanged, newest
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

from . import store
from .projection import DocumentProjection, fold

REPLAN = "replan"
RELEASE = "release due"
QUEUED = "release queued"


_CHANGED = """(held.version = :stub_version OR held.frequency <> excluded.frequency
    OR held.approval_required <> excluded.approval_required OR held.lock_after_export <> excluded.lock_after_export)"""
_KEEP_RULES = Statement(f"""
    INSERT INTO dossier AS held (dossier_id, firm_id, version, frequency, approval_required, lock_after_export)
    VALUES (:dossier_id, :firm_id, :version, :frequency, :approval_required, :lock_after_export)
    ON CONFLICT (dossier_id) DO UPDATE SET firm_id = excluded.firm_id, version = excluded.version,
        frequency = excluded.frequency, approval_required = excluded.approval_required,
        lock_after_export = excluded.lock_after_export,
        rules_number = held.rules_number + CAST({_CHANGED} AS integer), replanning = held.replanning OR {_CHANGED}
    WHERE held.version <= excluded.version
""")


async def on_dossier_changed(context: Context, tx: AsyncConnection, events: Sequence[DossierChanged]) -> None:
    """Keep the newest rules of each dossier; what was planned under others is planned again by the loop."""
    await _KEEP_RULES.run_many(tx, [_dossier_row(event) for event in newest(events).values()])
    context.wake(REPLAN)


def _dossier_row(event: DossierChanged) -> dict[str, Any]:
    return {
        "dossier_id": event.dossier_id,
        "firm_id": event.firm_id,
        "version": event.version,
        "frequency": event.export.frequency,
        "approval_required": event.export.approval_required,
        "lock_after_export": event.export.lock_after_export,
        "stub_version": store.STUB_VERSION,
    }


async def on_document_changed(context: Context, tx: AsyncConnection, events: Sequence[DocumentChanged]) -> None:
    """Remember each document and plan when it goes."""
    by_document: dict[UUID, list[DocumentChanged]] = defaultdict(list)
    for event in events:
        by_document[event.document_id].append(event)
    rules = await store.rules_held(tx, {event.dossier_id for event in events})
    known = await store.documents_held(tx, by_document)
    now = await store.database_now(tx)
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    arriving = [document_id for document_id in by_document if document_id not in known]
    gone = await store.revisions_delivered(tx, arriving) if arriving else {}
    for document_id, facts in by_document.items():
        before = after = known.get(document_id)
        for fact in facts:
            after = fold(after, fact, now)
        assert after is not None
        if before is None:
            after = _with_delivered(after, gone.get(document_id))
        if after != before:
            (new if before is None else changed).append(
                {**store.as_row(after), **store.planned(after, *rules[after.dossier_id], context.settings.calendar)}
            )
    await store.update_documents(tx, changed)
    inserted = await store.insert_documents(tx, new) if new else set()
    raced = [fact for row in new if (key := row["document_id"]) not in inserted for fact in by_document[key]]
    if raced:
        # Another pod took an earlier fact of the same document a moment ago; its row is there to fold into now.
        await on_document_changed(context, tx, raced)
    context.wake(RELEASE)


def _with_delivered(known: DocumentProjection, revision: int | None) -> DocumentProjection:
    return known if revision is None else replace(known, sent_revision=max(revision, known.sent_revision or 0))


NOT_TAKEN = "not_taken"
"""Instead of ``blocked``, where the connection takes no documents of this kind: nobody waits for it who has another way."""
_KEEP = Statement("""
    INSERT INTO delivery AS held (delivery_id, document_id, connection_id, revision, state, version)
    VALUES (:delivery_id, :document_id, :connection_id, :revision, :state, :version)
    ON CONFLICT (delivery_id) DO UPDATE
        SET state = excluded.state, revision = excluded.revision, version = excluded.version
        WHERE held.version <= excluded.version
""")


WATCHES_STATEMENTS = "connector-coda"
"""It tells why a statement waits, and delivers nothing: a document that only it tells of is taken by nobody."""


async def on_delivery_changed(_: Context, tx: AsyncConnection, events: Sequence[DeliveryChanged]) -> None:
    """Keep the newest state of each delivery, for the progress of exports; what a connector delivered is marked as sent."""
    events = [event for event in events if event.connector != WATCHES_STATEMENTS]
    await _KEEP.run_many(tx, [_delivery_row(event) for event in newest(events).values()])
    await _mark_delivered(tx, [event for event in events if event.state in store.DELIVERED])


def _delivery_row(event: DeliveryChanged) -> dict[str, Any]:
    return {
        "delivery_id": event.delivery_id,
        "document_id": event.document_id,
        "connection_id": event.connection_id,
        "revision": event.revision,
        "state": NOT_TAKEN if event.problem and event.problem.code == "kind_not_taken" else event.state,
        "version": event.version,
    }


_MARK_DELIVERED = Statement("""
    WITH gone AS (
        SELECT document_id, max(revision) AS revision
        FROM unnest(CAST(:ids AS uuid[]), CAST(:revisions AS integer[])) AS g (document_id, revision) GROUP BY 1
    ), held AS (
        SELECT d.document_id, g.revision, g.revision >= d.revision AS whole
        FROM document d JOIN gone g USING (document_id)
        WHERE coalesce(d.sent_revision, -1) < g.revision
        ORDER BY d.document_id FOR UPDATE OF d
    )
    UPDATE document d
    SET sent_revision = held.revision,
        due_at = CASE WHEN NOT held.whole THEN d.due_at END,
        trigger = CASE WHEN NOT held.whole THEN d.trigger END,
        waits_for = CASE WHEN held.whole THEN 'nothing' ELSE d.waits_for END
    FROM held WHERE d.document_id = held.document_id
""")


async def _mark_delivered(tx: AsyncConnection, events: Sequence[DeliveryChanged]) -> None:
    """Note documents that went without us: somebody else may publish ``document.ready`` too (contract §8)."""
    if events:
        ids = [event.document_id for event in events]
        await _MARK_DELIVERED.run(tx, {"ids": ids, "revisions": [event.revision for event in events]})
