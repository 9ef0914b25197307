"""What lies in a dead queue goes again by itself, each message ten times at most, and none gets lost on the way."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import aio_pika
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.broker import dead_queue_of, depth, queue_of
from koppel_mesh.dead_letters import REPLAYS_MAX, replay
from koppel_mesh.messages import DocumentReady, EventData
from koppel_mesh.migrations import MESH
from koppel_mesh.runtime import running
from koppel_mesh.service import Context, Service
from koppel_mesh.settings import MeshSettings

from .raw_amqp import publish_raw, short
from .test_inbox import SERVICE, put, sealed, until, until_depth

Fact = Callable[..., DocumentReady]


async def put_aside(amqp: str, *bodies: bytes, app_id: str | None = None) -> None:
    """Publish to the dead queue itself."""
    async with await aio_pika.connect(amqp) as connection:
        exchange = (await connection.channel()).default_exchange
        for body in bodies:
            await exchange.publish(aio_pika.Message(body, app_id=app_id), routing_key=dead_queue_of(SERVICE))


async def test_what_was_refused_is_handled_once_the_cause_is_over(
    database_url: str, amqp: str, free_port: int, fact: Fact
) -> None:
    is_well = False
    seen: list[str | None] = []

    async def handle(_: Context, __: AsyncConnection, events: Sequence[EventData]) -> None:
        numbers = [event.number for event in events if isinstance(event, DocumentReady)]
        if not is_well and "F-1" in numbers:
            raise RuntimeError("refused")
        seen.extend(numbers)

    service = Service(SERVICE, settings=MeshSettings, lineages=(MESH,), handlers={DocumentReady: handle})
    settings = MeshSettings(database_url=database_url, amqp_url=amqp, port=free_port, dead_repeat_after_s=0.1)
    async with running([service], {SERVICE: settings}) as contexts:
        await put(amqp, sealed(fact("F-1")), sealed(fact("F-2")))
        await until_depth(amqp, dead_queue_of(SERVICE), 1)
        is_well = True

        async def handled() -> None:
            while "F-1" not in seen:
                contexts[SERVICE].wake("dead queue gauge")
                await asyncio.sleep(0.05)

        async with asyncio.timeout(60):
            await handled()
        await until_depth(amqp, dead_queue_of(SERVICE), 0)
    assert seen == ["F-2", "F-1"]


async def test_each_goes_ten_times_at_most(amqp: str, fact: Fact) -> None:
    tired, fresh = sealed(fact("F-1")), sealed(fact("F-2"))
    await put_aside(amqp, tired, app_id=f"replay {REPLAYS_MAX}")
    await put_aside(amqp, fresh, app_id=f"replay {REPLAYS_MAX - 1}")
    for went in (1, 0):
        assert await replay(amqp, SERVICE) == went
        assert (await depth(amqp, dead_queue_of(SERVICE)), await depth(amqp, queue_of(SERVICE))) == (1, 1)
    async with await aio_pika.connect(amqp) as connection:
        queue = await (await connection.channel()).get_queue(queue_of(SERVICE))
        message = await queue.get(timeout=5)
        assert (message.body, message.app_id) == (fresh, f"replay {REPLAYS_MAX}")
        await message.ack()


@pytest.mark.parametrize("properties", [b"\x00\x80" + short(b"\xff" * 200), b"\x00\x40" + b"\xff" * 8, b"\x00\x00"])
async def test_properties_that_are_no_text_go_again_too(amqp: str, fact: Fact, properties: bytes) -> None:
    body = sealed(fact())
    await publish_raw(amqp, "", dead_queue_of(SERVICE).encode(), properties, body)
    await until_depth(amqp, dead_queue_of(SERVICE), 1)
    assert await replay(amqp, SERVICE) == 1
    seen: list[Any] = []
    async with await aio_pika.connect(amqp) as connection:
        queue = await (await connection.channel()).get_queue(queue_of(SERVICE))
        await queue.consume(seen.append, no_ack=True)  # type: ignore[arg-type] # not awaited: it only keeps them
        await until(lambda: seen)
    assert [message.body for message in seen] == [body]
