"""Connections of dossiers. Documents that were announced before there was one are scheduled again when one is made."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.messages import ConnectionChanged, ConnectionState, Trigger, newest
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

from .handlers import QUEUED, REPLAN

_KEEP = Statement("""
    INSERT INTO connection AS held (connection_id, dossier_id, state, version)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:dossiers AS uuid[]), CAST(:states AS text[]), CAST(:versions AS integer[]))
    ON CONFLICT (connection_id) DO UPDATE SET state = excluded.state, version = excluded.version
        WHERE held.version <= excluded.version
    RETURNING dossier_id, state, xmax = 0 AS is_new
""")
_DOSSIERS = Statement("""
    SELECT dossier_id FROM dossier WHERE dossier_id = ANY(CAST(:dossiers AS uuid[])) ORDER BY dossier_id FOR UPDATE
""")
_UNCLAIMED = Statement("""
    SELECT d.document_id, last.export_id, last.trigger
    FROM document d LEFT JOIN LATERAL (
        SELECT i.export_id, e.trigger FROM export_item i JOIN export e USING (export_id)
        WHERE i.document_id = d.document_id ORDER BY i.queued_at DESC, i.export_id DESC LIMIT 1
    ) last ON true
    WHERE d.dossier_id = ANY(CAST(:dossiers AS uuid[])) AND EXISTS (SELECT FROM untaken u WHERE u.document_id = d.document_id)
    ORDER BY d.document_id FOR UPDATE OF d
""")
_PLAN_AGAIN = Statement("""
    UPDATE document SET sent_revision = NULL, sent_at = NULL, waits_for = 'dossier', rules_number = 0
    WHERE document_id = ANY(CAST(:ids AS uuid[]))
""")
_REPLAN = Statement("UPDATE dossier SET replanning = true WHERE dossier_id = ANY(CAST(:dossiers AS uuid[]))")
_QUEUE_AGAIN = Statement("""
    UPDATE export_item i SET released_at = NULL, queued_at = now()
    FROM unnest(CAST(:exports AS uuid[]), CAST(:ids AS uuid[])) AS asked (export_id, document_id)
    WHERE i.export_id = asked.export_id AND i.document_id = asked.document_id
""")


async def on_connection_changed(context: Context, tx: AsyncConnection, events: Sequence[ConnectionChanged]) -> None:
    """Keep which connections there are. A new one lets untaken documents be scheduled again (P2)."""
    kept = list(newest(events).values())
    rows = await _KEEP.all(
        tx,
        {
            "ids": [event.connection_id for event in kept],
            "dossiers": [event.dossier_id for event in kept],
            "states": [event.state for event in kept],
            "versions": [event.version for event in kept],
        },
    )
    connected = {row.dossier_id for row in rows if row.is_new and row.state != ConnectionState.DISCONNECTED}
    if connected:
        await _schedule_untaken_again(tx, sorted(connected))
        context.wake(REPLAN)
        context.wake(QUEUED)


async def _schedule_untaken_again(tx: AsyncConnection, dossiers: Sequence[UUID]) -> None:
    """Plan documents that went by a rule by the present rules; announce those that went by hand again with their export."""
    await _DOSSIERS.all(tx, {"dossiers": dossiers})
    untaken = await _UNCLAIMED.all(tx, {"dossiers": dossiers})
    by_hand = [row for row in untaken if row.trigger == Trigger.MANUAL]
    by_rule = [row.document_id for row in untaken if row.trigger != Trigger.MANUAL]
    if by_rule:
        await _PLAN_AGAIN.run(tx, {"ids": by_rule})
        await _REPLAN.run(tx, {"dossiers": dossiers})
    if by_hand:
        asked = {"exports": [row.export_id for row in by_hand], "ids": [row.document_id for row in by_hand]}
        await _QUEUE_AGAIN.run(tx, asked)
