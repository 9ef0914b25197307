"""A firm leaves: nothing more is sent of it or to it. What is being sent ends by itself."""

from uuid import UUID

from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

# An endpoint of a partner serves several firms: it becomes that of the next one, and goes with the last. The firm of the token
# that registered it need not be among those.
_HAND_OVER = Statement("""
    UPDATE endpoint SET firm_ids = array_remove(firm_ids, CAST(:firm_id AS uuid)),
        firm_id = CASE WHEN firm_id = :firm_id THEN coalesce((array_remove(firm_ids, CAST(:firm_id AS uuid)))[1], firm_id)
            ELSE firm_id END
    WHERE firm_ids @> ARRAY[CAST(:firm_id AS uuid)] OR firm_id = :firm_id
""")
_DISABLE = Statement("""
    UPDATE endpoint SET state = 'disabled', challenge_due_at = NULL WHERE firm_id = :firm_id AND state <> 'disabled'
""")
_WITHHOLD = Statement("""
    UPDATE delivery SET due_at = NULL, leased_until = NULL, state = 'withheld'
    WHERE due_at IS NOT NULL AND (leased_until IS NULL OR leased_until <= now())
        AND (endpoint_id IN (SELECT id FROM endpoint WHERE firm_id = :firm_id)
            OR (recorded_at, event_id) IN (SELECT recorded_at, id FROM event WHERE firm_id = :firm_id))
""")


async def stop_firm(context: Context, firm_id: UUID) -> None:
    """Disable the firm's endpoints, take it from those of partners, and withhold what waits to be sent."""
    async with context.database.transaction() as tx:
        for statement in (_HAND_OVER, _DISABLE, _WITHHOLD):
            await statement.run(tx, {"firm_id": firm_id})
