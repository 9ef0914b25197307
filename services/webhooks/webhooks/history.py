"""Reading what happened: events by cursor, deliveries with their attempts, and having events sent again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.visibility import VISIBLE

_EVENTS = Statement(f"""
    SELECT position, body FROM event
    WHERE {VISIBLE} AND position > :after AND recorded_at >= now() - CAST(:days AS integer) * interval '1 day'
        AND (CAST(:types AS text[]) IS NULL OR type = ANY(CAST(:types AS text[])))
    ORDER BY position LIMIT :limit
""")
_END = Statement(f"SELECT coalesce(max(position), 0) AS position FROM event WHERE {VISIBLE}")
_POSITION_OF = Statement(f"SELECT position FROM event WHERE id = :id AND {VISIBLE}")
_DELIVERIES = Statement("""
    SELECT d.* FROM delivery d JOIN event v ON v.recorded_at = d.recorded_at AND v.id = d.event_id
    WHERE d.endpoint_id = :endpoint_id AND v.firm_id = :firm_id
        AND (CAST(:before AS bigint) IS NULL OR d.position < CAST(:before AS bigint))
        AND (CAST(:state AS text) IS NULL OR d.state = CAST(:state AS text))
    ORDER BY d.position DESC LIMIT :limit
""")
_ATTEMPTS = Statement("""
    SELECT event_id, at, number, outcome, status, duration_ms, answer FROM attempt
    WHERE endpoint_id = :endpoint_id AND event_id = ANY(CAST(:ids AS uuid[])) ORDER BY at
""")
# What is under way keeps its lease; its attempts count from 0 in any case.
_REPLAY = Statement("""
    WITH again AS (
        INSERT INTO delivery AS held (recorded_at, event_id, endpoint_id, position, type, subject_id, sequence)
        SELECT v.recorded_at, v.id, e.id, v.position, v.type, v.subject_id, v.sequence
        FROM endpoint e JOIN event v ON v.firm_id = ANY(coalesce(e.firm_ids, ARRAY[e.firm_id]))
        WHERE e.id = :endpoint_id AND v.recorded_at >= :first AND v.recorded_at < :end
            AND v.recorded_at >= now() - CAST(:days AS integer) * interval '1 day'
            AND v.type = ANY(coalesce(CAST(:types AS text[]), e.event_types))
        ON CONFLICT (recorded_at, event_id, endpoint_id) DO UPDATE SET state = 'pending', due_at = now(), attempts = 0
            WHERE held.leased_until IS NULL OR held.leased_until <= now()
        RETURNING 1
    )
    SELECT count(*) AS number FROM again
""")


async def events_after(
    connection: AsyncConnection, caller: Caller, after: int, types: Sequence[str] | None, *, days: int, limit: int
) -> list[Record]:
    """Return events of the caller's firm in the order in which they were recorded."""
    values = {"firm_id": caller.firm_id, "after": after, "days": days, "types": types, "limit": limit}
    return await _EVENTS.all(connection, values)


async def position_of(connection: AsyncConnection, caller: Caller, event_id: UUID) -> int | None:
    """Return the place of an event that the caller may see; None where there is none."""
    row = await _POSITION_OF.one_or_none(connection, {"id": event_id, "firm_id": caller.firm_id})
    return None if row is None else row.position


async def end_of(connection: AsyncConnection, caller: Caller) -> int:
    """Return the place of the last event that the caller may see; 0 where there is none."""
    return int((await _END.one(connection, {"firm_id": caller.firm_id})).position)


async def deliveries_of(
    connection: AsyncConnection, caller: Caller, endpoint_id: UUID, before: int | None, state: str | None, limit: int
) -> list[tuple[Record, list[dict[str, Any]]]]:
    """Return the deliveries of an endpoint of the caller's, the newest event first, each with its attempts, the first first.

    Where the endpoint gets events of several firms, those of the caller's firm.
    """
    values = {"endpoint_id": endpoint_id, "firm_id": caller.firm_id, "before": before, "state": state, "limit": limit}
    rows = await _DELIVERIES.all(connection, values)
    made: dict[UUID, list[dict[str, Any]]] = {row.event_id: [] for row in rows}
    for each in await _ATTEMPTS.all(connection, {"endpoint_id": endpoint_id, "ids": list(made)}):
        made[each.event_id].append(dict(each))
    return [(row, made[row.event_id]) for row in rows]


async def replay(
    tx: AsyncConnection, endpoint_id: UUID, first: datetime, end: datetime, types: Sequence[str] | None, days: int
) -> int:
    """Have the events of a span of time sent (again) to an endpoint; return how many. Their ids stay what they are."""
    values = {"endpoint_id": endpoint_id, "first": first, "end": end, "types": types, "days": days}
    return int((await _REPLAY.one(tx, values)).number)
