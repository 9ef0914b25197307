"""The transactional outbox: a message is a row of the transaction that made it true, and is sent after the commit.

Sending is the relay's work. It holds no state: rows are claimed by whoever runs it, published under one deadline, and
deleted once the broker confirmed them. A crash in between sends a message twice; the inbox on the other side drops it.
"""

import asyncio
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from .broker import Message, Publisher
from .clock import utc_now
from .database import Database, announce_message, service_of
from .ids import new_id
from .messages import Envelope, EventData
from .statements import Statement
from .telemetry.tracing import current_traceparent

BATCH = 200
PUBLISH_DEADLINE_S = 8.0
"""Shorter than the session's idle-in-transaction timeout, which would end the claim under us."""

_PUT = Statement("INSERT INTO outbox (id, type, body, traceparent) VALUES (:id, :type, :body, :traceparent)")
_CLAIM = Statement(
    "SELECT id, type, body FROM outbox WHERE next_at <= now() ORDER BY seq LIMIT :batch FOR UPDATE SKIP LOCKED"
)
_CONFIRMED = Statement("DELETE FROM outbox WHERE id = ANY(CAST(:ids AS uuid[]))")
_NOT_CONFIRMED = Statement(
    "UPDATE outbox SET attempts = attempts + 1, last_error = :error,"
    " next_at = now() + least(60, power(2, least(attempts, 6))) * interval '1 second'"
    " WHERE id = ANY(CAST(:ids AS uuid[]))"
)
_OLDEST = Statement("SELECT count(*) AS waiting, min(created_at) AS oldest FROM outbox")


async def publish(tx: AsyncConnection, *events: EventData) -> None:
    """Put ``events`` in the outbox of the service that owns ``tx``; they leave when ``tx`` commits, or never.

    An event that names its own trace (``event.traced(…)``) keeps it; the others join the present span.
    """
    if not events:
        return
    source = f"/koppel/{service_of(tx)}"
    traceparent = current_traceparent()
    now = utc_now()
    await _PUT.run_many(tx, [_row(event, source, event.traceparent or traceparent, now) for event in events])
    announce_message(tx)


def _row(event: EventData, source: str, traceparent: str | None, now: datetime) -> dict[str, object]:
    envelope = Envelope(
        id=new_id(),
        source=source,
        type=event.type,
        subject=str(event.subject_id),
        time=now,
        firmid=getattr(event, "firm_id", None),
        traceparent=traceparent,
        data=event,
    )
    return {"id": envelope.id, "type": event.type, "body": envelope.to_bytes(), "traceparent": traceparent}


class Relay:
    """Sends what is in the outbox. Every pod runs one; they share the rows by SKIP LOCKED."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._database = database
        self._publisher = publisher

    async def run_once(self) -> bool:
        """Send one batch. Return True when there may be more at once."""
        async with self._database.transaction() as tx:
            rows = await _CLAIM.all(tx, {"batch": BATCH})
            if not rows:
                return False
            messages = [Message(id=row.id, type=row.type, body=row.body) for row in rows]
            outcome = await self._publisher.publish(messages, deadline_s=PUBLISH_DEADLINE_S)
            if outcome.confirmed:
                await _CONFIRMED.run(tx, {"ids": outcome.confirmed})
            if outcome.failed:
                error = str(next(iter(outcome.failed.values())))[:500]
                await _NOT_CONFIRMED.run(tx, {"ids": list(outcome.failed), "error": error})
        return len(rows) == BATCH and not outcome.failed


async def backlog(connection: AsyncConnection) -> tuple[int, datetime | None]:
    """Return how many messages wait and since when the oldest does."""
    row = await _OLDEST.one(connection)
    return row.waiting, row.oldest


async def drain(relay: Relay, deadline_s: float) -> None:
    """Send what is left before the process ends, for at most ``deadline_s``; the rest waits for the next one."""
    try:
        async with asyncio.timeout(deadline_s):
            while await relay.run_once():
                pass
    except TimeoutError:
        return
