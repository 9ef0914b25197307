"""RabbitMQ, wrapped once: confirmed publishes, supervised consumers, and the topology both rely on.

aio-pika is used directly and its plain (not "robust") connections: a connection that broke is thrown away and a new one
is opened by a loop that is ours to read. Publishers have a connection of their own, because a broker under a memory
alarm stops reading from connections that publish, and acknowledgements must still pass.

Whatever waits for the broker does so under ``only_own_cancellation``.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage
from pamqp.common import FieldTable

from .amqp_properties import ConsumerConnection
from .cancellation import only_own_cancellation
from .messages import CONTENT_TYPE

EVENTS = "koppel.events"
DEAD = "koppel.dead"
HEARTBEAT_S = 15
CONNECT_TIMEOUT_S = 10
REPLY_TIMEOUT_S = 10
RECONNECT_PAUSE_S = 1.0
PACE_S = 0.05
"""Batches begin at least this far apart: one message alone is handed over at once, a stream of them in company."""
DELIVERY_LIMIT = 50
"""Every lost connection of a consumer counts for whatever it had prefetched, a rolling restart included (measured)."""

log = structlog.get_logger(__name__)


def queue_of(service: str) -> str:
    """Return the one queue of a service. Its arguments cannot change, so the version is in the name."""
    return f"{service}.in.v1"


def dead_queue_of(service: str) -> str:
    """Return the queue that keeps what ``service`` could not handle (``dead_letters``); its depth is an alarm."""
    return f"{service}.dead.v1"


@dataclass(frozen=True)
class Message:
    """One message to publish; ``type`` is the routing key."""

    id: UUID
    type: str
    body: bytes
    mandatory: bool = True
    """Whether it fails where no queue takes it."""


@dataclass(frozen=True)
class Outcome:
    """What became of a batch. A failed message may have been delivered all the same."""

    confirmed: list[UUID] = field(default_factory=list)
    failed: dict[UUID, BaseException] = field(default_factory=dict)

    @property
    def lost_the_broker(self) -> bool:
        """Whether a message failed for another reason than the broker's refusal of this one message."""
        return any(not isinstance(error, aio_pika.exceptions.DeliveryError) for error in self.failed.values())


async def declare_topology(url: str, subscriptions: Mapping[str, Iterable[str]]) -> None:
    """Make the exchanges, and for every service its queues with their bindings. Run by the migration job.

    Args:
        url: ``amqp://…`` of the broker.
        subscriptions: service name → the message types it handles.
    """
    async with connected(url, "koppel topology") as connection:
        channel = await connection.channel()
        events = await channel.declare_exchange(EVENTS, aio_pika.ExchangeType.TOPIC, durable=True)
        dead = await channel.declare_exchange(DEAD, aio_pika.ExchangeType.DIRECT, durable=True)
        for service, types in subscriptions.items():
            dead_queue = await channel.declare_queue(
                dead_queue_of(service), durable=True, arguments={"x-queue-type": "quorum"}
            )
            await dead_queue.bind(dead, routing_key=queue_of(service))
            queue = await channel.declare_queue(queue_of(service), durable=True, arguments=_work_queue(service))
            for message_type in types:
                await queue.bind(events, routing_key=message_type)


def _work_queue(service: str) -> FieldTable:
    # No max-length: a full queue would refuse the publisher's message and so hold every other service up.
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-routing-key": queue_of(service),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


