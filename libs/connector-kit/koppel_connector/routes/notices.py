"""Where vendors and mailboxes speak back (contract §7): no token of ours, but proof by the vendor's own means."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from koppel_connector.connection.store import ConnectionRow
from koppel_connector.contract.notices import Notice
from koppel_connector.delivery.notices import connection_id_of
from koppel_connector.kit import Kit
from koppel_connector.notices import accept_notice
from koppel_mesh.clock import utc_now
from koppel_mesh.http.problems import HttpProblem
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.messages import ConnectionState

from .views import KEY_AWAY, refusal_of

NOTICE_SIZE_BYTES_MAX = 1_000_000
router = APIRouter(prefix="/v1", tags=["notices"])


class Accepted(BaseModel):
    """It is stored and will be worked off."""

    status: str = "accepted"


_ALSO: dict[int | str, dict[str, Any]] = {
    status: {"model": Accepted, "description": "As 202, for vendors that take no other answer."}
    for status in (200, 201)
}


@router.post("/notices/{address}", status_code=202, responses=_ALSO)
async def take_notice(
    context: CurrentContext, request: Request, response: Response, address: Annotated[str, Path(max_length=100)]
) -> Accepted:
    """Take what a vendor, a mailbox or an agent tells; ``address`` is a connection's id or the vendor's own key."""
    kit: Kit = context.resources
    headers = {name.lower(): value for name, value in request.headers.items()}
    notice = Notice(address, headers, await _content(request), utc_now())
    row = await _connection(kit, address)
    if not await accept_notice(kit, notice, row.settings if row is not None else None):
        raise HttpProblem(401, "unverified_notice", "The notice does not prove where it comes from.")
    if kit.profile.notices is not None:
        response.status_code = kit.profile.notices.answer_status
    return Accepted()


async def _content(request: Request) -> bytes:
    taken = bytearray()
    async for part in request.stream():
        taken += part
        if len(taken) > NOTICE_SIZE_BYTES_MAX:
            raise HttpProblem(413, "notice_too_large", f"A notice has at most {NOTICE_SIZE_BYTES_MAX} bytes.")
    return bytes(taken)


async def _connection(kit: Kit, address: str) -> ConnectionRow | None:
    connection_id = connection_id_of(address)
    if connection_id is None:
        return None
    async with kit.database.reading() as reading:
        row = await kit.connections.read(reading, connection_id)
    if row is None or row.state is ConnectionState.DISCONNECTED:
        raise HttpProblem(401, "unverified_notice", "The notice does not prove where it comes from.")
    if row.unreadable is not None:
        raise refusal_of(kit, row.unreadable, 503, headers=KEY_AWAY)
    return row
