"""Connections of dossiers: what went before there was one was taken by nobody, and goes again when one is made."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.messages import ConnectionChanged, ConnectionState
from koppel_mesh.service import Context
from koppel_mesh.statements import Statement

from .handlers import QUEUED

_KEEP = Statement("""
    INSERT INTO connection AS held (connection_id, dossier_id, state, version)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:dossiers AS uuid[]), CAST(:states AS text[]), CAST(:versions AS integer[]))
    ON CONFLICT (connection_id) DO UPDATE SET state = excluded.state, version = excluded.version
        WHERE held.version <= excluded.version
    RETURNING dossier_id, state, xmax = 0 AS is_new
""")
_QUEUE_UNTAKEN = Statement("""
    UPDATE export_item i SET released_at = NULL, queued_at = now()
    FROM document d
    WHERE d.dossier_id = ANY(CAST(:dossiers AS uuid[])) AND d.waits_for = 'nothing' AND i.document_id = d.document_id
        AND NOT EXISTS (SELECT FROM delivery v WHERE v.document_id = d.document_id)
        AND i.export_id = (SELECT export_id FROM export_item n WHERE n.document_id = d.document_id
            ORDER BY n.queued_at DESC, n.export_id DESC LIMIT 1)
""")


async def on_connection_changed(context: Context, tx: AsyncConnection, events: Sequence[ConnectionChanged]) -> None:
    """Keep which connections there are. With a new one goes what no connector has taken, by the export it went with (P2)."""
    newest: dict[UUID, ConnectionChanged] = {}
    for event in sorted(events, key=lambda event: event.version):
        newest[event.connection_id] = event
    kept = [newest[connection_id] for connection_id in sorted(newest)]
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
        await _QUEUE_UNTAKEN.run(tx, {"dossiers": sorted(connected)})
        context.wake(QUEUED)
