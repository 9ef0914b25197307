"""What became of events at an endpoint, and having them sent again."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.paging import Page, PageParams, invalid_cursor
from koppel_mesh.http.server import CurrentContext
from webhooks import endpoints, history
from webhooks.loops import SEND
from webhooks.models import Replay, ReplayStarted, ShownAttempt, ShownDelivery

from .endpoints import Reader, Writer

router = APIRouter(prefix="/v1/endpoints/{endpoint_id}", tags=["deliveries"])
State = Literal["pending", "delivered", "failed", "withheld"]


@router.get("/deliveries")
async def list_deliveries(
    endpoint_id: UUID,
    context: CurrentContext,
    caller: Reader,
    page: PageParams,
    state: Annotated[State | None, Query()] = None,
) -> Page[ShownDelivery]:
    """List deliveries, the newest event first, each with its attempts."""
    try:
        before = int(page.after[0]) if page.after else None
    except ValueError:
        raise invalid_cursor() from None
    async with context.database.reading() as reading:
        await endpoints.of_caller(reading, caller, endpoint_id)
        found = await history.deliveries_of(reading, caller, endpoint_id, before, state, page.rows)
    return page.of(
        found,
        lambda pair: ShownDelivery(**dict(pair[0]) | {"attempts": [ShownAttempt(**each) for each in pair[1]]}),
        lambda pair: [str(pair[0].position)],
    )


@router.post("/replay", status_code=202, response_model=ReplayStarted)
async def replay_events(
    endpoint_id: UUID, body: Replay, context: CurrentContext, caller: Writer, key: IdempotencyKey
) -> Response:
    """Send the events of a span of time again, with the ids that they had; also those of before the endpoint was registered."""
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        await endpoints.of_caller(tx, caller, endpoint_id)
        days = context.settings.webhook_event_days
        count = await history.replay(tx, endpoint_id, body.from_, body.to, body.event_types, days)
        answer: Response = await key.remember(tx, status=202, body=ReplayStarted(count=count))
    context.wake(SEND)
    return answer
