"""A connection that is lost or closed while somebody waits for it ends nobody, and is no reason to restart a process."""

import asyncio
from collections.abc import Callable, Sequence

import aio_pika
import pytest

from koppel_mesh.broker import Message, Publisher, Subscription, dead_queue_of, declare_topology, queue_of
from koppel_mesh.cancellation import only_own_cancellation
from koppel_mesh.database import Database
from koppel_mesh.ids import new_id
from koppel_mesh.inbox import Inbox
from koppel_mesh.messages import DocumentReady, EventData
from koppel_mesh.runtime import running
from koppel_mesh.service import Context, Loop, Service
from koppel_mesh.settings import MeshSettings

from .conftest import SERVICE
from .forwarding import Forwarding
from .test_inbox import put, sealed, until

Fact = Callable[..., DocumentReady]


async def take_nothing(_: Sequence[object]) -> None:
    raise AssertionError("nothing arrives")


async def test_a_depth_that_is_asked_for_while_the_consumer_closes_its_connection_is_not_known(
    database: Database, amqp: str
) -> None:
    async with Forwarding(amqp) as way:
        subscription = Subscription(
            way.address, "test", queue_of(SERVICE), take_nothing, batch_size=1, ready=database.ping
        )
        consuming = asyncio.create_task(subscription.run())
        async with asyncio.timeout(30):
            while await subscription.depth_of(dead_queue_of(SERVICE)) is None:
                await asyncio.sleep(0.02)
        way.hold()
        asked = asyncio.create_task(subscription.depth_of(dead_queue_of(SERVICE)))
        await asyncio.sleep(0.1)
        consuming.cancel()
        await asyncio.wait([consuming, asked], timeout=8)
        assert consuming.cancelled()
        assert not asked.cancelled() and asked.result() is None


async def test_what_is_published_while_another_task_closes_the_connection_is_not_confirmed(amqp: str) -> None:
    async with Forwarding(amqp) as way:
        publisher = Publisher(way.address, "test")
        assert await publisher.can_reach(deadline_s=10)
        way.hold()
        message = Message(new_id(), DocumentReady.type, b"")
        publishing = asyncio.create_task(publisher.publish([message], deadline_s=8))
        await asyncio.sleep(0.1)
        await publisher.close()
        async with asyncio.timeout(5):
            outcome = await publishing
        assert outcome.lost_the_broker
        assert isinstance(outcome.failed[message.id], Exception)


async def test_a_loop_goes_on_after_a_cancellation_that_was_not_its_own(
    database_url: str, amqp: str, free_port: int
) -> None:
    turns = 0

    async def stumble(_: Context) -> bool:
        nonlocal turns
        turns += 1
        raise asyncio.CancelledError

    service = Service(SERVICE, settings=MeshSettings, loops=(Loop("stumbling", stumble, 0.05),))
    settings = MeshSettings(database_url=database_url, amqp_url=amqp, port=free_port)
    async with running([service], {SERVICE: settings}), asyncio.timeout(15):
        while turns < 2:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("raised", [asyncio.CancelledError, ConnectionError])
async def test_who_is_cancelled_ends_as_cancelled_whatever_is_raised_then(raised: type[BaseException]) -> None:
    async def wait() -> None:
        with only_own_cancellation():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise raised from None

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()


async def test_a_database_that_is_away_is_no_reason_to_restart(database_url: str, amqp: str, fact: Fact) -> None:
    """Neither while it is away nor when it is back: what counts is how long nothing consumes although both are there."""
    handled: list[EventData] = []

    async def handle(_: object, events: Sequence[EventData]) -> None:
        handled.extend(events)

    async with Forwarding(database_url) as way:
        database = Database(way.address, SERVICE)
        inbox = Inbox(database, {DocumentReady: handle})
        subscription = Subscription(amqp, "test", queue_of(SERVICE), inbox.take, batch_size=10, ready=database.ping)
        consuming = asyncio.create_task(subscription.run())
        await put(amqp, sealed(fact()))
        await until(lambda: handled)
        await way.cut()
        await put(amqp, sealed(fact()))
        away_until = asyncio.get_running_loop().time() + 3
        while asyncio.get_running_loop().time() < away_until:
            assert subscription.idle_though_reachable_for_s() == 0
            await asyncio.sleep(0.05)
        async with await aio_pika.connect(amqp) as connection:
            await (await connection.channel()).queue_delete(queue_of(SERVICE))
        await way.open()
        await until(lambda: subscription.idle_though_reachable_for_s() > 0)
        assert subscription.idle_though_reachable_for_s() < 2
        await declare_topology(amqp, {SERVICE: [DocumentReady.type]})
        await put(amqp, sealed(fact()))
        await until(lambda: len(handled) > 1)
        assert subscription.idle_though_reachable_for_s() == 0
        consuming.cancel()
        await asyncio.gather(consuming, return_exceptions=True)
        await database.close()
