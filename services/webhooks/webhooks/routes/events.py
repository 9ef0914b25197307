"""Every event of the last days in order, for who missed some; and the JSON Schemas of what they hold."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from koppel_mesh.auth import Caller
from koppel_mesh.http.paging import decode_cursor, encode_cursor, invalid_cursor
from koppel_mesh.http.problems import not_found
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.service import Context
from webhooks import history
from webhooks.asyncapi import schema_of
from webhooks.event_types import ALL_TYPES
from webhooks.models import EventTypes

from .endpoints import Reader

router = APIRouter(prefix="/v1", tags=["events"])
END = "end"


class Events(BaseModel):
    """Events in order, as they are pushed."""

    items: list[dict[str, Any]]
    next: str | None
    """Ask again with it, also for what comes later; null where there was nothing new, and what you had stays right."""


@router.get("/events")
async def list_events(
    request: Request,
    context: CurrentContext,
    caller: Reader,
    after: Annotated[str | None, Query(max_length=1000)] = None,
    event_types: Annotated[EventTypes | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Events:
    """List events of your firm in the order they were recorded.

    ``after`` is the ``next`` of an earlier answer, or the id of the last event (``webhook-id``) that you have; ``end`` gives
    no event, and the ``next`` for what comes from now on.
    """
    place = request.url.path.lower()
    if after == END:
        async with context.database.reading() as reading:
            end = await history.end_of(reading, caller)
        return Events(items=[], next=encode_cursor([str(end)], place))
    position = await _position(context, caller, after, place) if after else 0
    days = context.settings.webhook_event_days
    async with context.database.reading() as reading:
        rows = await history.events_after(reading, caller, position, event_types, days=days, limit=limit)
    following = encode_cursor([str(rows[-1].position)], place) if rows else None
    return Events(items=[json.loads(row.body) for row in rows], next=following)


async def _position(context: Context, caller: Caller, after: str, place: str) -> int:
    try:
        event_id = UUID(after)
    except ValueError:
        try:
            return int(decode_cursor(after, place)[0])
        except ValueError:
            raise invalid_cursor() from None
    async with context.database.reading() as reading:
        position = await history.position_of(reading, caller, event_id)
    if position is None:
        raise not_found("event")
    return position


@router.get("/schemas/{event_type}")
async def read_schema(event_type: str) -> dict[str, Any]:
    """Return the JSON Schema of version 1 of an event's data. No token is needed."""
    event = ALL_TYPES.get(event_type)
    if event is None:
        raise not_found("event type")
    return schema_of(event)
