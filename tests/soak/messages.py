"""A tap on the broker: every message that services tell each other, to be sent to them again, late and out of order."""

import asyncio
import contextlib
import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import AMQPError

from koppel_mesh.broker import EVENTS, queue_of
from koppel_mesh.service import Service

KEPT_MAX = 5_000
POISON = b'{"specversion": "1.0", "type": "nobody.knows.v1", "number": %d}'


class Tap:
    """What was heard so far; it listens in a thread, and again after the broker was away."""

    def __init__(self, url: str, services: Mapping[str, Service]) -> None:
        self._url = url
        self._types = {service.name: {event.type for event in service.handlers} for service in services.values()}
        self.heard: list[tuple[str, bytes]] = []
        """Type and body."""
        self.poison: list[bytes] = []
        """Bodies that say nothing, put on the queue of every service that has one."""

    @property
    def listeners(self) -> list[str]:
        """The services that take messages."""
        return [name for name, types in self._types.items() if types]

    def repeat(self, chance: random.Random, count: int, *, shuffled: bool) -> int:
        """Send messages that were sent before to all who take them: the newest ones, or any in any order. Return how many."""
        chosen = chance.sample(self.heard, min(count, len(self.heard))) if shuffled else self.heard[-count:]
        sent = [(queue_of(name), body) for kind, body in chosen for name, types in self._types.items() if kind in types]
        asyncio.run(self._publish(sent))
        return len(sent)

    def spoil(self) -> None:
        """Send every service a message that says nothing."""
        body = POISON % len(self.poison)
        self.poison.append(body)
        asyncio.run(self._publish([(queue_of(name), body) for name in self.listeners]))

    async def _publish(self, messages: Sequence[tuple[str, bytes]]) -> None:
        with contextlib.suppress(AMQPError, OSError, TimeoutError):  # the broker may be another fault's victim
            async with asyncio.timeout(10), await aio_pika.connect(self._url) as connection:
                channel = await connection.channel()
                for queue, body in messages:
                    message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
                    await channel.default_exchange.publish(message, routing_key=queue)

    @contextmanager
    def listening(self) -> Iterator[None]:
        loop = asyncio.new_event_loop()
        task = loop.create_task(self._listen())

        def run() -> None:
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(task)

        thread = threading.Thread(target=run, name="tap", daemon=True)
        thread.start()
        try:
            yield
        finally:
            loop.call_soon_threadsafe(task.cancel)
            thread.join(10)

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(AMQPError, OSError, TimeoutError):
                async with await aio_pika.connect(self._url, timeout=5) as connection:
                    channel = await connection.channel()
                    queue = await channel.declare_queue(exclusive=True, auto_delete=True)
                    await queue.bind(EVENTS, routing_key="#")
                    await queue.consume(self._hear, no_ack=True)
                    await connection.closed()
            await asyncio.sleep(0.5)

    async def _hear(self, message: AbstractIncomingMessage) -> None:
        self.heard.append((message.routing_key or "", message.body))
        del self.heard[:-KEPT_MAX]
