"""Limits of a day and operation (octopus §1.5, 37): off unless the switch ``daily_limits`` is on."""

from typing import Literal
from zoneinfo import ZoneInfo

from .call import DossierCall
from .errors import Refusal

Kind = Literal["write", "feed"]
_BRUSSELS = ZoneInfo("Europe/Brussels")


def take(call: DossierCall, operation: str, kind: Kind) -> None:
    """Count one call of an operation.

    Raises:
        Refusal: its limit of the day is used up.
    """
    switches = call.switches
    if not switches.daily_limits:
        return
    scopes = {"dossier": str(call.books.id), "user": call.user["user"], "software_house": call.software_house}
    day = call.state.clock.now().astimezone(_BRUSSELS).date().isoformat()
    key = (day, operation, scopes[switches.limit_scope])
    most = switches.write_limit if kind == "write" else switches.feed_limit
    if call.state.calls[key] >= most:
        raise Refusal(switches.limit_status, switches.limit_code, f"{operation}, {most}/24 h")
    call.state.calls[key] += 1
