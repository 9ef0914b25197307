"""Asking a vendor that is away whether it is back, by the cheapest call that can do no harm.

In this order: the lookup of a delivery whose outcome is unknown, a read-back (every other time last), the connector's own
``ping``, an import that is due; and where there is none of these, one delivery that is ready. A new booking never is the probe
while the outcome of an earlier one is unknown.
"""

import asyncio
from functools import partial
from uuid import UUID

from koppel_connector.calls.vendor import LeaseLost, open_vendor
from koppel_connector.connection.breaker import Answered, Outage, ProbeInconclusive, ProbeStarted
from koppel_connector.connection.importing import probe_by_import
from koppel_connector.connection.secret_keys import KEYS_HELD
from koppel_connector.connection.store import ConnectionRow
from koppel_connector.contract.errors import ConnectorError
from koppel_connector.kit import Kit
from koppel_mesh.messages import DeliveryState
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

from .claims import claim_probe, claim_read_back
from .export import run_worker
from .read_back import look_in_books

_DUE = Statement(f"""
    SELECT c.id FROM connection c WHERE {KEYS_HELD} AND away_since IS NOT NULL AND probe_at <= clock_timestamp()
        AND state IN ('connected', 'degraded') AND not_before <= clock_timestamp()
        AND NOT id = ANY(CAST(:serving AS uuid[]))
    ORDER BY probe_at LIMIT :connections FOR NO KEY UPDATE SKIP LOCKED
""")
_ANY_UNKNOWN = Statement("""
    SELECT 1 FROM delivery WHERE connection_id = :id
        AND (state = 'unknown' OR state = 'sending' AND unknown_since IS NOT NULL) LIMIT 1
""")


async def serve_probes(context: Context) -> bool:
    """Probe every connection whose vendor is away and whose pause is over."""
    kit: Kit = context.resources
    free = kit.settings.workers - len(kit.batches)
    if kit.closing or free <= 0:
        return False
    async with kit.database.transaction() as tx:
        due = await _DUE.all(tx, {"serving": list(kit.serving), "connections": free, "key_ids": kit.keys.key_ids})
        for row in due:
            await kit.connections.observe(tx, row.id, ProbeStarted(kit.settings.lease_for(kit.profile)))
    for row in due:
        kit.serving.add(row.id)
        kit.start_batch(row.id, partial(_run, kit, row.id), "probes")
    return False


async def _run(kit: Kit, connection_id: UUID) -> None:
    observed: Outage | Answered | None = None
    try:
        async with kit.database.reading() as reading:
            row = await kit.connections.read(reading, connection_id)
        assert row is not None
        observed = await _probe(kit, row)
    finally:
        try:
            if observed is None:
                async with kit.database.transaction() as tx:
                    await kit.connections.observe(tx, connection_id, ProbeInconclusive())
        finally:
            kit.serving.discard(connection_id)


async def _probe(kit: Kit, row: ConnectionRow) -> Outage | Answered | None:
    """Make one probe; its outcome is recorded on the way. Return how the vendor was."""
    if row.unreadable is not None:
        return None
    if unknown := await claim_probe(kit, row.id, DeliveryState.UNKNOWN):
        return await run_worker(kit, row, [unknown], asyncio.Event(), is_probe=True)
    # Every other time only: where nothing but reading the books fails, that must not keep documents from going.
    if row.breaker.failures % 2 and (observed := await _read_back(kit, row)) is not None:
        return observed
    if (observed := await _ping(kit, row)) is not None:
        return observed
    if (observed := await probe_by_import(kit, row.id)) is not None:
        return observed
    async with kit.database.reading() as reading:
        is_any_unknown = await _ANY_UNKNOWN.one_or_none(reading, {"id": row.id}) is not None
    if not is_any_unknown and (ready := await claim_probe(kit, row.id, DeliveryState.READY)):
        return await run_worker(kit, row, [ready], asyncio.Event(), is_probe=True)
    return await _read_back(kit, row)


async def _read_back(kit: Kit, row: ConnectionRow) -> Outage | Answered | None:
    exported = await claim_read_back(kit, probed=row.id)
    if not exported:
        return None
    vendor = await open_vendor(kit, row)
    vendor.is_probe = True
    await look_in_books(kit, vendor, exported)
    return vendor.observed


async def _ping(kit: Kit, row: ConnectionRow) -> Outage | Answered | None:
    vendor = await open_vendor(kit, row)
    vendor.is_probe = True
    failure: ConnectorError | None = None
    try:
        await kit.connector.ping(vendor)
    except ConnectorError as raised:
        failure = raised
    except LeaseLost:
        return None
    async with kit.database.transaction() as tx:
        await vendor.flush(tx)
        await kit.connections.apply_failure(tx, row.id, failure)
    return vendor.observed
