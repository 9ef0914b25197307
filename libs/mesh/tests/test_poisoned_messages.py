"""Whatever arrives is handled or put aside as it is, and its neighbours arrive promptly."""

import asyncio
import os
import random
from base64 import b64decode
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.broker import EVENTS, dead_queue_of, depth, queue_of
from koppel_mesh.database import Database
from koppel_mesh.messages import DocumentReady, EventData
from koppel_mesh.prepared_sql import Statement

from .raw_amqp import publish_raw, short, strange_properties
from .test_inbox import SERVICE, consuming, put, sealed, until, until_depth

Fact = Callable[..., DocumentReady]
KEY = DocumentReady.type.encode()
PROMPT_S = 10
ROUNDS = 40 * int(os.environ.get("KOPPEL_FUZZ", "1"))
_STORE = Statement("SELECT CAST(:number AS text), CAST(:revision AS integer)")


class Handler:
    """A handler that stores what it is given, as real ones do."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def __call__(self, tx: AsyncConnection, events: Sequence[EventData]) -> None:
        facts = [event for event in events if isinstance(event, DocumentReady)]
        for fact in facts:
            await _STORE.run(tx, {"number": fact.number, "revision": fact.revision})
        self.seen.extend(str(fact.number) for fact in facts)


@pytest.mark.parametrize(
    "properties",
    [
        b"\x00\x80" + short(b"a\0b"),
        b"\x00\x80" + short(b"\xff\xfe"),
        b"\x00\x08" + short(b"\xff"),
        b"\x20\x00\x00\x00\x00\x08\x02\xff\xfeS\x00\x00\x00\x00",
        b"\x00\x40" + b"\xff" * 8,
    ],
    ids=[
        "NUL in message_id",
        "message_id no UTF-8",
        "app_id no UTF-8",
        "header's name no UTF-8",
        "time beyond all years",
    ],
)
async def test_properties_that_are_no_text_stop_nobody(
    database: Database, amqp: str, fact: Fact, properties: bytes
) -> None:
    handler = Handler()
    async with consuming(database, amqp, handler):
        await put(amqp, sealed(fact("F-1")))
        await publish_raw(amqp, EVENTS, KEY, properties, b"no message of ours")
        await publish_raw(amqp, EVENTS, KEY, properties, sealed(fact("F-2")))
        await put(amqp, sealed(fact("F-3")))
        async with asyncio.timeout(PROMPT_S):
            await until(lambda: len(handler.seen) == 3)
            await until_depth(amqp, queue_of(SERVICE), 0)
    assert sorted(handler.seen) == ["F-1", "F-2", "F-3"]
    async with database.reading() as connection:
        [kept] = (await connection.execute(text("SELECT body, headers FROM quarantine"))).all()
    assert kept.body == b"no message of ours"
    assert b64decode(kept.headers["properties"]) == properties


async def test_a_routing_key_that_is_no_text_stops_nobody(database: Database, amqp: str, fact: Fact) -> None:
    copied = b"\x20\x00" + b"\x00\x00\x00\x1e\x02CCA\x00\x00\x00\x16S\x00\x00\x00\x11" + KEY
    handler = Handler()
    async with consuming(database, amqp, handler):
        await publish_raw(amqp, EVENTS, b"\xff\0", copied, b"")
        await publish_raw(amqp, EVENTS, b"\xff\0", copied, sealed(fact("F-1")))
        async with asyncio.timeout(PROMPT_S):
            await until(lambda: handler.seen)
            await until_depth(amqp, queue_of(SERVICE), 0)
    async with database.reading() as connection:
        assert (
            await connection.execute(text("SELECT headers ->> 'routing_key' FROM quarantine"))
        ).scalar() == r"\xff\x00"


async def test_a_value_that_no_column_holds_is_put_aside_at_once(database: Database, amqp: str, fact: Fact) -> None:
    poisoned = [sealed(fact("F\0")), sealed(fact("F-0").model_copy(update={"revision": 2**40}))]
    handler = Handler()
    async with consuming(database, amqp, handler):
        await put(amqp, *poisoned, sealed(fact("F-1")))
        async with asyncio.timeout(PROMPT_S):
            await until(lambda: handler.seen)
            await until_depth(amqp, queue_of(SERVICE), 0)
    async with database.reading() as connection:
        kept = (await connection.execute(text("SELECT body FROM quarantine ORDER BY id"))).scalars().all()
    assert kept == poisoned
    assert await depth(amqp, dead_queue_of(SERVICE)) == 0


async def test_many_refused_messages_do_not_hold_the_good_ones_up(database: Database, amqp: str, fact: Fact) -> None:
    seen: list[str] = []

    async def handle(_: AsyncConnection, events: Sequence[EventData]) -> None:
        numbers = [str(event.number) for event in events if isinstance(event, DocumentReady)]
        if any(number.startswith("bad") for number in numbers):
            raise RuntimeError("refused")
        seen.extend(numbers)

    async with consuming(database, amqp, handle):
        await put(amqp, *(sealed(fact(f"bad-{n}")) for n in range(25)), sealed(fact("good")))
        async with asyncio.timeout(PROMPT_S):
            await until(lambda: seen == ["good"])
        await until_depth(amqp, dead_queue_of(SERVICE), 25)


@pytest.mark.fuzz
async def test_fuzzed_messages_are_handled_or_put_aside(database: Database, amqp: str, fact: Fact) -> None:
    """The broker refuses what it checks itself; whatever it takes is handled or quarantined, and nothing gets lost."""
    chance = random.Random(20261128)
    handler, wanted, put_aside, refused = Handler(), set[str](), 0, 0
    async with consuming(database, amqp, handler):
        for number in range(ROUNDS):
            body, is_good = _body(chance, fact, f"strange-{number}")
            try:
                await publish_raw(amqp, EVENTS, KEY, strange_properties(chance), body)
            except ConnectionError:
                refused += 1
            else:
                put_aside += not is_good
                wanted |= {f"strange-{number}"} if is_good else set()
            await put(amqp, sealed(fact(f"neighbour-{number}")))
            wanted.add(f"neighbour-{number}")
        async with asyncio.timeout(PROMPT_S):
            await until(lambda: len(handler.seen) >= len(wanted))
            await until_quarantined(database, put_aside)
    assert sorted(handler.seen) == sorted(wanted)
    assert refused < ROUNDS / 2
    assert await depth(amqp, dead_queue_of(SERVICE)) == 0


async def until_quarantined(database: Database, wanted: int) -> None:
    found = -1
    while found != wanted:
        await asyncio.sleep(0.05)
        async with database.reading() as connection:
            found = (await connection.execute(text("SELECT count(*) FROM quarantine"))).scalar_one()


def _body(chance: random.Random, fact: Fact, number: str) -> tuple[bytes, bool]:
    good = sealed(fact(number))
    broken = [
        b"",
        chance.randbytes(50),
        good[: chance.randrange(len(good))],
        sealed(fact("F\0")),
        sealed(fact(number).model_copy(update={"revision": 2**40})),
        good.replace(number.encode(), rb"\ud800"),
        b"[" * 100_000,
        b"x" * 300_000,
    ]
    return (good, True) if chance.random() < 0.4 else (chance.choice(broken), False)
