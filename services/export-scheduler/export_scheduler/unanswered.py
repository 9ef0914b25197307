"""The loop that announces a document again when no living connection has a delivery of it.

A ``document.ready`` can be lost on its way in: it lies in a dead queue, or a broker confirmed it and dropped it. Announcing it
again has no effect where it did arrive (contract §8). The pauses double, up to a day: a connector that does not answer is a
fault that somebody has to mend, and the alert stays until then.
"""

from koppel_mesh import outbox
from koppel_mesh.messages import Trigger
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context
from koppel_mesh.telemetry.alerts import Alert
from koppel_mesh.telemetry.metrics import gauge

from . import store
from .release import ready

BATCH = 200
PAUSE_MAX_S = 86_400

_DUE = Statement("""
    SELECT document_id FROM document WHERE repeat_at <= now()
    ORDER BY repeat_at LIMIT :batch FOR UPDATE SKIP LOCKED
""")
_UNANSWERED = Statement("""
    SELECT d.document_id, last.export_id, last.trigger, last.again
    FROM document d CROSS JOIN LATERAL (
        SELECT i.export_id, e.trigger, i.again FROM export_item i JOIN export e USING (export_id)
        WHERE i.document_id = d.document_id AND i.released_at IS NOT NULL
        ORDER BY i.queued_at DESC, i.export_id DESC LIMIT 1
    ) last
    WHERE d.document_id = ANY(CAST(:ids AS uuid[]))
        AND EXISTS (SELECT FROM untaken u WHERE u.document_id = d.document_id)
        AND EXISTS (SELECT FROM connection c WHERE c.dossier_id = d.dossier_id AND c.state <> 'disconnected')
""")
_REPEATED = Statement("""
    UPDATE document SET repeats = repeats + 1,
        repeat_at = now() + least(:pause_max_s, :after_s * power(2, least(repeats, 20) + 1)) * interval '1 second'
    WHERE document_id = ANY(CAST(:ids AS uuid[]))
""")
_SETTLED = Statement("UPDATE document SET repeat_at = NULL WHERE document_id = ANY(CAST(:ids AS uuid[]))")
_COUNT = Statement("""
    SELECT count(*) AS number FROM document d WHERE d.repeat_at IS NOT NULL AND d.repeats > 0
        AND EXISTS (SELECT FROM untaken u WHERE u.document_id = d.document_id)
        AND EXISTS (SELECT FROM connection c WHERE c.dossier_id = d.dossier_id AND c.state <> 'disconnected')
""")

_REPEATING = gauge(
    "koppel_documents_unanswered",
    "Documents that were announced again because no living connection answers for them",
    alerts=[
        Alert(
            name="KoppelDocumentsUnanswered",
            summary="No connector answers for {value} documents, though they were announced again",
            above=0,
            lasts="1h",
            severity="page",
        )
    ],
)


async def repeat_unanswered(context: Context) -> bool:
    """Announce one batch of unanswered documents again; True while there may be more."""
    async with context.database.transaction() as tx:
        ids = [row.document_id for row in await _DUE.all(tx, {"batch": BATCH})]
        unanswered = await _UNANSWERED.all(tx, {"ids": ids})
        again = [row.document_id for row in unanswered]
        known = await store.documents_held(tx, again)
        await outbox.publish(
            tx,
            *(
                ready(known[row.document_id], row.export_id, Trigger(row.trigger), again=row.again)
                for row in unanswered
            ),
        )
        after_s = context.settings.export_repeat_after_s
        await _REPEATED.run(tx, {"ids": again, "after_s": after_s, "pause_max_s": PAUSE_MAX_S})
        await _SETTLED.run(tx, {"ids": [document_id for document_id in ids if document_id not in set(again)]})
        _REPEATING.labels(context.name).set((await _COUNT.one(tx)).number)
    return len(ids) == BATCH
