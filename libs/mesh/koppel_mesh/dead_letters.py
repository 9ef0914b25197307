"""What lies in a dead queue goes again by itself: the cause of its refusal may be over, or a message beside it caused it.

A message is published anew to the queue that it came from and never given back to the dead queue: a quorum queue counts what is
given back, and RabbitMQ 4 drops it at the twentieth time. Handlers take late and repeated facts in good order (contract §8).
"""

import re

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from .amqp_properties import PROPERTIES, ConsumerConnection, readable_properties
from .broker import REPLY_TIMEOUT_S, connected, dead_queue_of, queue_of
from .messages import CONTENT_TYPE

REPLAYS_MAX = 10
"""What was refused so often waits for a person."""
_MARK = re.compile(r"replay (\d+)")

log = structlog.get_logger(__name__)


async def replay(url: str, service: str) -> int:
    """Publish each message of a service's dead queue to its own queue again; return how many went.

    One that has gone ``REPLAYS_MAX`` times stays. A process that ends in between leaves a message in both queues: its id is
    known then.

    Raises:
        OSError, AMQPError: the broker is away, or has no such queue.
    """
    async with connected(url, f"{service} dead letters", ConsumerConnection) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        dead = await channel.declare_queue(dead_queue_of(service), passive=True, timeout=REPLY_TIMEOUT_S)
        went = 0
        for _ in range(dead.declaration_result.message_count or 0):
            message = await dead.get(fail=False, timeout=REPLY_TIMEOUT_S)
            if message is None:
                break
            went += await _publish_again(channel, message, service)
            await message.ack()
        return went


async def _publish_again(channel: AbstractChannel, message: AbstractIncomingMessage, service: str) -> bool:
    properties = readable_properties(bytes(message.headers.get(PROPERTIES, b"")))  # type: ignore[arg-type]
    found = _MARK.fullmatch(properties.get("app_id", ""))
    number = int(found[1]) if found else 0
    goes = number < REPLAYS_MAX
    number += goes
    again = aio_pika.Message(
        message.body,
        message_id=_short(properties.get("message_id")),
        type=_short(properties.get("type")),
        content_type=CONTENT_TYPE,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        app_id=f"replay {number}",
    )
    queue = queue_of(service) if goes else dead_queue_of(service)
    await channel.default_exchange.publish(again, routing_key=queue, mandatory=True, timeout=REPLY_TIMEOUT_S)
    if goes:
        log.warning("dead message goes again", service=service, id=again.message_id, type=again.type, number=number)
    return goes


def _short(text: str | None) -> str | None:
    # Made readable, a string that was no UTF-8 may be longer than a property of AMQP can be.
    return text[:60] if text else None
