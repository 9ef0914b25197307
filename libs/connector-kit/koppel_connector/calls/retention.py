"""The sync log is kept for as long as the operator says; what proves that something was sent is kept for ever."""

from koppel_connector.kit import Kit
from koppel_connector.tables import NOT_AT_ITS_END
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

BATCH = 1000

# In the order of the index attempt_kept, without what a delivery on its way may still need.
_OLD = f"""
    SELECT a.id, a.acts FROM attempt a
    WHERE (a.request IS NOT NULL OR NOT a.acts) AND a.finished_at < clock_timestamp() - :days * interval '1 day'
        AND NOT EXISTS (SELECT FROM delivery d WHERE d.id = a.delivery_id AND {NOT_AT_ITS_END})
    ORDER BY a.finished_at LIMIT :batch FOR UPDATE OF a SKIP LOCKED
"""
_FORGET = Statement(f"""
    WITH old AS ({_OLD}
    ), deleted AS (
        DELETE FROM attempt WHERE id IN (SELECT id FROM old WHERE NOT acts)
    ), emptied AS (
        UPDATE attempt SET request = NULL, response = NULL WHERE id IN (SELECT id FROM old WHERE acts)
    )
    SELECT count(*) AS number FROM old
""")


async def forget_exchanges(context: Context) -> bool:
    """Forget a batch of old exchanges with the vendor; True while more may be left.

    A question is deleted. A call that acted loses its bodies only: when it left and how it ended shows, years later, that a
    document may stand in the books (messaging §3.8). What belongs to a delivery on its way is left alone.
    """
    kit: Kit = context.resources
    async with kit.database.transaction() as tx:
        row = await _FORGET.one(tx, {"days": kit.settings.sync_log_days, "batch": BATCH})
    return bool(row.number == BATCH)
