"""Slow work: grants that would lapse, secrets under an old key, gauges."""

import structlog

from koppel_connector.contract.errors import ConnectorError, ReauthorisationRequired
from koppel_connector.kit import Kit
from koppel_connector.tables import NOT_AT_ITS_END
from koppel_mesh.keyring import DamagedSecretError
from koppel_mesh.messages import DeliveryState
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context
from koppel_mesh.telemetry.metrics import gauge

from .events import LoginRefused
from .secret_keys import KEYS_HELD

BATCH = 50
WAITING = [state for state in DeliveryState if state not in (DeliveryState.BOOKED, DeliveryState.SUPERSEDED)]
log = structlog.get_logger(__name__)

_oldest_due = gauge("koppel_delivery_oldest_due_seconds", "Age of the oldest delivery that could be worked on now")
_count = gauge("koppel_deliveries", "Deliveries that are not at their end", ["state"])
_paused = gauge("koppel_connections_paused", "Connections that wait for the vendor's budget or for a fault to pass")
_breakers = gauge("koppel_endpoint_breakers_open", "Endpoints paused by their error budget")
_horizon = gauge("koppel_token_expiry_seconds", "Until the first refresh token of a usable connection lapses")
_unkeyed = gauge("koppel_secrets_under_old_key", "Rows not encrypted with the first key")

_notices = gauge("koppel_notices_open", "Notices of vendors that are not worked off, those that were given up included")

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
_FORGET_NOTICES = Statement("DELETE FROM notice WHERE handled_at < clock_timestamp() - interval '30 days'")
_GAUGES = Statement("""
    SELECT
        (SELECT extract(epoch FROM clock_timestamp() - min(d.due_at)) FROM delivery d JOIN connection c
            ON c.id = d.connection_id WHERE d.state IN ('ready', 'unknown') AND d.due_at <= clock_timestamp()
            AND c.state IN ('connected', 'degraded') AND c.not_before <= clock_timestamp()
            AND c.away_since IS NULL) AS oldest_due_s,
        (SELECT count(*) FROM connection WHERE (not_before > clock_timestamp() OR away_since IS NOT NULL)
            AND state <> 'disconnected') AS paused,
        (SELECT count(*) FROM error_budget WHERE open_until > clock_timestamp()) AS breakers,
        (SELECT extract(epoch FROM min(t.refresh_expires_at) - clock_timestamp()) FROM oauth_token t JOIN connection c
            ON c.id = t.connection_id WHERE c.state IN ('connected', 'degraded')) AS horizon_s,
        (SELECT count(*) FROM oauth_token WHERE key_id <> :key_id)
            + (SELECT count(*) FROM connection WHERE secrets IS NOT NULL AND key_id <> :key_id) AS old_keys,
        (SELECT count(*) FROM notice WHERE handled_at IS NULL) AS notices
""")
_COUNTS = Statement(f"SELECT state, count(*) AS number FROM delivery WHERE {NOT_AT_ITS_END} GROUP BY state")


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


async def measure(context: Context) -> None:
    """Set the gauges an operator alerts on: ages, not counts."""
    kit: Kit = context.resources
    name = kit.profile.name
    async with kit.database.reading() as reading:
        row = await _GAUGES.one(reading, {"key_id": kit.keys.key_id})
        counts = {each.state: each.number for each in await _COUNTS.all(reading)}
    _oldest_due.labels(service=name).set(float(row.oldest_due_s or 0))
    _paused.labels(service=name).set(row.paused)
    _breakers.labels(service=name).set(row.breakers)
    _horizon.labels(service=name).set(float(row.horizon_s or 0))
    _notices.labels(service=name).set(row.notices)
    _unkeyed.labels(service=name).set(row.old_keys)
    for state in WAITING:
        _count.labels(service=name, state=state).set(counts.get(state, 0))
