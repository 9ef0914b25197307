"""Slow work: grants that would lapse, and secrets under an old key."""

import structlog

from koppel_connector.contract.errors import ConnectorError, ReauthorisationRequired
from koppel_connector.firm_data import NOTICES_KEEP_DAYS
from koppel_connector.kit import Kit
from koppel_mesh.keyring import DamagedSecretError
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

from .events import LoginRefused
from .secret_keys import KEYS_HELD

BATCH = 50
log = structlog.get_logger(__name__)

_LAPSING = Statement(f"""
    SELECT t.connection_id FROM oauth_token t JOIN connection c ON c.id = t.connection_id
    WHERE t.next_refresh_at <= clock_timestamp() AND c.state IN ('connected', 'degraded')
        AND {KEYS_HELD}
    ORDER BY t.next_refresh_at LIMIT 5
""")
_POSTPONE = Statement(
    "UPDATE oauth_token SET next_refresh_at = clock_timestamp() + interval '1 hour' WHERE connection_id = :id"
)
_OLD_TOKENS = Statement("""
    SELECT connection_id, ciphertext, key_id FROM oauth_token WHERE key_id <> :key_id
        AND key_id = ANY(CAST(:key_ids AS text[])) LIMIT :batch FOR UPDATE SKIP LOCKED
""")
_OLD_SECRETS = Statement("""
    SELECT id AS connection_id, secrets AS ciphertext, key_id FROM connection
    WHERE secrets IS NOT NULL AND key_id <> :key_id AND key_id = ANY(CAST(:key_ids AS text[])) LIMIT :batch FOR UPDATE SKIP LOCKED
""")
_RESEAL_TOKEN = Statement("UPDATE oauth_token SET ciphertext = :sealed, key_id = :key_id WHERE connection_id = :id")
_RESEAL_SECRETS = Statement("UPDATE connection SET secrets = :sealed, key_id = :key_id WHERE id = :id")
_FORGET_STATES = Statement("DELETE FROM oauth_state_used WHERE used_at < clock_timestamp() - interval '2 days'")
_FORGET_NOTICES = Statement(
    f"DELETE FROM notice WHERE handled_at < clock_timestamp() - interval '{NOTICES_KEEP_DAYS} days'"
)


async def keep_alive(context: Context) -> bool:
    """Refresh grants that nobody used for a while, so that they never lapse."""
    kit: Kit = context.resources
    if kit.vault is None or kit.closing:
        return False
    async with kit.database.reading() as reading:
        found = await _LAPSING.all(reading, {"key_ids": list(kit.keys.key_ids)})
    lapsing = [row.connection_id for row in found]
    for connection_id in lapsing:
        try:
            await kit.vault.keep_alive(connection_id)
        except ReauthorisationRequired as failure:
            async with kit.database.transaction() as tx:
                await kit.connections.apply(tx, connection_id, LoginRefused(failure.problem))
            kit.wake("reconciler")
        except ConnectorError as failure:
            log.info("keep-alive postponed", connection=str(connection_id), reason=str(failure))
            async with kit.database.transaction() as tx:
                await _POSTPONE.run(tx, {"id": connection_id})
    return len(lapsing) == 5


async def rotate_keys(context: Context) -> bool:
    """Re-encrypt what is under an old key; the key may leave the ring when the gauge says zero.

    What is under a key that we do not hold is left as it is, for a process that holds it. No key opens what is damaged:
    it counts as under the first key, so that it keeps no old key in the ring.
    """
    kit: Kit = context.resources
    moved = 0
    async with kit.database.transaction() as tx:
        for find, write in ((_OLD_TOKENS, _RESEAL_TOKEN), (_OLD_SECRETS, _RESEAL_SECRETS)):
            values = {"key_id": kit.keys.key_id, "key_ids": list(kit.keys.key_ids), "batch": BATCH}
            rows = await find.all(tx, values)
            for row in rows:
                sealed = bytes(row.ciphertext)
                try:
                    sealed = kit.keys.seal(row.connection_id, kit.keys.open(row.connection_id, sealed, row.key_id))
                except DamagedSecretError as error:
                    log.error("secrets are damaged", connection=str(row.connection_id), error=str(error))
                await write.run(tx, {"id": row.connection_id, "sealed": sealed, "key_id": kit.keys.key_id})
            moved = max(moved, len(rows))
        await _FORGET_STATES.run(tx)
        await _FORGET_NOTICES.run(tx)
    return moved == BATCH
