"""The feeds "modified since" (octopus §2.7, §2.10): what changed from a moment on, or 404 when nothing did."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.responses import Response

from koppel_sandbox.rows import Table
from koppel_sandbox.tables import Record, wire

from .call import Call, DossierCall, answer
from .errors import Refusal


def since(call: Call) -> float:
    """Return the moment that ``modifiedTimeStamp`` names (``yyyy-MM-dd HH:mm:ss.SSS``), in seconds since 1970.

    Raises:
        Refusal: it is missing or no such moment.
    """
    given = call.query("modifiedTimeStamp")
    try:
        moment = datetime.fromisoformat(given or "")
    except ValueError:
        raise call.bad_parameter("modifiedTimeStamp") from None
    return moment.replace(tzinfo=ZoneInfo(call.switches.feed_time_zone)).timestamp()


def changed(call: DossierCall, table: Table[Record]) -> list[Record]:
    """Return the records that changed since the moment the call names and that the feeds show already."""
    now, moment = call.state.clock.epoch(), since(call)
    found = [record for record in table.values() if record["@modified"] >= moment]
    return [
        record
        for record in found
        if record.get("@hidden_until", 0.0) <= now and record["@modified"] + call.switches.feed_lag_s <= now
    ]


def some(records: Iterable[Record], code: int) -> Response:
    """Answer with records, or with 404 and this code when there are none (34)."""
    found = [wire(record) for record in records]
    if not found:
        raise Refusal(404, code)
    return answer(found)
