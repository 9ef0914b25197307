"""Master data is brought again when it is old, and when a document ends in a problem that may come of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from koppel_connector import ActionRequired, DeliveryContext, MasterData, Vendor
from koppel_connector.connection.importing import refresh_master_data
from koppel_connector.service import connector_service
from koppel_connector.testing import Testbed, open_testbed

from .paper_connector import SERVICE, PaperConnector, PaperServiceSettings, PaperSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

NEW_ACCOUNT = {"id": "a2", "code": "700100", "name": "Verkopen export"}


@pytest.fixture
async def testbed(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    async with open_testbed(
        SERVICE, make_database(SERVICE), paper_base_url=vendor.url, master_data_pause_s=0.0
    ) as running:
        await harness.connect(running)
        yield running


def imports(vendor: PaperVendor) -> int:
    return [path for _, path in vendor.seen].count("/accounts")


async def test_what_is_old_is_imported_again(testbed: Testbed, vendor: PaperVendor) -> None:
    await refresh_master_data(testbed.context)
    assert await testbed.rows("SELECT 1 FROM connection WHERE import_due_at IS NOT NULL") == []
    await testbed.change("UPDATE connection SET imported_at = imported_at - interval '25 hours'")
    before = imports(vendor)
    await refresh_master_data(testbed.context)

    async def fresh() -> bool:
        query = "SELECT 1 FROM connection WHERE imported_at > now() - interval '1 hour' AND import_due_at IS NULL"
        return bool(await testbed.rows(query))

    await testbed.until(fresh, "the master data is imported again")
    assert imports(vendor) == before + 1


async def test_what_does_not_work_is_not_knocked_at_every_day(testbed: Testbed) -> None:
    await testbed.change("UPDATE connection SET state = 'degraded', imported_at = imported_at - interval '25 hours'")
    await refresh_master_data(testbed.context)
    assert await testbed.rows("SELECT 1 FROM connection WHERE import_due_at IS NOT NULL") == []


async def test_a_document_whose_account_is_new_at_the_vendor_is_booked(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    vendor.accounts.append(NEW_ACCOUNT)
    document, files = harness.document(1)
    await testbed.deliver(testbed.ready({**document, "ledger_account": "700100"}, files))
    await testbed.until_state("booked")


async def test_an_account_that_is_nowhere_costs_one_import(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    before = imports(vendor)
    document, files = harness.document(1)
    await testbed.deliver(testbed.ready({**document, "ledger_account": "799999"}, files))

    async def blocked_again() -> bool:
        rows = await testbed.rows(
            "SELECT 1 FROM delivery d JOIN connection c ON c.id = d.connection_id WHERE d.state = 'blocked'"
            " AND d.changed_at > c.unblocked_at AND c.imported_at > d.created_at AND c.import_due_at IS NULL"
        )
        return bool(rows)

    await testbed.until(blocked_again, "it was tried with what was imported anew")
    assert imports(vendor) == before + 1


class SlowPaper(PaperConnector):
    """Decides by the master data it read, and takes its time to say so."""

    def __init__(self) -> None:
        self.read, self.answer = asyncio.Event(), asyncio.Event()

    async def prepare(self, context: DeliveryContext[PaperSettings]) -> dict[str, Any]:
        try:
            return await super().prepare(context)
        except ActionRequired:
            self.read.set()
            await self.answer.wait()
            raise


async def test_an_import_that_ends_during_an_attempt_is_not_missed_by_it(
    harness: PaperHarness, vendor: PaperVendor, make_database: Callable[..., str]
) -> None:
    connector = SlowPaper()
    service = connector_service(connector, settings=PaperServiceSettings)
    async with open_testbed(service, make_database(service), paper_base_url=vendor.url) as testbed:
        connection_id = await harness.connect(testbed)
        document, files = harness.document(1)
        await testbed.deliver(testbed.ready({**document, "ledger_account": "700100"}, files))
        await connector.read.wait()
        vendor.accounts.append(NEW_ACCOUNT)
        async with testbed.owner() as owner:
            assert (await owner.post(f"/v1/connections/{connection_id}/import")).status_code == 202

        async def imported() -> bool:
            return bool(await testbed.rows("SELECT 1 FROM master WHERE code = '700100'"))

        await testbed.until(imported, "the new account is imported")
        connector.answer.set()
        await testbed.until_state("booked")


class SlowImport(PaperConnector):
    """Reads the settings, and takes its time to import by them."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.journals: list[str | None] = []

    async def import_master_data(self, vendor: Vendor[PaperSettings]) -> MasterData:
        self.journals.append(vendor.settings.journal)
        self.begun.set()
        await self.go_on.wait()
        return await super().import_master_data(vendor)


async def test_settings_that_change_during_an_import_are_imported_by_once_more(
    harness: PaperHarness, vendor: PaperVendor, make_database: Callable[[], str]
) -> None:
    connector = SlowImport()
    service = connector_service(connector, settings=PaperServiceSettings)
    async with open_testbed(service, make_database(), paper_base_url=vendor.url) as testbed:
        connecting = asyncio.create_task(harness.connect(testbed))
        await connector.begun.wait()
        (row,) = await testbed.rows("SELECT id FROM connection")
        async with testbed.owner() as owner:
            changed = await owner.patch(f"/v1/connections/{row.id}", json={"settings": {"journal": "701"}})
            assert changed.status_code == 200
        connector.go_on.set()
        await connecting

        async def imported_again() -> bool:
            return connector.journals == ["700", "701"]

        await testbed.until(imported_again, "the new settings are imported by")
