"""The one export path: open connection → read document → (look up) → send → record.

Read it top-down: ``serve_deliveries`` claims, ``_run_lane`` opens the connection, ``_walk`` takes one delivery to its next
state. Whatever happens on the way ends as one event of the machine, written with one commit.
"""

import asyncio
import time
from contextlib import suppress
from functools import partial

import structlog
from opentelemetry.trace import SpanKind
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.http.mesh_client import MeshError
from koppel_mesh.messages import ConnectionState, DeliveryState
from koppel_mesh.service import Context
from koppel_mesh.telemetry.metrics import histogram
from koppel_mesh.telemetry.tracing import continue_from

from . import connections, faults, happenings
from .claims import Lane, claim, renew
from .connections import USABLE, ConnectionRow, read_connection, set_state
from .connector import CannotTell, Found, NotFound, Sent
from .happenings import Event
from .kit import Kit
from .limits import ends_in
from .machine import IllegalMoveError
from .moves import DeliveryRow, Learned, LostRaceError, apply
from .problems import Problem, internal
from .trouble import OWN_TROUBLE_PAUSE_S, is_our_own
from .vendor import LeaseLost, OpenVendor, open_vendor
from .verdicts import Blocked, Later, OutcomeUnknown, Reauthorise, Rejected, Throttled, Verdict
from .works import DocumentGone, open_work

log = structlog.get_logger(__name__)
_duration = histogram("koppel_delivery_seconds", "From claim to outcome of one delivery", ["event"])


async def serve_deliveries(context: Context) -> bool:
    """Claim due deliveries for every free place and start a lane per connection."""
    kit: Kit = context.resources
    free = kit.settings.workers - len(kit.lanes)
    if kit.closing or free <= 0:
        return False
    lanes = await claim(kit, free)
    faults.point("after_claim_commit")
    for lane in lanes:
        kit.serving.add(lane.connection_id)
        kit.start_lane(lane.connection_id, partial(_run_lane, kit, lane), "deliveries")
    return False


async def _run_lane(kit: Kit, lane: Lane) -> None:
    try:
        async with kit.database.reading() as reading:
            row = await read_connection(reading, kit, lane.connection_id)
        assert row is not None
        tracks = max(1, min(row.max_inflight, len(lane.rows)))
        shares = (list(lane.rows[each::tracks]) for each in range(tracks))
        ended = await asyncio.gather(*(_run_track(kit, row, share) for share in shares), return_exceptions=True)
        # The others come to their end first: a call that is cancelled on its way is one whose outcome nobody knows.
        if failed := [error for error in ended if isinstance(error, Exception)]:
            raise ExceptionGroup("tracks failed", failed)
    finally:
        kit.serving.discard(lane.connection_id)


async def _run_track(kit: Kit, row: ConnectionRow, left: list[DeliveryRow]) -> None:
    """Take deliveries one after the other; what is not begun when it must stop goes back to its place."""
    try:
        held = _why_not(kit, row)
        vendor = None if held else await open_vendor(kit, row)
        while left and not kit.closing:
            current = left[0]
            if vendor is None:
                assert held is not None
                await _record(kit, None, current, happenings.WaitsForPerson(held), Learned())
                left.pop(0)
                continue
            if current.lease_left_s() < kit.settings.lease_for(kit.profile) / 2:
                left[:] = await renew(kit, left)
                continue
            left.pop(0)
            if await _walk(kit, vendor, current):
                return
    finally:
        await _give_back(kit, left)


def _why_not(kit: Kit, row: ConnectionRow) -> Problem | None:
    if row.state not in USABLE:
        return Problem("reauthorise" if row.state is ConnectionState.REAUTHORISE else "not_connected")
    missing = kit.connector.missing_settings(row.settings)
    return Problem("settings_missing", missing=", ".join(missing)) if missing else None


async def _give_back(kit: Kit, rows: list[DeliveryRow]) -> None:
    """Return what was claimed and not begun; where even that fails, the sweeper does it when the lease ends."""
    if not rows:
        return
    async with kit.database.transaction() as tx:
        for row in rows:
            with suppress(LostRaceError, IllegalMoveError):
                await apply(tx, kit, row, happenings.LeaseExpired())


# ------------------------------------------------------------------------------------------------------------ one delivery


async def _walk(kit: Kit, vendor: OpenVendor, row: DeliveryRow) -> bool:
    """Take one delivery to its next state. Return True when the rest of the lane should wait."""
    started = time.monotonic()
    is_lookup = row.unknown_since is not None
    vendor.begin("lookup" if is_lookup else "send", row)
    with continue_from(row.traceparent, f"deliver to {kit.profile.name}", SpanKind.CONSUMER):
        try:
            event, learned, verdict = await (_look_up(kit, vendor, row) if is_lookup else _send(kit, vendor, row))
        except LeaseLost:
            log.warning("claim ran out before a call", delivery=str(row.id))
            return False
        faults.point("before_outcome_commit")
        await _record(kit, vendor, row, event, learned, verdict)
        faults.point("after_outcome_commit")
    _duration.labels(service=kit.profile.name, event=type(event).__name__).observe(time.monotonic() - started)
    return isinstance(verdict, Reauthorise | Throttled)


