"""The transactional outbox: a message is a row of the transaction that made it true, and is sent after the commit.

Sending is the relay's work. It holds no state: rows are claimed by whoever runs it, published under one deadline, and
deleted once the broker confirmed them. A crash in between sends a message twice; the inbox on the other side drops it.
"""

import asyncio
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from .broker import Message, Outcome, Publisher
from .clock import utc_now
from .database import Database, announce_message, service_of
from .ids import new_id
from .messages import EVENT_TYPES, Envelope, EventData
from .prepared_sql import Statement
from .telemetry.tracing import current_traceparent

BATCH = 200
PUBLISH_DEADLINE_S = 8.0
"""Shorter than the session's idle-in-transaction timeout, which would end the claim under us."""

PROBE_PAUSE_S = 1.0
"""A broker that was lost is tried no more often than this."""
_WITHOUT_LISTENER = frozenset(name for name, event in EVENT_TYPES.items() if not event.needs_listener)
log = structlog.get_logger(__name__)

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
_ANY_LEFT = Statement("SELECT EXISTS (SELECT FROM outbox WHERE id = ANY(CAST(:ids AS uuid[]))) AS found")
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
    """Sends what is in the outbox. Every pod runs one; they share the rows by SKIP LOCKED.

    A relay that has lost its broker would win the rows again and again from those that have not: it wakes when its own rows are
    due. So it claims nothing until it reaches the broker, and then one row, until that one is confirmed.
    """

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._database = database
        self._publisher = publisher
        self._unsent: list[UUID] = []
        """What it could not send when it lost the broker; empty while it has one."""
        self._probe_at = 0.0

    async def run_once(self) -> bool:
        """Send one batch. Return True when there may be more at once."""
        if self._unsent and not await self._reaches_the_broker():
            return False
        batch = 1 if self._unsent else BATCH
        async with self._database.transaction() as tx:
            rows = await _CLAIM.all(tx, {"batch": batch})
            if not rows:
                self._note(Outcome())
                return False
            messages = [
                Message(id=row.id, type=row.type, body=row.body, mandatory=row.type not in _WITHOUT_LISTENER)
                for row in rows
            ]
            outcome = await self._publisher.publish(messages, deadline_s=PUBLISH_DEADLINE_S)
            if outcome.confirmed:
                await _CONFIRMED.run(tx, {"ids": outcome.confirmed})
            if outcome.failed:
                error = str(next(iter(outcome.failed.values())))[:500]
                await _NOT_CONFIRMED.run(tx, {"ids": list(outcome.failed), "error": error})
        self._note(outcome)
        return len(rows) == batch and not outcome.failed

    async def is_cut_off(self) -> bool:
        """Return whether others send what this process cannot.

        A broker that is away for everybody cuts nobody off: the outbox keeps what is to be sent, and requests are answered.
        """
        if not self._unsent:
            return False
        async with self._database.reading() as connection:
            return not (await _ANY_LEFT.one(connection, {"ids": self._unsent})).found

    async def _reaches_the_broker(self) -> bool:
        clock = asyncio.get_running_loop().time
        if clock() < self._probe_at:
            return False
        reached = await self._publisher.can_reach(deadline_s=PUBLISH_DEADLINE_S)
        self._probe_at = clock() + PROBE_PAUSE_S
        return reached

    def _note(self, outcome: Outcome) -> None:
        if outcome.lost_the_broker and not self._unsent:
            self._unsent = list(outcome.failed)
            log.warning("broker lost", service=self._database.service, unsent=len(self._unsent))
        elif not outcome.lost_the_broker and self._unsent:
            self._unsent = []
            log.info("broker reached again", service=self._database.service)


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
