"""Exported is not booked (P3): looking in the vendor's books until the entry number is seen.

One call answers for a batch of documents, so the cost of proof shrinks as the load grows; how often and for how many, the
vendor's pace says (``ReadBackPace``).
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import structlog

from koppel_connector import faults
from koppel_connector.calls.rate_limits import ends_in
from koppel_connector.calls.vendor import LeaseLost, OpenVendor, open_vendor
from koppel_connector.connection.breaker import Outage
from koppel_connector.contract import Booked, Differs, NotBooked, ReadBack, TurnedDown, Vanished
from koppel_connector.contract.errors import ActionRequired, ConnectorError, RateLimited, RetryLater
from koppel_connector.contract.problems import Problem
from koppel_connector.infrastructure_errors import INFRASTRUCTURE_PAUSE_S, is_infrastructure_error
from koppel_connector.kit import Kit
from koppel_mesh.service import Context

from . import events
from .claims import Batch, claim_read_back
from .context import make_context
from .events import Event
from .state_machine import IllegalTransitionError
from .store import ConcurrentUpdateError, DeliveryRow, RemoteEntry

log = structlog.get_logger(__name__)


async def serve_read_back(context: Context) -> bool:
    """Claim one connection's exported documents and look them up beside everything else."""
    kit: Kit = context.resources
    if kit.closing or len(kit.batches) >= kit.settings.workers:
        return False
    batch = await claim_read_back(kit)
    if batch is None:
        return False
    kit.serving.add(batch.connection_id)
    kit.start_batch(batch.connection_id, lambda: _run_batch(kit, batch), "read-back")
    return True


async def _run_batch(kit: Kit, batch: Batch) -> None:
    try:
        async with kit.database.reading() as reading:
            row = await kit.connections.read(reading, batch.connection_id)
        assert row is not None
        if row.unreadable is not None:
            await _wait_for_secrets(kit, row.id, row.unreadable, batch)
        else:
            await look_in_books(kit, await open_vendor(kit, row), batch)
    finally:
        kit.serving.discard(batch.connection_id)
        # A read-back keeps its connection from sending; let that go on at once.
        kit.wake("deliveries")


async def look_in_books(kit: Kit, vendor: OpenVendor, batch: Batch) -> None:
    """Look the documents of one connection up in its books and record what is seen."""
    vendor.begin("read_back", *batch.rows)
    contexts = [make_context(kit, vendor, each, None, {}) for each in batch.rows]
    seen: Mapping[UUID, ReadBack] = {}
    failure: ConnectorError | None = None
    held_until: datetime | None = None
    try:
        seen = await kit.connector.read_back(vendor, contexts)
    except ConnectorError as raised:
        failure = raised
    except LeaseLost:
        return
    except Exception as error:
        if is_infrastructure_error(error):
            log.warning("infrastructure unavailable, reading back later", connector=kit.profile.name, error=repr(error))
            held_until = ends_in(batch.rows[0].now(), INFRASTRUCTURE_PAUSE_S)
        else:
            # A bug of the connector: it is logged whole, nothing was seen, and the clock of "exported, not booked" goes on.
            log.exception("the connector failed to read back", connector=kit.profile.name)
    if isinstance(failure, RateLimited):
        held_until = failure.until
    faults.point("before_outcome_commit")
    await _record(kit, vendor, batch.rows, seen, held_until, failure)
    faults.point("after_outcome_commit")


async def _wait_for_secrets(kit: Kit, connection_id: UUID, problem: Problem, batch: Batch) -> None:
    """Note on the connection that nothing can be seen without its secrets; the clock of "exported, not booked" goes on."""
    async with kit.database.transaction() as tx:
        await kit.connections.apply_failure(tx, connection_id, ActionRequired(problem))
        for row in batch.rows:
            with suppress(ConcurrentUpdateError, IllegalTransitionError):
                await kit.deliveries.apply(tx, row, events.ReadBackPending())


async def _record(
    kit: Kit,
    vendor: OpenVendor,
    rows: tuple[DeliveryRow, ...],
    seen: Mapping[UUID, ReadBack],
    held_until: datetime | None,
    failure: ConnectorError | None,
) -> None:
    async with kit.database.transaction() as tx:
        await vendor.flush(tx)
        is_away = isinstance(failure, RetryLater) and isinstance(vendor.observed, Outage)
        for row in rows:
            event, entry = _event_of(seen.get(row.id), held_until, is_away=is_away)
            try:
                await kit.deliveries.apply(tx, row, event, entry)
            except (ConcurrentUpdateError, IllegalTransitionError) as error:
                log.warning("read-back discarded: the claim expired", delivery=str(row.id), error=str(error))
        await kit.connections.apply_failure(tx, vendor.row.id, failure)


def _event_of(seen: ReadBack | None, held_until: datetime | None, *, is_away: bool) -> tuple[Event, RemoteEntry]:
    match seen:
        case Booked(entry_number, entry_url):
            return events.ReadBackBooked(), RemoteEntry(None, entry_number, entry_url)
        case Vanished():
            return events.ReadBackMissing(), RemoteEntry()
        case Differs(problem, entry_number, entry_url):
            return events.ReadBackMismatch(problem), RemoteEntry(None, entry_number, entry_url)
        case TurnedDown(problem):
            return events.Bounced(problem), RemoteEntry()
        case NotBooked() | None:
            if is_away:
                return events.VendorUnavailable(), RemoteEntry()
            if held_until is not None:
                return events.Deferred(held_until), RemoteEntry()
    return events.ReadBackPending(), RemoteEntry()
