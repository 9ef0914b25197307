"""Killed, stopped and cut-off processes: others go on within seconds, and nothing is sent under a claim that is another's."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from koppel_connector.delivery.owner import Owner, bury_dead
from koppel_connector.testing import Testbed, open_testbed
from koppel_connector.testing.worker import WorkerProcess

from .paper_connector import SERVICE
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

DOCUMENTS = 12
DEAD_AFTER_S = 1.2


@pytest.fixture
async def idle(vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    """A batch of documents ready to go, leases of a minute, and nobody who works yet."""
    async with open_testbed(
        SERVICE,
        make_database(SERVICE),
        start=False,
        paper_base_url=vendor.url,
        lease_s=60,
        claim_batch=DOCUMENTS,
        heartbeat_s=0.2,
        dead_after_s=DEAD_AFTER_S,
    ) as testbed:
        await harness.connect(testbed)
        vendor.books_in_s = 0.2
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(DOCUMENTS)))
        yield testbed


def worker(testbed: Testbed) -> WorkerProcess:
    """Return another process of the same service."""
    return WorkerProcess(f"{Path(__file__).parent}/paper_connector.py:SERVICE", testbed.context.settings)


async def in_mid_batch(testbed: Testbed, vendor: PaperVendor) -> None:
    async def some() -> bool:
        return len(vendor.ledger) >= 2

    await testbed.until(some, "the worker is in the middle of its batch", patience_s=60)


def references(vendor: PaperVendor) -> list[str]:
    return sorted(entry["reference"] for entry in vendor.ledger)


async def test_others_go_on_within_seconds_of_a_kill(idle: Testbed, vendor: PaperVendor) -> None:
    async with worker(idle) as process:
        await in_mid_batch(idle, vendor)
        process.kill()
        await process.wait()
        idle.start()
        rows = await idle.until_state("booked")
    assert references(vendor) == sorted(row.remote_ref for row in rows)


async def test_a_process_that_was_stopped_sends_nothing_once_it_was_declared_dead(
    idle: Testbed, vendor: PaperVendor
) -> None:
    async with worker(idle) as process:
        await in_mid_batch(idle, vendor)
        process.send_signal(signal.SIGSTOP)
        idle.start()
        # Stopped within a transaction it holds rows until PostgreSQL ends its session, 15 s later (koppel_mesh.database).
        rows = await idle.until_state("booked", patience_s=60)
        vendor.books_in_s = 0.0
        process.send_signal(signal.SIGCONT)
        await asyncio.sleep(1)
        assert process.returncode is None, "it lives, and holds its claims for another minute by its own count"
    assert references(vendor) == sorted(row.remote_ref for row in rows)


async def test_a_process_that_cannot_say_that_it_is_alive_sends_nothing(idle: Testbed, vendor: PaperVendor) -> None:
    """It reaches the vendor and the database, and not the row that tells the others."""
    vendor.books_in_s = 0.4
    idle.start()
    await in_mid_batch(idle, vendor)
    async with idle.context.database.transaction() as tx:
        await tx.execute(text("SELECT FROM owner FOR UPDATE"))
        await asyncio.sleep(DEAD_AFTER_S + 1.0)
        sent = len(vendor.seen)
        await asyncio.sleep(1.0)
        assert len(vendor.seen) == sent, "nothing leaves any more"
        assert len(vendor.ledger) < DOCUMENTS
    vendor.books_in_s = 0.0
    rows = await idle.until_state("booked")
    assert references(vendor) == sorted(row.remote_ref for row in rows)


async def test_who_was_declared_dead_goes_on_under_a_new_id_and_knows_its_old_claims_are_void(idle: Testbed) -> None:
    owner = Owner(idle.context.database, 1.0, 60.0)
    await owner.renew()
    first = owner.id
    await owner.renew()
    assert owner.holds(first), "a heartbeat keeps the id"
    await idle.change(
        "UPDATE owner SET renewed_at = clock_timestamp() - interval '61 seconds' WHERE id = :id", id=first
    )
    async with idle.context.database.transaction() as tx:
        assert first in await bury_dead(tx, 60.0)
    await owner.renew()
    assert not owner.holds(first)
    assert owner.holds(owner.id)


async def test_a_claim_is_void_as_soon_as_its_owner_may_have_been_declared_dead(idle: Testbed) -> None:
    owner = Owner(idle.context.database, 0.1, 1.0)
    await owner.renew()
    held = owner.id
    assert owner.holds(held)
    await asyncio.sleep(1.1)
    assert not owner.holds(held)
    await owner.renew()
    assert not owner.holds(held), "nobody had declared it dead, yet somebody could have, and taken its claims"
    assert await idle.rows("SELECT 1 FROM owner WHERE id = :id", id=held) == [], "they are free"


async def test_a_process_that_ends_leaves_no_claim_behind(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    url = make_database(SERVICE)
    async with open_testbed(SERVICE, url, paper_base_url=vendor.url) as testbed:
        assert len(await testbed.rows("SELECT 1 FROM owner")) == 1
    async with open_testbed(SERVICE, url, paper_base_url=vendor.url, start=False) as testbed:
        owners: list[Any] = await testbed.rows("SELECT id FROM owner")
        assert [row.id for row in owners] == [testbed.kit.owner.id]


async def test_a_dead_after_of_less_than_two_heartbeats_is_refused(make_database: Callable[..., str]) -> None:
    with pytest.raises(ValueError, match="KOPPEL_DEAD_AFTER_S is 1: less than two heartbeats of 1 s"):
        async with open_testbed(SERVICE, make_database(SERVICE), heartbeat_s=1.0, dead_after_s=1.0):
            pass
