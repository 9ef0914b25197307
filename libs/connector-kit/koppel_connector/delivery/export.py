"""The one export path: open connection → read document → (look up) → prepare → search the books → send → record.

Read it top-down: ``serve_deliveries`` claims, ``_run_batch`` opens the connection, ``_walk`` takes one delivery to its next
state. Whatever happens on the way ends as one event of the machine, written with one commit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from uuid import UUID

import structlog
from opentelemetry.trace import SpanKind
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_bookkeeping import CannotBook
from koppel_bookkeeping.entries_in_books import EntryInBooks
from koppel_connector import faults
from koppel_connector.calls.vendor import LeaseLost, OpenVendor, open_vendor
from koppel_connector.connection.breaker import Answered, Outage
from koppel_connector.connection.comparing import insist_on_company
from koppel_connector.connection.events import VendorAnswered
from koppel_connector.connection.importing import want_import_for
from koppel_connector.connection.missing_settings import problem_of_missing
from koppel_connector.connection.store import ConnectionRow
from koppel_connector.contract import CannotTell, Found, NotFound, Sent
from koppel_connector.contract.delivery import DeliveryContext
from koppel_connector.contract.errors import (
    ConnectorError,
    RateLimited,
    ReauthorisationRequired,
    Rejected,
    RetryLater,
    RetryNow,
    refusal,
)
from koppel_connector.contract.problems import Problem, internal
from koppel_connector.infrastructure_errors import is_infrastructure_error
from koppel_connector.kit import Kit
from koppel_mesh.messages import ConnectionState, DeliveryState
from koppel_mesh.service import Context
from koppel_mesh.telemetry.metrics import histogram
from koppel_mesh.telemetry.tracing import continue_from

from . import events
from .book_search import find_in_books, note_shared
from .claims import Batch, claim
from .context import DocumentGone, open_context
from .events import Event
from .failures import after_failure, doubtful, event_of, held_back, while_away
from .leases import is_to_renew, renew
from .prior_deliveries import find_prior
from .revisions import keep_summary
from .state_machine import IllegalTransitionError
from .store import ConcurrentUpdateError, DeliveryRow, RemoteEntry
from .targets import assign, is_to_assign

IMMEDIATE_RETRIES = 3
"""How often a document is prepared and sent again at once when the vendor says ``RetryNow``."""
log = structlog.get_logger(__name__)
_duration = histogram("koppel_delivery_seconds", "From claim to outcome of one delivery", ["event"])


async def serve_deliveries(context: Context) -> bool:
    """Claim due deliveries for every free place and start a batch for each connection."""
    kit: Kit = context.resources
    free = kit.settings.workers - len(kit.batches)
    if kit.closing or free <= 0:
        return False
    batches = await claim(kit, free)
    faults.point("after_claim_commit")
    for batch in batches:
        kit.serving.add(batch.connection_id)
        kit.start_batch(batch.connection_id, partial(_run_batch, kit, batch), "deliveries")
    return False


async def _run_batch(kit: Kit, batch: Batch) -> None:
    try:
        async with kit.database.reading() as reading:
            row = await kit.connections.read(reading, batch.connection_id)
        assert row is not None
        worker_count = max(1, min(row.max_inflight, len(batch.rows)))
        shares = (list(batch.rows[each::worker_count]) for each in range(worker_count))
        stop = asyncio.Event()
        ended = await asyncio.gather(*(run_worker(kit, row, share, stop) for share in shares), return_exceptions=True)
        # The others come to their end first: a call that is cancelled on its way is one whose outcome nobody knows.
        if failed := [error for error in ended if isinstance(error, Exception)]:
            raise ExceptionGroup("workers failed", failed)
    finally:
        kit.serving.discard(batch.connection_id)


async def run_worker(
    kit: Kit, row: ConnectionRow, left: list[DeliveryRow], stop: asyncio.Event, *, is_probe: bool = False
) -> Outage | Answered | None:
    """Take deliveries one after the other; what is not begun when the batch must stop goes back to its place.

    Returns:
        How the vendor was last; None when nothing was heard of it.
    """
    vendor: OpenVendor | None = None
    try:
        held = _why_not(kit, row)
        if held is None:
            vendor = await open_vendor(kit, row)
            vendor.is_probe = is_probe
        while left and not kit.closing and not stop.is_set():
            current = left[0]
            if is_to_assign(kit, current, row.settings):
                asked = await assign(kit, current, row.settings)
                if isinstance(asked, Problem):
                    await _record(kit, None, current, events.ActionNeeded(asked), RemoteEntry())
                    left.pop(0)
                    continue
                current = left[0] = asked
            if vendor is None:
                assert held is not None
                await _record(kit, None, current, events.ActionNeeded(held), RemoteEntry())
                left.pop(0)
                continue
            if is_to_renew(kit, current):
                left[:] = await renew(kit, left)
                continue
            left.pop(0)
            if await _walk(kit, vendor, current, left):
                stop.set()
    finally:
        await _give_back(kit, left)
    return vendor.observed if vendor else None


def _why_not(kit: Kit, row: ConnectionRow) -> Problem | None:
    if (stopped := row.why_stopped()) is not None:
        return stopped
    return problem_of_missing(kit, row.settings, "send")


async def _give_back(kit: Kit, rows: list[DeliveryRow]) -> None:
    """Return what was claimed and not begun; where even that fails, the sweeper does it when the lease ends."""
    if not rows:
        return
    async with kit.database.transaction() as tx:
        for row in rows:
            with suppress(ConcurrentUpdateError, IllegalTransitionError):
                await kit.deliveries.apply(tx, row, events.LeaseExpired())


# ------------------------------------------------------------------------------------------------------------ one delivery


async def _walk(kit: Kit, vendor: OpenVendor, row: DeliveryRow, waiting: Sequence[DeliveryRow]) -> bool:
    """Take one delivery to its next state. Return True when the rest of the batch, ``waiting``, should wait."""
    started = time.monotonic()
    is_lookup = row.unknown_since is not None
    vendor.begin("lookup" if is_lookup else "send", row)
    vendor.waiting = waiting
    with continue_from(row.traceparent, f"deliver to {kit.profile.name}", SpanKind.CONSUMER):
        try:
            event, entry, failure = await (
                _look_up(kit, vendor, row) if is_lookup else _send(kit, vendor, row, waiting)
            )
        except LeaseLost:
            log.warning("claim ran out before a call", delivery=str(row.id))
            return False
        faults.point("before_outcome_commit")
        await _record(kit, vendor, row, event, entry, failure)
        faults.point("after_outcome_commit")
    _duration.labels(service=kit.profile.name, event=type(event).__name__).observe(time.monotonic() - started)
    return isinstance(failure, ReauthorisationRequired | RateLimited) or isinstance(vendor.observed, Outage)


async def _send(
    kit: Kit, vendor: OpenVendor, row: DeliveryRow, waiting: Sequence[DeliveryRow]
) -> tuple[Event, RemoteEntry, ConnectorError | None]:
    try:
        context = await open_context(kit, vendor, row)
        await insist_on_company(kit, vendor)
        await keep_summary(context)
        if (problem := await find_prior(kit, vendor, row, context)) is not None:
            return events.PriorDeliveryFound(problem), RemoteEntry(), None
        sent = await _prepare_and_send(kit, vendor, context, partial(find_in_books, kit, vendor, row, waiting, context))
    except ConnectorError as failure:
        return after_failure(vendor, row, failure), RemoteEntry(), failure
    except LeaseLost:
        if vendor.unsaved_effect:
            return doubtful(vendor, row, None), RemoteEntry(), None
        raise
    except DocumentGone as error:
        return events.Refused(Problem("document_gone", str(error))), RemoteEntry(), None
    except Exception as error:
        if is_infrastructure_error(error):
            return held_back(vendor, row, error), RemoteEntry(), None
        # A bug of the connector: it is logged whole, shown as "internal", and once bytes have left it is looked up first.
        log.exception("the connector failed", delivery=str(row.id), connector=kit.profile.name)
        return after_failure(vendor, row, RetryLater(problem=internal(error))), RemoteEntry(), None
    if isinstance(sent, Problem):
        return events.EntryFoundInBooks(sent), RemoteEntry(), None
    event = events.Accepted() if isinstance(sent, Sent) else events.OwnEntryFound()
    return event, RemoteEntry(sent.remote_id, sent.entry_number, sent.entry_url), None


async def _prepare_and_send(
    kit: Kit,
    vendor: OpenVendor,
    context: DeliveryContext,
    search: Callable[[], Awaitable[Problem | EntryInBooks | None]],
) -> Sent | Problem | EntryInBooks:
    """Send what can be booked; where the books hold it already, return our own entry, or what a person is to judge."""
    for tried in range(IMMEDIATE_RETRIES + 1):
        try:
            prepared = await kit.connector.prepare(context)
            if tried == 0 and (found := await search()) is not None:
                return found
            sent = await kit.connector.send(context, prepared)
        except CannotBook as reason:
            raise refusal(Problem(reason.code, reason.detail or None), kit.reporter.catalogue) from reason
        except RetryNow:
            if tried == IMMEDIATE_RETRIES or vendor.unsaved_effect:
                raise
        else:
            assert isinstance(sent, Sent)
            return sent
    raise AssertionError("the last try returns or raises")


async def _look_up(kit: Kit, vendor: OpenVendor, row: DeliveryRow) -> tuple[Event, RemoteEntry, ConnectorError | None]:
    try:
        context = await open_context(kit, vendor, row)
        # Nothing need have left for what a person called booked: of that it is searched what came since it was made.
        found = await kit.connector.lookup(replace(context, first_sent_at=context.first_sent_at or row.created_at))
    except Rejected as failure:
        return events.LookupFailed(str(failure)), RemoteEntry(), failure
    except ConnectorError as failure:
        return event_of(failure, row, vendor), RemoteEntry(), failure
    except DocumentGone:
        return events.LookupFailed(), RemoteEntry(), None
    except LeaseLost:
        raise
    except Exception as error:
        if is_infrastructure_error(error):
            return held_back(vendor, row, error), RemoteEntry(), None
        # A bug of the connector: it is logged whole, and that a search broke down proves neither that it is there nor not.
        log.exception("the connector failed to look up", delivery=str(row.id), connector=kit.profile.name)
        return events.LookupFailed(), RemoteEntry(), None
    match found:
        case Found(count=count, problem=problem) if count > 1 or problem is not None:
            if problem is not None:
                await note_shared(vendor.memory, context.document.counterparty)
            return events.LookupAmbiguous(problem), RemoteEntry(), None
        case Found(remote_id, entry_number, entry_url):
            return events.Accepted(), RemoteEntry(remote_id, entry_number, entry_url), None
        case NotFound():
            return events.LookupFoundNothing(), RemoteEntry(), None
        case CannotTell(reason):
            return events.LookupFailed(reason or None), RemoteEntry(), None


# ---------------------------------------------------------------------------------------------------------------- recording


async def _record(
    kit: Kit,
    vendor: OpenVendor | None,
    row: DeliveryRow,
    event: Event,
    entry: RemoteEntry,
    failure: ConnectorError | None = None,
) -> None:
    """Write the outcome, what the last call learned and the message, in one transaction; once more if the database stumbles."""
    for last in (False, True):
        restore = None
        try:
            async with kit.database.transaction() as tx:
                if vendor is not None:
                    restore = await vendor.flush(tx)
                    event = while_away(vendor, event)
                made = await kit.deliveries.apply(tx, row, event, entry)
                if vendor is not None:
                    await _keep_health(tx, kit, vendor, row.id, event, failure)
            break
        except ConcurrentUpdateError as error:
            log.warning("outcome discarded: the claim expired", delivery=str(row.id), error=str(error))
            return
        except DBAPIError:
            if last:
                raise
            if restore is not None:
                restore()
    if made.to.state is DeliveryState.EXPORTED:
        kit.wake("read-back")


async def _keep_health(
    tx: AsyncConnection, kit: Kit, vendor: OpenVendor, delivery_id: UUID, event: Event, failure: ConnectorError | None
) -> None:
    row = vendor.row
    if isinstance(event, events.ActionNeeded | events.Refused):
        await want_import_for(tx, kit, delivery_id, event.problem)
    if await kit.connections.apply_failure(tx, row.id, failure):
        return
    if isinstance(event, events.Accepted) and row.state is ConnectionState.DEGRADED and not _outlasts(kit, row):
        await kit.connections.apply(tx, row.id, VendorAnswered())


def _outlasts(kit: Kit, row: ConnectionRow) -> bool:
    known = kit.reporter.catalogue.get(str((row.problem or {}).get("code")))
    return known is not None and known.outlasts_acceptance
