"""Of two processes one runs an import; when it dies the other does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet

from koppel_connector import MasterData, Vendor
from koppel_connector.connection.import_claims import claim_import
from koppel_connector.connection.importing import serve_imports
from koppel_connector.service import connector_service
from koppel_connector.testing import Testbed, open_testbed

from .paper_connector import PaperConnector, PaperServiceSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

DUE = "UPDATE connection SET import_due_at = clock_timestamp()"


class SlowImport(PaperConnector):
    """Imports when the test lets it, and asks the vendor then."""

    def __init__(self) -> None:
        self.begun, self.allowed = asyncio.Event(), asyncio.Event()
        self.allowed.set()

    async def import_master_data(self, vendor: Vendor) -> MasterData:
        self.begun.set()
        await self.allowed.wait()
        return await super().import_master_data(vendor)


class Two:
    """Two processes of one service, of which the first runs an import."""

    def __init__(self, first: Testbed, second: Testbed, connector: SlowImport) -> None:
        self.first, self.second, self.connector = first, second, connector

    async def until_first_ended(self) -> None:
        async def ended() -> bool:
            return not self.first.kit.importing

        await self.first.until(ended, "the first process is done with the import")

    async def row(self) -> Any:
        query = "SELECT import_due_at, import_owner_id, masters_version, import_failures, state FROM connection"
        return (await self.first.rows(query))[0]


@pytest.fixture
async def two(vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]) -> AsyncIterator[Two]:
    connector = SlowImport()
    service = connector_service(connector, settings=PaperServiceSettings)
    url, keys = make_database(service), Fernet.generate_key().decode()
    settings: dict[str, Any] = {"paper_base_url": vendor.url, "secret_keys": keys, "start": False}
    async with (
        open_testbed(service, url, **settings) as first,
        open_testbed(service, url, migrate=False, **settings) as second,
    ):
        await harness.connect(first)
        second.internal_services.add_dossier(first.dossier_id, first.firm_id)
        connector.allowed.clear()
        connector.begun.clear()
        await first.change(DUE)
        assert await serve_imports(first.context)
        await connector.begun.wait()
        yield Two(first, second, connector)
        connector.allowed.set()


async def test_one_process_runs_an_import_at_a_time(two: Two) -> None:
    (connection,) = await two.first.rows("SELECT id FROM connection")
    assert not await serve_imports(two.second.context)
    assert await claim_import(two.second.kit, probed=connection.id) is None
    assert await claim_import(two.first.kit, probed=connection.id) is None, "nor does the first beside itself"
    before = await two.row()
    two.connector.allowed.set()
    await two.until_first_ended()
    row = await two.row()
    assert (row.import_due_at, row.import_owner_id) == (None, None)
    assert row.masters_version == before.masters_version + 1
    await two.first.change(DUE)
    assert await serve_imports(two.second.context), "whoever comes first runs the next"


async def test_what_a_dead_process_ran_is_run_by_another_and_it_writes_nothing_over_that(two: Two) -> None:
    await two.first.change("DELETE FROM owner WHERE id = :id", id=two.first.kit.owner.id)
    claim = await claim_import(two.second.kit)
    assert claim is not None
    before = await two.row()
    two.connector.allowed.set()
    await two.until_first_ended()
    assert await two.row() == before, "it was declared dead, and takes nothing from the other"


async def test_a_process_that_knows_its_claim_is_void_asks_the_vendor_nothing(two: Two, vendor: PaperVendor) -> None:
    await two.first.change("DELETE FROM owner WHERE id = :id", id=two.first.kit.owner.id)
    await two.first.kit.owner.renew()
    asked = len(vendor.seen)
    two.connector.allowed.set()
    await two.until_first_ended()
    assert len(vendor.seen) == asked


async def test_what_could_not_be_ended_is_run_again_by_the_same_process(two: Two) -> None:
    two.connector.allowed.set()
    await two.until_first_ended()
    await two.first.change(DUE + ", import_owner_id = :id", id=two.first.kit.owner.id)
    assert await claim_import(two.second.kit) is None
    assert await claim_import(two.first.kit) is not None
