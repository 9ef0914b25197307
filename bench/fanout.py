"""Fan-out: documents per second from POST to booked, over a floor that makes the same durable commits and publishes only."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

import aio_pika
import asyncpg
import httpx2

from koppel_mesh.broker import EVENTS

from .place import Place, dossiers, invoice

WARM_UP = 24
DOCUMENTS = 240
DOSSIERS = 8
AT_ONCE = 16
PROCESSES = 2
"""Of the whole mesh, beside each other."""
PATIENCE_S = 180.0
_OUTBOXES = ("dossier_api", "export_scheduler", "connector_exact")


@dataclass(frozen=True)
class Work:
    """What a run made durable."""

    documents: int
    seconds: float
    commits: int
    publishes: int

    @property
    def per_second(self) -> float:
        """Documents a second."""
        return self.documents / self.seconds


async def measure(at: Place) -> tuple[float, Work, float]:
    """Return the ratio, what the mesh did, and the floor's documents a second."""
    homes = dossiers(at, DOSSIERS)
    await book(at, homes, WARM_UP, "W")
    before = await _counters(at)
    started = time.monotonic()
    await book(at, homes, DOCUMENTS, "F")
    seconds = time.monotonic() - started
    after = await _counters(at)
    work = Work(DOCUMENTS, seconds, after[0] - before[0], after[1] - before[1])
    floor = await _floor(at, work)
    return work.per_second / floor, work, floor


async def book(at: Place, homes: list[str], count: int, prefix: str) -> None:
    """Hand in ``count`` invoices over all dossiers and wait until every one is booked."""
    await _until_booked(at, await hand_in(at, homes, count, prefix))


async def hand_in(at: Place, homes: list[str], count: int, prefix: str) -> list[UUID]:
    """Hand in ``count`` invoices over all dossiers; return their ids."""
    api = at.api()
    headers = {"Authorization": api.authorization, "Content-Type": "application/xml"}
    api.close()
    numbers = iter(range(count))
    documents: list[UUID] = []
    async with httpx2.AsyncClient(base_url=at.url, headers=headers, trust_env=False, timeout=60) as client:

        async def hand_in_some() -> None:
            for number in numbers:
                path = f"/dossier-api/v1/dossiers/{homes[number % len(homes)]}/documents"
                answer = await client.post(path, content=invoice(f"{prefix}-{number:05d}"))
                answer.raise_for_status()
                documents.append(UUID(answer.json()["id"]))

        await asyncio.gather(*(hand_in_some() for _ in range(AT_ONCE)))
    return documents


async def _until_booked(at: Place, documents: list[UUID]) -> None:
    connection = await at.connect()
    try:
        query = "SELECT count(*) FROM dossier_api.document WHERE id = ANY($1) AND state = 'booked'"
        end = time.monotonic() + PATIENCE_S
        while (booked := await connection.fetchval(query, documents)) < len(documents):
            if time.monotonic() > end:
                raise TimeoutError(f"only {booked} of {len(documents)} documents were booked")
            await asyncio.sleep(0.05)
    finally:
        await connection.close()


async def _counters(at: Place) -> tuple[int, int]:
    """Return how many transactions have written, and how many messages the outboxes have held."""
    connection = await at.connect()
    try:
        # PostgreSQL numbers the transactions that write, and only those.
        commits = await connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        publishes = 0
        for schema in _OUTBOXES:
            publishes += await connection.fetchval(f"SELECT last_value FROM {schema}.outbox_seq_seq")
        return int(commits), publishes
    finally:
        await connection.close()


async def _floor(at: Place, work: Work) -> float:
    """Return the documents a second of a program that commits and publishes as often, and does nothing else."""
    pool = await asyncpg.create_pool(at.servers.database_url, min_size=AT_ONCE, max_size=AT_ONCE)
    broker = await aio_pika.connect(at.servers.amqp_url)
    try:
        async with pool.acquire() as connection:
            await connection.execute("CREATE TABLE IF NOT EXISTS bench_floor (id bigserial PRIMARY KEY, body text)")
        channel = await broker.channel(publisher_confirms=True, on_return_raises=True)
        queue = await channel.declare_queue("bench.floor", durable=True, arguments={"x-queue-type": "quorum"})
        exchange = await channel.get_exchange(EVENTS)
        await queue.bind(exchange, routing_key="bench.floor")
        commits, publishes = round(work.commits / work.documents), round(work.publishes / work.documents)
        message = aio_pika.Message(b"x" * 900, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        numbers = iter(range(work.documents))

        async def one_after_the_other() -> None:
            for _ in numbers:
                for _ in range(commits):
                    async with pool.acquire() as connection, connection.transaction():
                        await connection.execute("INSERT INTO bench_floor (body) VALUES ($1)", "x" * 500)
                for _ in range(publishes):
                    await exchange.publish(message, routing_key="bench.floor", mandatory=True, timeout=10)

        started = time.monotonic()
        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
        seconds = time.monotonic() - started
        await queue.delete(if_unused=False, if_empty=False)
        return work.documents / seconds
    finally:
        await broker.close()
        await pool.close()