async def _send(kit: Kit, vendor: OpenVendor, row: DeliveryRow) -> tuple[Event, Learned, Verdict | None]:
    try:
        work = await open_work(kit, vendor, row)
        prepared = await kit.connector.prepare(work)
        sent = await kit.connector.send(work, prepared)
        assert isinstance(sent, Sent)
    except Verdict as verdict:
        return _after_verdict(vendor, row, verdict), Learned(), verdict
    except LeaseLost:
        if vendor.unsaved_effect:
            return _doubt(vendor, row, None), Learned(), None
        raise
    except DocumentGone as error:
        return happenings.Refused(Problem("document_gone", str(error))), Learned(), None
    except Exception as error:
        if is_our_own(error):
            return _held_back(vendor, row, error), Learned(), None
        # A bug of the connector: it is logged whole, shown as "internal", and once bytes have left it is looked up first.
        log.exception("the connector failed", delivery=str(row.id), connector=kit.profile.name)
        return _after_verdict(vendor, row, Later(problem=internal(error))), Learned(), None
    return happenings.Accepted(), Learned(sent.remote_id, sent.entry_number, sent.entry_url), None


async def _look_up(kit: Kit, vendor: OpenVendor, row: DeliveryRow) -> tuple[Event, Learned, Verdict | None]:
    try:
        work = await open_work(kit, vendor, row)
        found = await kit.connector.lookup(work)
    except Rejected as verdict:
        return happenings.SearchFailed(str(verdict)), Learned(), verdict
    except Verdict as verdict:
        return _event_of(verdict, row, vendor), Learned(), verdict
    except DocumentGone:
        return happenings.SearchFailed(), Learned(), None
    except LeaseLost:
        raise
    except Exception as error:
        if is_our_own(error):
            return _held_back(vendor, row, error), Learned(), None
        # A bug of the connector: it is logged whole, and that a search broke down proves neither that it is there nor not.
        log.exception("the connector failed to look up", delivery=str(row.id), connector=kit.profile.name)
        return happenings.SearchFailed(), Learned(), None
    match found:
        case Found(count=count, problem=problem) if count > 1 or problem is not None:
            return happenings.FoundSeveral(problem), Learned(), None
        case Found(remote_id, entry_number, entry_url):
            return happenings.Accepted(), Learned(remote_id, entry_number, entry_url), None
        case NotFound():
            return happenings.SearchedInVain(), Learned(), None
        case CannotTell(reason):
            return happenings.SearchFailed(reason or None), Learned(), None


def _after_verdict(vendor: OpenVendor, row: DeliveryRow, verdict: Verdict) -> Event:
    # A step that took effect and was not saved makes every "try again" a possible double: look first.
    if vendor.unsaved_effect and not isinstance(verdict, Rejected):
        return _doubt(vendor, row, verdict.problem)
    return _event_of(verdict, row, vendor)


def _held_back(vendor: OpenVendor, row: DeliveryRow, error: Exception) -> Event:
    log.warning("trouble of our own, the delivery is held back", delivery=str(row.id), error=repr(error))
    problem = Problem("document_unavailable", str(error)[:300]) if isinstance(error, MeshError) else None
    if vendor.unsaved_effect:
        return _doubt(vendor, row, problem)
    return happenings.HeldBack(ends_in(row.now(), OWN_TROUBLE_PAUSE_S), problem)


def _doubt(vendor: OpenVendor, row: DeliveryRow, problem: Problem | None) -> Event:
    return happenings.Ambiguous(vendor.acted_at or row.now(), problem)


def _event_of(verdict: Verdict, row: DeliveryRow, vendor: OpenVendor) -> Event:
    match verdict:
        case Later(retry_after_s=retry_after_s, problem=problem):
            return happenings.Postponed(retry_after_s, problem)
        case Throttled(until=until, problem=problem):
            return happenings.HeldBack(until or row.now(), problem)
        case Blocked(problem=problem) | Reauthorise(problem=problem):
            return happenings.WaitsForPerson(problem or Problem("internal"))
        case Rejected(problem=problem):
            return happenings.Refused(problem or Problem("rejected_by_vendor"))
        case OutcomeUnknown(problem=problem):
            return _doubt(vendor, row, problem)
    raise TypeError(f"{type(verdict).__name__} is not one of the six verdicts")


# ---------------------------------------------------------------------------------------------------------------- recording


async def _record(
    kit: Kit,
    vendor: OpenVendor | None,
    row: DeliveryRow,
    event: Event,
    learned: Learned,
    verdict: Verdict | None = None,
) -> None:
    """Write the outcome, what the last call learned and the message, in one transaction; once more if the database stumbles."""
    for last in (False, True):
        restore = None
        try:
            async with kit.database.transaction() as tx:
                if vendor is not None:
                    restore = await vendor.flush(tx)
                made = await apply(tx, kit, row, event, learned)
                if vendor is not None:
                    await _keep_health(tx, kit, vendor, event, verdict)
            break
        except LostRaceError as error:
            log.warning("outcome of a lost claim", delivery=str(row.id), error=str(error))
            return
        except DBAPIError:
            if last:
                raise
            if restore is not None:
                restore()
    if made.to.state is DeliveryState.EXPORTED:
        kit.wake("read-back")


async def _keep_health(
    tx: AsyncConnection, kit: Kit, vendor: OpenVendor, event: Event, verdict: Verdict | None
) -> None:
    row = vendor.row
    if await connections.heed(tx, kit, row.id, verdict):
        return
    if isinstance(verdict, Later | OutcomeUnknown) or isinstance(event, happenings.Ambiguous):
        await connections.stumble(tx, row.id)
    elif isinstance(event, happenings.Accepted):
        if row.failures:
            await connections.recover(tx, row.id)
        if row.state is ConnectionState.DEGRADED:
            await set_state(tx, kit, row.id, ConnectionState.CONNECTED, fresh=True)
