"""Taking facts in: what connector-coda needs of dossiers, connections, statements and their deliveries, as rows of its own.

Each fact only notes what it says and which dossier has to be looked at; the loops do the work. Late, repeated and shuffled
facts change
nothing, for versions only rise.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.messages import (
    STATEMENT_KINDS,
    ConnectionChanged,
    DeliveryChanged,
    DeliveryState,
    DocumentChanged,
    DocumentReady,
    DossierChanged,
    newest,
)
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

READ = "read"
ARRANGE = "arrange"
RELEASE = "release"
OURSELVES = "connector-coda"
_OPEN = frozenset(
    {
        DeliveryState.READY,
        DeliveryState.SENDING,
        DeliveryState.UNKNOWN,
        DeliveryState.BLOCKED,
        DeliveryState.REVIEW,
        DeliveryState.FAILED,
    }
)

_KEEP_DOSSIERS = Statement("""
    INSERT INTO dossier AS held (id, firm_id, name, enterprise_number, version, arranging, releasing_at)
    SELECT given.*, true, clock_timestamp() FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, firm_id uuid, name
    text,
        enterprise_number text, version integer)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, enterprise_number = excluded.enterprise_number, version =
    excluded.version,
        arranging = true
    WHERE held.version <= excluded.version
""")
_KEEP_CONNECTIONS = Statement("""
    INSERT INTO connection AS held (id, dossier_id, connector, state, version)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, dossier_id uuid, connector text, state text,
        version integer)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, version = excluded.version WHERE held.version <= excluded.version
""")
_TELL_AGAIN = Statement("""
    UPDATE document SET repeat_at = clock_timestamp(), repeats = 0
    WHERE dossier_id = ANY(CAST(:dossiers AS uuid[])) AND NOT answered
""")
_KEEP_DOCUMENTS = Statement("""
    INSERT INTO document AS held (id, dossier_id, firm_id, version, revision, kind, state, created_at, read_due_at)
    SELECT given.*, clock_timestamp() FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, dossier_id uuid, firm_id
    uuid,
        version integer, revision integer, kind text, state text, created_at timestamptz)
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, revision = excluded.revision, kind = excluded.kind,
        state = excluded.state WHERE held.version <= excluded.version
""")
_ASK = Statement("""
    UPDATE document SET ready = given.ready, traceparent = given.traceparent, asked_at = clock_timestamp()
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, ready jsonb, traceparent text) WHERE document.id = given.id
""")
_KEEP_DELIVERIES = Statement("""
    INSERT INTO delivery AS held (id, document_id, connection_id, revision, is_open, version)
    SELECT given.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, document_id uuid, connection_id uuid,
        revision integer, is_open boolean, version integer) JOIN document ON document.id = given.document_id
    ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, is_open = excluded.is_open, version = excluded.version
        WHERE held.version <= excluded.version
""")
_LOOK = Statement("""
    UPDATE dossier SET arranging = arranging OR :arranging, releasing_at = least(coalesce(releasing_at, 'infinity'),
    clock_timestamp())
    WHERE id IN (SELECT id FROM dossier WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE)
