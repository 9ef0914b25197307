"""Asking a vendor that tells nothing by itself what people changed in its books, so that a booking that is removed is noticed.

What it tells has the effects of a notice. Until when a connection was watched stands in its memory.
"""

import json
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog

from koppel_connector.calls.vendor import LeaseLost, open_vendor
from koppel_connector.connection.secret_keys import KEYS_HELD
from koppel_connector.contract.errors import ConnectorError
from koppel_connector.contract.json_values import decode, encode
from koppel_connector.infrastructure_errors import is_infrastructure_error
from koppel_connector.kit import Kit
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

from .notices import NoticeNotYet, apply_effect

log = structlog.get_logger(__name__)

_KEY = "books watched until"
_DUE = Statement(f"""
    SELECT c.id, c.created_at, m.value, clock_timestamp() AS asked_at
    FROM connection c LEFT JOIN memory m ON m.connection_id = c.id AND m.key = '{_KEY}'
    WHERE {KEYS_HELD} AND c.state IN ('connected', 'degraded') AND c.not_before <= clock_timestamp()
        AND c.away_since IS NULL AND NOT c.id = ANY(CAST(:serving AS uuid[]))
        AND (m.observed_at IS NULL
            OR m.observed_at <= clock_timestamp() - CAST(:every_s AS float8) * interval '1 second')
        AND EXISTS (SELECT FROM delivery d WHERE d.connection_id = c.id AND d.state = 'booked' AND d.reads_back)
    ORDER BY m.observed_at NULLS FIRST LIMIT 1 FOR UPDATE OF c SKIP LOCKED
""")
_NOTE = Statement(f"""
    INSERT INTO memory (connection_id, key, value, observed_at)
    VALUES (:id, '{_KEY}', CAST(:value AS jsonb), clock_timestamp())
    ON CONFLICT (connection_id, key) DO UPDATE SET value = excluded.value, observed_at = excluded.observed_at
""")


async def serve_watch(context: Context) -> bool:
    """Ask for one connection whose turn it is; True when there may be another."""
    kit: Kit = context.resources
    every_s = kit.profile.watch_every_s
    if every_s is None or kit.closing or len(kit.batches) >= kit.settings.workers:
        return False
    async with kit.database.transaction() as tx:
        asked = {"serving": list(kit.serving), "key_ids": kit.keys.key_ids, "every_s": every_s}
        due = await _DUE.one_or_none(tx, asked)
        if due is None:
            return False
        since = decode(due.value) if due.value is not None else due.created_at
        # Noted before it is asked: another process takes another connection, and a failure waits for the next turn.
        await _NOTE.run(tx, {"id": due.id, "value": json.dumps(encode(since, _KEY))})
    kit.serving.add(due.id)
    kit.start_batch(due.id, partial(_run, kit, due.id, since, due.asked_at), "books-watch")
    return True


async def _run(kit: Kit, connection_id: UUID, since: datetime, asked_at: datetime) -> None:
    try:
        await _watch(kit, connection_id, since, asked_at)
    except (LeaseLost, NoticeNotYet) as error:
        log.info("books are watched again later", connection=str(connection_id), reason=repr(error))
    except Exception as error:
        if is_infrastructure_error(error):
            raise
        log.exception("the connector failed to watch the books", connector=kit.profile.name)
    finally:
        kit.serving.discard(connection_id)


async def _watch(kit: Kit, connection_id: UUID, since: datetime, asked_at: datetime) -> None:
    async with kit.database.reading() as reading:
        row = await kit.connections.read(reading, connection_id)
    if row is None or row.why_stopped() is not None:
        return
    vendor = await open_vendor(kit, row)
    failure: ConnectorError | None = None
    try:
        effects = await kit.connector.changes_in_books(vendor, since)
    except ConnectorError as error:
        failure, effects = error, ()
    async with kit.database.transaction() as tx:
        await vendor.flush(tx)
        for effect in effects:
            await apply_effect(kit, tx, connection_id, effect)
        if failure is None:
            await _NOTE.run(tx, {"id": connection_id, "value": json.dumps(encode(asked_at, _KEY))})
        await kit.connections.apply_failure(tx, connection_id, failure)
    kit.wake("read-back")
