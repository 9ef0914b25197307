"""A firm leaves: nothing more is sent for it, and its connections end once nobody waits for an answer through them.

What has not left is abandoned. What is being sent, left and is unknown, or is not seen in the books yet, is settled first as
always, for which the connection and its grant are needed: what happened in the books would otherwise never be known. Where the
connection or the vendor stays silent a person says what became of it.
"""

from uuid import UUID

from koppel_connector.connection.removing import forget, remove
from koppel_connector.contract.problems import Problem
from koppel_connector.kit import Kit
from koppel_connector.tables import OUTCOME_IS_OPEN
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

from . import events
from .store import COLUMNS, row_of

BATCH = 200
_WAITING = Statement(f"""
    SELECT {COLUMNS} FROM delivery d
    WHERE d.firm_id = :firm_id AND d.state IN ('ready', 'blocked') AND d.unknown_since IS NULL
    ORDER BY d.id LIMIT {BATCH} FOR UPDATE OF d
""")
_CONNECTIONS = Statement("SELECT id FROM connection WHERE firm_id = :firm_id AND state <> 'disconnected' ORDER BY id")
_UNSETTLED = Statement(f"""
    SELECT EXISTS (SELECT FROM delivery WHERE connection_id = :id AND {OUTCOME_IS_OPEN}) AS found
""")


async def stop_firm(context: Context, firm_id: UUID) -> None:
    """Abandon what waits, and end every connection through which nothing is under way."""
    kit: Kit = context.resources
    waiting = BATCH
    while waiting == BATCH:
        async with kit.database.transaction() as tx:
            rows = await _WAITING.all(tx, {"firm_id": firm_id})
            for record in rows:
                await kit.deliveries.apply(
                    tx, row_of(record), events.ResolvedAsAbandoned(Problem("connection_removed"))
                )
        waiting = len(rows)
    async with kit.database.reading() as reading:
        ids = [row.id for row in await _CONNECTIONS.all(reading, {"firm_id": firm_id})]
    for connection_id in ids:
        async with kit.database.transaction() as tx:
            await kit.connections.read(tx, connection_id, lock=True)
            if (await _UNSETTLED.one(tx, {"id": connection_id})).found:
                continue
            await remove(kit, tx, connection_id)
        forget(kit, connection_id)
