"""Taking messages in: a batch is one transaction, and is acknowledged after its commit.

The inbox row is a first sieve against the same message twice; what makes an effect single is the unique key of the row
the handler writes. A message that is not ours, or holds what no column can, goes to quarantine; one a handler refuses again
and again goes to the dead queue; a database that is away stops consuming, it never turns into a loop of refusals.
"""

import asyncio
import json
from base64 import b64encode
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

import structlog
from aio_pika.abc import AbstractIncomingMessage
from sqlalchemy.ext.asyncio import AsyncConnection

from .amqp_properties import PROPERTIES, readable, readable_properties
from .database import Database, is_unavailable, is_unstorable
from .messages import Envelope, EventData, UnreadableMessageError, open_envelope
from .prepared_sql import Statement
from .telemetry.tracing import take_batch

BATCH = 100
ATTEMPTS = 3
PAUSE_S = 0.2
KEEP_DAYS = 30
"""Longer than any replay; only a sieve, so nothing breaks when a row is gone."""

log = structlog.get_logger(__name__)
Handle = Callable[[AsyncConnection, Sequence[EventData]], Awaitable[None]]
_Opened = tuple[AbstractIncomingMessage, Envelope]

_TAKE_NEW = Statement(
    "INSERT INTO inbox (message_id) SELECT unnest(CAST(:ids AS uuid[])) ON CONFLICT DO NOTHING RETURNING message_id"
)
_PUT_ASIDE = Statement(
    "INSERT INTO quarantine (body, headers, reason) VALUES (:body, CAST(:headers AS jsonb), :reason)"
)


class Inbox:
    """Hands a service's messages to its handlers, each once in effect."""

    def __init__(self, database: Database, handlers: Mapping[type[EventData], Handle]) -> None:
        self._database = database
        self._handlers = {event.type: handle for event, handle in handlers.items()}

    async def take(self, batch: Sequence[AbstractIncomingMessage]) -> None:
        """Handle and settle every message of ``batch``.

        Raises:
            Exception: the database is away; what was not settled is taken back by the broker.
        """
        opened: list[_Opened] = []
        for message in batch:
            try:
                opened.append((message, self._open(message.body)))
            except UnreadableMessageError as error:
                await self._quarantine(message, str(error))
        if not opened:
            return
        try:
            await self._handle([envelope for _, envelope in opened])
        except Exception as error:
            if is_unavailable(error):
                raise
            log.warning("batch refused, taking its messages one by one", size=len(opened), error=repr(error))
            await self._take_one_by_one(opened)
            return
        await _acknowledge(opened[-1][0], all_before=True)

    async def _take_one_by_one(self, opened: Sequence[_Opened]) -> None:
        """Try each by itself; the refused ones again after all others, so that no pause holds a neighbour up."""
        for attempt in range(1, ATTEMPTS + 1):
            refused: list[_Opened] = []
            for message, envelope in opened:
                try:
                    await self._handle([envelope])
                except Exception as error:
                    if is_unavailable(error):
                        raise
                    if is_unstorable(error):
                        await self._quarantine(message, f"holds a value that cannot be stored: {error.__cause__}")
                        continue
                    log.exception("message refused", type=envelope.type, id=str(envelope.id), attempt=attempt)
                    refused.append((message, envelope))
                else:
                    await _acknowledge(message)
            if not refused:
                return
            opened = refused
            if attempt < ATTEMPTS:
                await asyncio.sleep(PAUSE_S * attempt)
        for message, envelope in opened:
            log.error("message goes to the dead queue", type=envelope.type, id=str(envelope.id))
            await message.reject(requeue=False)

    async def _handle(self, envelopes: Sequence[Envelope]) -> None:
        async with self._database.transaction() as tx:
            ids = list({envelope.id for envelope in envelopes})
            fresh: set[UUID] = {row.message_id for row in await _TAKE_NEW.all(tx, {"ids": ids})}
            by_type: dict[str, list[Envelope]] = defaultdict(list)
            for envelope in envelopes:
                if envelope.id in fresh:
                    fresh.discard(envelope.id)
                    by_type[envelope.type].append(envelope)
            for message_type, group in by_type.items():
                with take_batch([envelope.traceparent for envelope in group], f"take {message_type}"):
                    await self._handlers[message_type](tx, [envelope.data for envelope in group])

    def _open(self, body: bytes) -> Envelope:
        envelope = open_envelope(body)
        if envelope.type not in self._handlers:
            raise UnreadableMessageError(f"nothing here handles {envelope.type!r}")
        return envelope

    async def _quarantine(self, message: AbstractIncomingMessage, reason: str) -> None:
        properties = bytes(message.headers.get(PROPERTIES, b""))  # type: ignore[arg-type] # bytes: ConsumerConnection's
        shown = {**readable_properties(properties), "routing_key": _readable(message.routing_key or "")}
        kept = {**shown, PROPERTIES: b64encode(properties).decode()}
        reason = _readable(reason)[:1000]
        async with self._database.transaction() as tx:
            await _PUT_ASIDE.run(tx, {"body": bytes(message.body), "headers": json.dumps(kept), "reason": reason})
        log.error("message quarantined", reason=reason, **shown)
        await _acknowledge(message)


def _readable(text: str) -> str:
    return readable(text.encode("utf-8", "surrogatepass"), 4096).decode()


async def _acknowledge(message: AbstractIncomingMessage, *, all_before: bool = False) -> None:
    # A channel that died meanwhile makes this fail; the broker then delivers again and the inbox drops what it knows.
    # Batches come in the order of delivery and are settled one after the other: "all before" is this batch and no more.
    await message.ack(multiple=all_before)
