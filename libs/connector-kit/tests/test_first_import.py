"""What is handed in right after the consent waits for the import that runs; nobody is told to start one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from koppel_connector import MasterData, Vendor
from koppel_connector.contract import RetryLater
from koppel_connector.service import connector_service
from koppel_connector.testing import Testbed, open_testbed

from .paper_connector import PaperConnector, PaperServiceSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

Opens = Callable[[PaperConnector], AbstractAsyncContextManager[Testbed]]
DUE_LATER = "SELECT 1 FROM connection WHERE imported_at IS NULL AND import_due_at > clock_timestamp()"


class SlowImport(PaperConnector):
    """Imports when the test lets it."""

    def __init__(self) -> None:
        self.begun, self.allowed = asyncio.Event(), asyncio.Event()
        self.fails = False

    async def import_master_data(self, vendor: Vendor) -> MasterData:
        self.begun.set()
        await self.allowed.wait()
        if self.fails:
            raise RetryLater
        return await super().import_master_data(vendor)


@pytest.fixture
def opens(vendor: PaperVendor, make_database: Callable[..., str]) -> Opens:
    @asynccontextmanager
    async def opened(connector: PaperConnector) -> AsyncIterator[Testbed]:
        service = connector_service(connector, settings=PaperServiceSettings)
        database_url = make_database(service)
        async with open_testbed(service, database_url, paper_base_url=vendor.url, pause_first_s=0.3) as testbed:
            yield testbed

    return opened


@pytest.fixture
def connector() -> SlowImport:
    return SlowImport()


async def hand_in_after_consent(testbed: Testbed, harness: PaperHarness) -> None:
    """Give the consent, and hand a document in that wants an account of the books before they are imported."""
    connecting = asyncio.create_task(harness.connect(testbed))
    connecting.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def consented() -> bool:
        return bool(await testbed.rows("SELECT 1 FROM connection WHERE state = 'connected'"))

    await testbed.until(consented, "the consent is given")
    document, files = harness.document(1)
    await testbed.deliver(testbed.ready({**document, "ledger_account": "700000"}, files))


async def test_it_waits_for_the_import_without_a_problem(
    connector: SlowImport, harness: PaperHarness, opens: Opens
) -> None:
    async with opens(connector) as testbed:
        await hand_in_after_consent(testbed, harness)
        await connector.begun.wait()
        await asyncio.sleep(1.0)  # five turns of a loop that would take it
        (waiting,) = await testbed.deliveries()
        assert (waiting.state, waiting.problem, waiting.attempts) == ("ready", None, 0)
        connector.allowed.set()
        (booked,) = await testbed.until_state("booked")
        assert booked.attempts == 1


async def test_it_does_not_wait_for_an_import_that_failed(
    connector: SlowImport, harness: PaperHarness, opens: Opens
) -> None:
    connector.fails = True
    connector.allowed.set()
    async with opens(connector) as testbed:
        await hand_in_after_consent(testbed, harness)
        await testbed.until_blocked("account_unknown")
        connector.fails = False
        await testbed.change("UPDATE connection SET import_due_at = clock_timestamp()")
        await testbed.until_state("booked")


async def until_due_later(testbed: Testbed) -> None:
    async def is_due_later() -> bool:
        return bool(await testbed.rows(DUE_LATER))

    await testbed.until(is_due_later, "the import failed")


async def test_the_import_itself_finds_that_a_vendor_is_back(
    connector: SlowImport, harness: PaperHarness, vendor: PaperVendor, opens: Opens
) -> None:
    async with opens(connector) as testbed:
        await hand_in_after_consent(testbed, harness)
        await connector.begun.wait()
        vendor.outage = "503"
        connector.allowed.set()
        await until_due_later(testbed)
        vendor.outage = None
        await testbed.change("UPDATE connection SET import_due_at = clock_timestamp()")
        await testbed.until_state("booked")
        assert await testbed.rows("SELECT 1 FROM connection WHERE away_since IS NULL AND imported_at IS NOT NULL")


async def test_an_import_that_fails_keeps_no_document_from_finding_the_vendor_well(
    harness: PaperHarness, vendor: PaperVendor, opens: Opens
) -> None:
    async with opens(PaperConnector()) as testbed:
        await harness.connect(testbed)
        vendor.accounts_are_ill = True
        before = [path for _, path in vendor.seen].count("/accounts")
        await testbed.change("UPDATE connection SET import_due_at = clock_timestamp()")

        async def is_away() -> bool:
            return bool(await testbed.rows("SELECT 1 FROM connection WHERE away_since IS NOT NULL"))

        await testbed.until(is_away, "the ill list opens the breaker")
        await testbed.deliver(testbed.ready(*harness.document(1)))
        await testbed.until_state("booked", patience_s=12.0)  # before the import is tried again
        assert [path for _, path in vendor.seen].count("/accounts") == before + 1