class Publisher:
    """Publishes with confirms and a deadline. Safe to use from several tasks."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._lock = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._exchange: AbstractExchange | None = None

    async def publish(self, messages: Sequence[Message], *, deadline_s: float) -> Outcome:
        """Publish all at once and wait for the confirms, for at most ``deadline_s``.

        A mandatory message no queue takes is a failure: the broker confirms those too, and would drop them.
        """
        exchange = await self._reached(deadline_s)
        if isinstance(exchange, Exception):
            return Outcome(failed={message.id: exchange for message in messages})
        results = await asyncio.gather(
            *(self._publish_one(exchange, message, deadline_s) for message in messages), return_exceptions=True
        )
        outcome = Outcome()
        for message, result in zip(messages, results, strict=True):
            if isinstance(result, BaseException):
                outcome.failed[message.id] = result
            else:
                outcome.confirmed.append(message.id)
        if outcome.lost_the_broker:
            await self.close()
        return outcome

    async def can_reach(self, *, deadline_s: float) -> bool:
        """Return whether the broker takes our connection."""
        return not isinstance(await self._reached(deadline_s), Exception)

    async def _reached(self, deadline_s: float) -> AbstractExchange | Exception:
        try:
            async with asyncio.timeout(deadline_s):
                with only_own_cancellation():
                    return await self._open()
        except (OSError, TimeoutError, aio_pika.exceptions.AMQPError) as error:
            return error

    async def _publish_one(self, exchange: AbstractExchange, message: Message, deadline_s: float) -> None:
        content = aio_pika.Message(
            message.body,
            message_id=str(message.id),
            type=message.type,
            content_type=CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        with only_own_cancellation():
            await exchange.publish(content, routing_key=message.type, mandatory=message.mandatory, timeout=deadline_s)

    async def _open(self) -> AbstractExchange:
        async with self._lock:
            if self._exchange is None or self._connection is None or self._connection.is_closed:
                await self._close()
                self._connection = await connect(self._url, f"{self._name} publisher")
                channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
                self._exchange = await channel.get_exchange(EVENTS, ensure=True)
            return self._exchange

    async def close(self) -> None:
        """Close the connection; the next publish opens another."""
        async with self._lock:
            await self._close()

    async def _close(self) -> None:
        connection, self._connection, self._exchange = self._connection, None, None
        if connection is not None:
            await _close_quietly(connection)


OnBatch = Callable[[Sequence[AbstractIncomingMessage]], Awaitable[None]]


class Subscription:
    """A supervised consumer of one queue that hands over whatever has arrived, in order, as one batch.

    ``on_batch`` settles every message it was given (ack or reject) or raises; when it raises, the channel is closed, so
    that the broker takes the unsettled ones back, and consuming starts anew after ``ready`` allows it.
    """

    def __init__(
        self,
        url: str,
        name: str,
        queue: str,
        on_batch: OnBatch,
        *,
        batch_size: int,
        ready: Callable[[], Awaitable[None]],
    ) -> None:
        self._url = url
        self._name = name
        self._queue = queue
        self._on_batch = on_batch
        self._batch_size = batch_size
        self._ready = ready
        self._idle_since: float | None = None
        """Since when both are there and nothing consumes; None: something does, or one of them is away."""
        self._connection: AbstractConnection | None = None

    async def run(self) -> None:
        """Consume until cancelled; every loss of connection, channel or consumer is met by opening them again."""
        while True:
            try:
                with only_own_cancellation():
                    await self._consume()
            except Exception as error:
                log.warning("consumer lost", queue=self._queue, error=repr(error))
            await asyncio.sleep(RECONNECT_PAUSE_S)

    def idle_though_reachable_for_s(self) -> float:
        """Return for how many seconds nothing has consumed although ``ready`` allows it and the broker took our connection.

        This is the failure operators of other systems end by hand: connected, no consumer, no error. While database or broker is
        away it is 0: a new process would find them no sooner.
        """
        return 0.0 if self._idle_since is None else asyncio.get_running_loop().time() - self._idle_since

    async def depth_of(self, queue: str) -> int | None:
        """Return how many messages wait in ``queue``; None while there is no connection to ask by."""
        connection = self._connection
        if connection is None or connection.is_closed:
            return None
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                with only_own_cancellation():
                    return await _depth(connection, queue)
        except (OSError, TimeoutError, aio_pika.exceptions.AMQPError):
            return None

    async def _open(self) -> AbstractConnection:
        try:
            await self._ready()
            connection = await connect(self._url, f"{self._name} consumer", ConsumerConnection)
        except BaseException:
            self._idle_since = None
            raise
        if self._idle_since is None:
            self._idle_since = asyncio.get_running_loop().time()
        return connection

    async def _consume(self) -> None:
        connection = self._connection = await self._open()
        arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def note_loss(reason: str) -> None:
            if not lost.done():
                lost.set_result(reason)

        try:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=self._batch_size * 2, timeout=REPLY_TIMEOUT_S)
            channel.close_callbacks.add(lambda *_: note_loss("channel closed"))
            (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(
                lambda *_: note_loss("consumer cancelled by the broker")
            )
            queue = await channel.declare_queue(self._queue, passive=True, timeout=REPLY_TIMEOUT_S)
            await queue.consume(arrived.put, timeout=REPLY_TIMEOUT_S)
            self._idle_since = None
            log.info("consuming", queue=self._queue)
            await self._hand_over(arrived, lost)
        finally:
            await _close_quietly(connection)

    async def _hand_over(self, arrived: asyncio.Queue[AbstractIncomingMessage], lost: asyncio.Future[str]) -> None:
        clock = asyncio.get_running_loop().time
        begun_at = clock() - PACE_S
        while True:
            first = asyncio.ensure_future(arrived.get())
            await asyncio.wait((first, lost), return_when=asyncio.FIRST_COMPLETED)
            if not lost.done():
                await asyncio.wait((lost,), timeout=begun_at + PACE_S - clock())
            if lost.done():
                first.cancel()
                raise ConnectionError(lost.result())
            begun_at = clock()
            batch = [first.result()]
            while len(batch) < self._batch_size and not arrived.empty():
                batch.append(arrived.get_nowait())
            await self._on_batch(batch)


async def depth(url: str, queue: str) -> int:
    """Return how many messages ``queue`` holds; 0 when there is no such queue."""
    async with connected(url, "koppel depth") as connection:
        return await _depth(connection, queue)


async def _depth(connection: AbstractConnection, queue: str) -> int:
    channel: AbstractChannel = await connection.channel()
    try:
        declared = await channel.declare_queue(queue, passive=True, timeout=REPLY_TIMEOUT_S)
        return int(declared.declaration_result.message_count or 0)
    except aio_pika.exceptions.ChannelNotFoundEntity:
        return 0
    finally:
        await channel.close()


@asynccontextmanager
async def connected(
    url: str, name: str, connection_class: type[aio_pika.Connection] = aio_pika.Connection
) -> AsyncIterator[AbstractConnection]:
    """Hold a connection open for as long as the block lasts.

    Raises:
        OSError, AMQPError: the broker is away or refuses us; or the connection was lost.
    """
    with only_own_cancellation():
        async with await connect(url, name, connection_class) as connection:
            yield connection


async def connect(
    url: str, name: str, connection_class: type[aio_pika.Connection] = aio_pika.Connection
) -> AbstractConnection:
    """Open a connection that the broker shows under ``name``.

    Raises:
        OSError, AMQPError: the broker is away or refuses us.
    """
    try:
        return await aio_pika.connect(
            url,
            connection_class=connection_class,
            timeout=CONNECT_TIMEOUT_S,
            heartbeat=HEARTBEAT_S,
            client_properties={"connection_name": name},
        )
    except StopAsyncIteration as error:
        # aiormq raises it when the server closes the connection before it sends anything (measured).
        raise ConnectionError("the broker hung up") from error


async def _close_quietly(connection: AbstractConnection) -> None:
    with suppress(Exception), only_own_cancellation():
        async with asyncio.timeout(2):
            await connection.close()
