"""A message is a row of the transaction that made it true: it leaves when that commits, or never."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal

import pytest
import uvloop
from sqlalchemy import text

from koppel_mesh.broker import Message, Publisher, depth, queue_of
from koppel_mesh.database import Database
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DocumentReady, DossierChanged, ExportRules, ReceiptsPeriodClosed
from koppel_mesh.migrations import MESH
from koppel_mesh.outbox import Relay, backlog, publish
from koppel_mesh.runtime import running
from koppel_mesh.service import Context, Service
from koppel_mesh.settings import MeshSettings

from .conftest import SERVICE

Fact = Callable[..., DocumentReady]


async def waiting(database: Database) -> int:
    async with database.reading() as connection:
        return (await backlog(connection))[0]


async def test_nothing_leaves_when_the_transaction_fails(database: Database, amqp: str, fact: Fact) -> None:
    with pytest.raises(RuntimeError, match="midway"):
        async with database.transaction() as tx:
            await publish(tx, fact())
            raise RuntimeError("midway")
    publisher = Publisher(amqp, "test")
    assert await Relay(database, publisher).run_once() is False
    await publisher.close()
    assert await depth(amqp, queue_of("test-service")) == 0


async def test_a_broker_that_is_away_costs_nothing_but_time(database: Database, amqp: str, fact: Fact) -> None:
    async with database.transaction() as tx:
        await publish(tx, fact(), fact())
    away = Publisher("amqp://guest:guest@127.0.0.1:9/", "test")
    assert await Relay(database, away).run_once() is False
    assert await waiting(database) == 2
    async with database.transaction() as tx:
        row = (await tx.execute(text("SELECT attempts, last_error, next_at > now() AS later FROM outbox"))).first()
        assert row is not None and row.attempts == 1 and row.last_error and row.later
        await tx.execute(text("UPDATE outbox SET next_at = now()"))
    publisher = Publisher(amqp, "test")
    await Relay(database, publisher).run_once()
    await publisher.close()
    assert await waiting(database) == 0
    assert await depth(amqp, queue_of("test-service")) == 2


def test_a_broker_that_hangs_up_at_once_is_away_as_well() -> None:
    """As a proxy does whose broker is stopping; on the loop that services run on, which tells of it in another way."""

    async def publish_to(port: int) -> set[str]:
        publisher = Publisher(f"amqp://guest:guest@127.0.0.1:{port}/", "test")
        outcomes = [await publisher.publish([Message(new_id(), "none", b"")], deadline_s=5) for _ in range(10)]
        return {type(error).__name__ for outcome in outcomes for error in outcome.failed.values()}

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            for _ in range(10):
                listening.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        assert uvloop.run(publish_to(listening.getsockname()[1]))


async def test_a_message_that_only_partners_want_goes_nowhere_where_nobody_listens(
    database: Database, amqp: str
) -> None:
    ids = {name: new_id() for name in ("period_id", "receipt_book_id", "dossier_id", "firm_id")}
    day = date(2026, 3, 31)
    async with database.transaction() as tx:
        await publish(tx, ReceiptsPeriodClosed(**ids, starts_on=day, ends_on=day, number=None, total=Decimal(0)))
    publisher = Publisher(amqp, "test")
    await Relay(database, publisher).run_once()
    await publisher.close()
    assert await waiting(database) == 0


async def test_a_message_no_queue_takes_is_kept(database: Database, amqp: str, fact: Fact) -> None:
    """The broker confirms an unroutable message and drops it; ``mandatory`` makes that a failure."""
    lost = DossierChanged(
        dossier_id=fact().dossier_id,
        firm_id=fact().firm_id,
        name="Bakkerij",
        enterprise_number="0793904121",
        language="nl",
        export=ExportRules(),
    )
    async with database.transaction() as tx:
        await publish(tx, lost, fact())
    publisher = Publisher(amqp, "test")
    await Relay(database, publisher).run_once()
    await publisher.close()
    assert await waiting(database) == 1
    async with database.reading() as connection:
        assert (await connection.execute(text("SELECT type FROM outbox"))).scalar() == DossierChanged.type


async def test_what_the_last_work_of_a_process_tells_leaves_with_it(
    database_url: str, amqp: str, fact: Fact, free_port: int
) -> None:
    @asynccontextmanager
    async def working_until_closed(context: Context) -> AsyncIterator[None]:
        yield
        async with context.database.transaction() as tx:
            await publish(tx, fact())

    service = Service(SERVICE, settings=MeshSettings, lineages=(MESH,), resources=working_until_closed)
    given = {"database_url": database_url, "amqp_url": amqp, "port": free_port}
    async with running([service], {SERVICE: MeshSettings.model_validate(given)}):
        pass
    assert await depth(amqp, queue_of(SERVICE)) == 1


async def test_two_relays_share_the_rows(database: Database, amqp: str, fact: Fact) -> None:
    async with database.transaction() as tx:
        await publish(tx, *(fact(f"F-{n}") for n in range(500)))
    publishers = [Publisher(amqp, "one"), Publisher(amqp, "two")]

    async def send(publisher: Publisher) -> None:
        while await Relay(database, publisher).run_once() or await waiting(database):
            pass

    await asyncio.gather(*(send(publisher) for publisher in publishers))
    for publisher in publishers:
        await publisher.close()
    assert await depth(amqp, queue_of("test-service")) == 500


async def test_a_relay_that_lost_its_broker_leaves_the_rows_to_others(
    database: Database, amqp: str, fact: Fact
) -> None:
    """It fails first with what it has; from then on whatever comes goes through the healthy one, and promptly."""
    gate = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    cut_publisher = Publisher(f"amqp://guest:guest@127.0.0.1:{gate.sockets[0].getsockname()[1]}/", "cut")
    cut, healthy_publisher = Relay(database, cut_publisher), Publisher(amqp, "healthy")
    healthy = Relay(database, healthy_publisher)
    async with database.transaction() as tx:
        await publish(tx, *(fact(f"F-{n}") for n in range(3)))
    await cut.run_once()
    assert not await cut.is_cut_off(), "nobody sends: the broker may be away for everybody"
    async with database.transaction() as tx:
        await publish(tx, *(fact(f"G-{n}") for n in range(25)))
    for _ in range(10):
        await cut.run_once()
        await asyncio.sleep(0.12)
    async with database.reading() as connection:
        tried = (await connection.execute(text("SELECT attempts FROM outbox ORDER BY seq"))).scalars().all()
    assert tried == [1] * 3 + [0] * 25, "who has lost the broker has claimed rows all the same"
    await asyncio.sleep(1)
    while await waiting(database):
        await healthy.run_once()
        await cut.run_once()
    assert await depth(amqp, queue_of("test-service")) == 28
    assert await cut.is_cut_off()
    assert not await healthy.is_cut_off()
    gate.close()
    await healthy_publisher.close()


async def test_a_relay_that_finds_its_broker_again_sends_one_row_first(
    database: Database, amqp: str, fact: Fact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("koppel_mesh.outbox.PROBE_PAUSE_S", 0.0)
    publisher = Publisher("amqp://guest:guest@127.0.0.1:9/", "test")
    relay = Relay(database, publisher)
    async with database.transaction() as tx:
        await publish(tx, *(fact(f"F-{n}") for n in range(5)))
    await relay.run_once()
    async with database.transaction() as tx:
        await tx.execute(text("UPDATE outbox SET next_at = now()"))
    assert await relay.run_once() is False
    publisher._url = amqp
    assert await relay.run_once() is True
    assert await waiting(database) == 4
    await relay.run_once()
    assert await waiting(database) == 0
    assert not await relay.is_cut_off()
    await publisher.close()


async def test_a_process_that_alone_lost_the_broker_is_not_ready(
    database: Database, database_url: str, amqp: str, fact: Fact, free_port: int
) -> None:
    service = Service(SERVICE, settings=MeshSettings, lineages=(MESH,))
    away = {"database_url": database_url, "amqp_url": "amqp://guest:guest@127.0.0.1:9/", "port": free_port}
    async with running([service], {SERVICE: MeshSettings.model_validate(away)}) as contexts:
        health = contexts[SERVICE].health
        async with contexts[SERVICE].database.transaction() as tx:
            await publish(tx, fact())
        await asyncio.sleep(0.5)
        assert await health.ready() == [], "the broker is away for everybody: the outbox keeps what is to be sent"
        publisher = Publisher(amqp, "healthy")
        healthy = Relay(database, publisher)
        while await waiting(database):
            await healthy.run_once()
            await asyncio.sleep(0.1)
        assert "broker" in " ".join(await health.ready())
        await publisher.close()


async def test_commit_with_messages_wakes_the_relay_and_without_does_not(database: Database, fact: Fact) -> None:
    woken: list[bool] = []
    database.on_outbox_commit(lambda: woken.append(True))
    async with database.transaction() as tx:
        await tx.execute(text("SELECT 1"))
    assert woken == []
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            await publish(tx, fact())
            raise RuntimeError
    async with database.transaction() as tx:
        await tx.execute(text("SELECT 1"))
    assert woken == [], "a rolled-back message woke the relay at the next commit"
    async with database.transaction() as tx:
        await publish(tx, fact())
    assert woken == [True]
