"""Exported is not booked (P3): looking in the vendor's books until the entry number is seen.

One call may answer for up to fifty documents, so the cost of proof shrinks as the load grows.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import structlog

from koppel_mesh.service import Context

from . import connections, faults, happenings
from .claims import Lane, claim_read_back
from .connections import read_connection
from .connector import Booked, Differs, NotBooked, ReadBack, Vanished
from .happenings import Event
from .kit import Kit
from .limits import ends_in
from .machine import IllegalMoveError
from .moves import DeliveryRow, Learned, LostRaceError, apply
from .trouble import OWN_TROUBLE_PAUSE_S, is_our_own
from .vendor import LeaseLost, OpenVendor, open_vendor
from .verdicts import Throttled, Verdict
from .works import make_work

log = structlog.get_logger(__name__)


async def serve_read_back(context: Context) -> bool:
    """Claim one connection's exported documents and look them up beside everything else."""
    kit: Kit = context.resources
    if kit.closing or not kit.profile.reads_back or len(kit.lanes) >= kit.settings.workers:
        return False
    lane = await claim_read_back(kit)
    if lane is None:
        return False
    kit.serving.add(lane.connection_id)
    kit.start_lane(lane.connection_id, lambda: _run(kit, lane), "read-back")
    return True


async def _run(kit: Kit, lane: Lane) -> None:
    try:
        async with kit.database.reading() as reading:
            row = await read_connection(reading, kit, lane.connection_id)
        assert row is not None
        vendor = await open_vendor(kit, row)
        vendor.begin("read_back", *lane.rows)
        works = [make_work(kit, vendor, each, {}, {}) for each in lane.rows]
        seen: Mapping[UUID, ReadBack] = {}
        verdict: Verdict | None = None
        held_until: datetime | None = None
        try:
            seen = await kit.connector.read_back(vendor, works)
        except Verdict as raised:
            verdict = raised
        except LeaseLost:
            return
        except Exception as error:
            if is_our_own(error):
                log.warning("trouble of our own, read back later", connector=kit.profile.name, error=repr(error))
                held_until = ends_in(lane.rows[0].now(), OWN_TROUBLE_PAUSE_S)
            else:
                # A bug of the connector: it is logged whole, nothing was seen, and the clock of "exported, not booked" goes on.
                log.exception("the connector failed to read back", connector=kit.profile.name)
        if isinstance(verdict, Throttled):
            held_until = verdict.until
        faults.point("before_outcome_commit")
        await _record(kit, vendor, lane.rows, seen, held_until, verdict)
        faults.point("after_outcome_commit")
    finally:
        kit.serving.discard(lane.connection_id)
        # A read-back keeps its connection from sending; let that go on at once.
        kit.wake("deliveries")


async def _record(
    kit: Kit,
    vendor: OpenVendor,
    rows: tuple[DeliveryRow, ...],
    seen: Mapping[UUID, ReadBack],
    held_until: datetime | None,
    verdict: Verdict | None,
) -> None:
    async with kit.database.transaction() as tx:
        await vendor.flush(tx)
        for row in rows:
            event, learned = _event_of(seen.get(row.id), held_until)
            try:
                await apply(tx, kit, row, event, learned)
            except (LostRaceError, IllegalMoveError) as error:
                log.warning("read-back of a lost claim", delivery=str(row.id), error=str(error))
        await connections.heed(tx, kit, vendor.row.id, verdict)


def _event_of(seen: ReadBack | None, held_until: datetime | None) -> tuple[Event, Learned]:
    match seen:
        case Booked(entry_number, entry_url):
            return happenings.SeenBooked(), Learned(None, entry_number, entry_url)
        case Vanished():
            return happenings.SeenVanished(), Learned()
        case Differs(problem, entry_number, entry_url):
            return happenings.SeenDifferent(problem), Learned(None, entry_number, entry_url)
        case NotBooked() | None:
            if held_until is not None:
                return happenings.HeldBack(held_until), Learned()
    return happenings.SeenUnbooked(), Learned()