""")


_OF_DOCUMENTS = Statement("SELECT DISTINCT dossier_id FROM document WHERE id = ANY(CAST(:documents AS uuid[]))")


async def look_again(tx: AsyncConnection, dossiers: Iterable[UUID], *, arranging: bool) -> None:
    """Have the loops look at these dossiers: at their chains too, or only at what can go.

    It locks them, and comes first in a transaction: so does each loop.
    """
    await _LOOK.run(tx, {"ids": list(set(dossiers)), "arranging": arranging})


async def on_dossier_changed(context: Context, tx: AsyncConnection, events: Sequence[DossierChanged]) -> None:
    """Keep who owns a dossier and what it is called: the holder of an account is compared with it."""
    fields = ("firm_id", "name", "enterprise_number", "version")
    rows = [{"id": one.dossier_id} | {name: getattr(one, name) for name in fields} for one in newest(events).values()]
    await _KEEP_DOSSIERS.run(tx, {"rows": json.dumps(rows, default=str)})
    context.wake(ARRANGE)


async def on_connection_changed(context: Context, tx: AsyncConnection, events: Sequence[ConnectionChanged]) -> None:
    """Keep which connections a dossier has: a statement's turn ends when all living ones have answered for it."""
    fields = ("dossier_id", "connector", "state", "version")
    rows = [
        {"id": one.connection_id} | {name: getattr(one, name) for name in fields} for one in newest(events).values()
    ]
    await look_again(tx, [one.dossier_id for one in events], arranging=False)
    await _KEEP_CONNECTIONS.run(tx, {"rows": json.dumps(rows, default=str)})
    await _TELL_AGAIN.run(tx, {"dossiers": [one.dossier_id for one in events]})
    context.wake(RELEASE)


async def on_document_changed(context: Context, tx: AsyncConnection, events: Sequence[DocumentChanged]) -> None:
    """Keep each statement document and its state; a new one is read by the loop."""
    statements = [one for one in events if one.kind in STATEMENT_KINDS]
    if statements:
        await look_again(tx, [one.dossier_id for one in statements], arranging=True)
        await _keep_documents(tx, statements)
        context.wake(READ)
        context.wake(ARRANGE)


async def on_document_ready(context: Context, tx: AsyncConnection, events: Sequence[DocumentReady]) -> None:
    """Keep that a statement is to go. What has a sequence key is our own word, come back."""
    asked = {one.document_id: one for one in events if not one.is_for_connectors}
    if not asked:
        return
    await look_again(tx, [one.dossier_id for one in asked.values()], arranging=True)
    await _keep_documents(tx, list(asked.values()))
    rows = [
        {"id": key, "ready": one.model_dump(mode="json"), "traceparent": one.traceparent} for key, one in asked.items()
    ]
    await _ASK.run(tx, {"rows": json.dumps(rows, default=str)})
    context.wake(READ)
    context.wake(ARRANGE)


async def on_delivery_changed(context: Context, tx: AsyncConnection, events: Sequence[DeliveryChanged]) -> None:
    """Keep which connections have a delivery of a statement, and whether it still holds those behind it."""
    latest = [one for one in newest(events).values() if one.connector != OURSELVES]
    dossiers = await _OF_DOCUMENTS.all(tx, {"documents": [one.document_id for one in latest]})
    if dossiers:
        await look_again(tx, [row.dossier_id for row in dossiers], arranging=False)
        await _KEEP_DELIVERIES.run(tx, {"rows": json.dumps([_delivery_row(one) for one in latest], default=str)})
        context.wake(RELEASE)


async def _keep_documents(tx: AsyncConnection, events: Sequence[DocumentChanged | DocumentReady]) -> None:
    latest: dict[UUID, Any] = {}
    for one in sorted(events, key=lambda one: (one.version, one.revision)):
        latest[one.document_id] = one
    fields = ("dossier_id", "firm_id", "version", "revision", "kind", "state", "created_at")
    rows = [{"id": key} | {name: getattr(one, name) for name in fields} for key, one in sorted(latest.items())]
    await _KEEP_DOCUMENTS.run(tx, {"rows": json.dumps(rows, default=str)})


def _delivery_row(event: DeliveryChanged) -> dict[str, Any]:
    """A person who leaves a failed delivery takes its problem away; a connection without statements holds nothing."""
    code = event.problem.code if event.problem else None
    abandoned = event.state is DeliveryState.FAILED and code is None
    return {
        "id": event.delivery_id,
        "document_id": event.document_id,
        "connection_id": event.connection_id,
        "revision": event.revision,
        "is_open": event.state in _OPEN and not abandoned and code != "kind_not_taken",
        "version": event.version,
    }
