"""What arrives is handled once in effect, whatever arrives, however often, and whatever breaks meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import aio_pika
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.broker import EVENTS, Subscription, dead_queue_of, declare_topology, depth, queue_of
from koppel_mesh.clock import utc_now
from koppel_mesh.database import Database
from koppel_mesh.ids import new_id
from koppel_mesh.inbox import Handle, Inbox
from koppel_mesh.messages import DocumentReady, Envelope, EventData

Fact = Callable[..., DocumentReady]
SERVICE = "test-service"
PATIENCE_S = 60


def sealed(fact: DocumentReady, message_id: UUID | None = None) -> bytes:
    return Envelope(
        id=message_id or new_id(), source="/test", type=fact.type, subject="x", time=utc_now(), data=fact
    ).to_bytes()


async def put(url: str, *bodies: bytes) -> None:
    connection = await aio_pika.connect(url)
    async with connection:
        exchange = await (await connection.channel()).get_exchange(EVENTS)
        for body in bodies:
            message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await exchange.publish(message, routing_key=DocumentReady.type, mandatory=True, timeout=5)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.02)


async def until_depth(url: str, queue: str, wanted: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await depth(url, queue) != wanted:
            await asyncio.sleep(0.1)


@asynccontextmanager
async def consuming(database: Database, url: str, handle: Handle) -> AsyncIterator[Subscription]:
    inbox = Inbox(database, {DocumentReady: handle})
    subscription = Subscription(url, "test", queue_of(SERVICE), inbox.take, batch_size=50, ready=database.ping)
    task = asyncio.create_task(subscription.run())
    try:
        yield subscription
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_same_message_a_hundred_times_shuffled(database: Database, amqp: str, fact: Fact) -> None:
    seen: list[str | None] = []

    async def handle(_: AsyncConnection, events: Sequence[EventData]) -> None:
        seen.extend(event.number for event in events if isinstance(event, DocumentReady))

    bodies = [sealed(fact(f"F-{n}"), new_id()) for n in range(5)]
    storm = bodies * 100
    random.Random(7).shuffle(storm)
    async with consuming(database, amqp, handle):
        await put(amqp, *storm)
        await until_depth(amqp, queue_of(SERVICE), 0)
        await until(lambda: len(seen) >= 5)
    assert sorted(number or "" for number in seen) == [f"F-{n}" for n in range(5)]


async def test_what_is_not_ours_goes_to_quarantine_and_holds_nobody_up(
    database: Database, amqp: str, fact: Fact
) -> None:
    seen: list[EventData] = []

    async def handle(_: AsyncConnection, events: Sequence[EventData]) -> None:
        seen.extend(events)

    poison = [
        b"",
        b"\xff\x00",
        b"[]",
        b'{"specversion":"1.0"}',
        b"[" * 50_000,
        sealed(fact()).replace(b"ready", b"rady"),
    ]
    async with consuming(database, amqp, handle):
        await put(amqp, *poison, sealed(fact("F-good")))
        await until(lambda: seen)
        await until_depth(amqp, queue_of(SERVICE), 0)
    async with database.reading() as connection:
        kept = (await connection.execute(text("SELECT body, reason FROM quarantine ORDER BY id"))).all()
    assert [row.body for row in kept] == poison
    assert all(row.reason for row in kept)
    assert await depth(amqp, dead_queue_of(SERVICE)) == 0


async def test_one_poisoned_message_goes_to_the_dead_queue_and_its_neighbours_do_not(
    database: Database, amqp: str, fact: Fact
) -> None:
    done: set[str | None] = set()

    async def handle(tx: AsyncConnection, events: Sequence[EventData]) -> None:
        for event in events:
            assert isinstance(event, DocumentReady)
            if event.number == "F-13":
                await tx.execute(text("SELECT 1 / 0"))
        done.update(event.number for event in events if isinstance(event, DocumentReady))

    async with consuming(database, amqp, handle):
        await put(amqp, *(sealed(fact(f"F-{n}")) for n in range(20)))
        await until(lambda: len(done) == 19)
        await until_depth(amqp, dead_queue_of(SERVICE), 1)
    assert await depth(amqp, queue_of(SERVICE)) == 0


async def test_a_database_that_is_away_loses_nothing_and_kills_nothing(
    database: Database, amqp: str, fact: Fact
) -> None:
    calls = 0
    seen: list[EventData] = []

    async def handle(_: AsyncConnection, events: Sequence[EventData]) -> None:
        nonlocal calls
        calls += 1
        if calls <= 2:
            raise OperationalError("SELECT", {}, Exception("the server closed the connection"))
        seen.extend(events)

    async with consuming(database, amqp, handle):
        await put(amqp, *(sealed(fact(f"F-{n}")) for n in range(10)))
        await until(lambda: len(seen) == 10)
    assert calls < 20, "an unavailable database became a loop of refusals"
    assert await depth(amqp, dead_queue_of(SERVICE)) == 0


async def test_killed_between_commit_and_ack_the_message_comes_again_and_is_dropped(
    database: Database, amqp: str, fact: Fact
) -> None:
    handled = 0

    async def handle(_: AsyncConnection, events: Sequence[EventData]) -> None:
        nonlocal handled
        handled += len(events)

    body = sealed(fact())
    await put(amqp, body)
    connection = await aio_pika.connect(amqp)
    queue = await (await connection.channel()).get_queue(queue_of(SERVICE), ensure=False)
    message = await queue.get(timeout=5)
    inbox = Inbox(database, {DocumentReady: handle})
    envelope = inbox._open(message.body)
    await inbox._handle([envelope])
    await connection.close()
    assert handled == 1
    async with consuming(database, amqp, handle):
        await until_depth(amqp, queue_of(SERVICE), 0)
    assert handled == 1


async def test_a_deleted_queue_is_noticed_and_consuming_resumes_when_it_is_back(
    database: Database, amqp: str, fact: Fact
) -> None:
    seen: list[EventData] = []

    async def handle(_: AsyncConnection, events: Sequence[EventData]) -> None:
        seen.extend(events)

    async with consuming(database, amqp, handle) as subscription:
        await put(amqp, sealed(fact()))
        await until(lambda: len(seen) == 1)
        connection = await aio_pika.connect(amqp)
        async with connection:
            await (await connection.channel()).queue_delete(queue_of(SERVICE))
        await until(lambda: subscription.idle_though_reachable_for_s() > 0)
        await declare_topology(amqp, {SERVICE: [DocumentReady.type]})
        await put(amqp, sealed(fact()))
        await until(lambda: len(seen) == 2)
        assert subscription.idle_though_reachable_for_s() == 0


async def test_a_consumer_ends_when_it_is_told_to_also_while_the_broker_is_away(free_port: int) -> None:
    async def ready() -> None:
        """Nothing is to be waited for."""

    async def take(_: Sequence[object]) -> None:
        raise AssertionError("nothing arrives")

    away = f"amqp://guest:guest@127.0.0.1:{free_port}/"
    for moment in range(40):
        consumer = asyncio.create_task(Subscription(away, "test", "queue", take, batch_size=1, ready=ready).run())
        for _ in range(moment):
            await asyncio.sleep(0)
        consumer.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait([consumer])
        assert consumer.cancelled(), moment
