"""An import that was refused is made once its reason is gone: after a check that is well, or the day after."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest

from koppel_connector import ActionRequired, MasterData, Problem, Purpose, Vendor
from koppel_connector.connection.importing import refresh_master_data
from koppel_connector.service import connector_service
from koppel_connector.testing import Testbed, open_testbed

from .paper_connector import PaperConnector, PaperServiceSettings, PaperSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

ROW = "SELECT state, problem, imported_at, import_due_at, import_failures FROM connection"
A_DAY_LATER = "UPDATE connection SET changed_at = changed_at - interval '25 hours'"


class MayNotRead(PaperConnector):
    """Lacks the right to read the books at first, or the settings that tell of what."""

    def __init__(self) -> None:
        self.lacks_right, self.lacks_settings, self.tries = True, False, 0

    def missing_settings(self, settings: PaperSettings, purpose: Purpose) -> list[str]:
        lacks = purpose == "import" and self.lacks_settings
        return ["journal"] if lacks else super().missing_settings(settings, purpose)

    async def import_master_data(self, vendor: Vendor) -> MasterData:
        self.tries += 1
        if self.lacks_right:
            raise ActionRequired(Problem("forbidden_by_vendor", "crm/Accounts"))
        return await super().import_master_data(vendor)


@pytest.fixture
def connector() -> MayNotRead:
    return MayNotRead()


@pytest.fixture
async def testbed(
    connector: MayNotRead, vendor: PaperVendor, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    service = connector_service(connector, settings=PaperServiceSettings)
    async with open_testbed(service, make_database(service), paper_base_url=vendor.url) as running:
        yield running


async def refused(testbed: Testbed, vendor: PaperVendor) -> UUID:
    """Connect, and have the first import refused; return the connection."""
    async with testbed.owner() as owner:
        body = {"dossier_id": str(testbed.dossier_id), "settings": {"journal": "700"}}
        connection_id = UUID((await owner.post("/v1/connections", json=body)).json()["id"])
    await testbed.consent(connection_id, vendor.allow)

    async def is_refused() -> bool:
        row = await row_of(testbed)
        return row.problem is not None and row.problem["code"] == "forbidden_by_vendor" and row.import_due_at is None

    await testbed.until(is_refused, "the first import is refused")
    return connection_id


async def row_of(testbed: Testbed) -> Any:
    return (await testbed.rows(ROW))[0]


async def until_imported(testbed: Testbed) -> None:
    async def imported() -> bool:
        return (await row_of(testbed)).imported_at is not None

    await testbed.until(imported, "the master data is imported")


async def deliver(testbed: Testbed, harness: PaperHarness) -> None:
    document, files = harness.document(1)
    await testbed.deliver(testbed.ready({**document, "ledger_account": "700000"}, files))


async def test_a_check_that_is_well_has_the_missing_import_made(
    testbed: Testbed, connector: MayNotRead, vendor: PaperVendor, harness: PaperHarness
) -> None:
    connection_id = await refused(testbed, vendor)
    await deliver(testbed, harness)
    await testbed.until_blocked("account_unknown")
    assert connector.tries == 1, "what was refused is not asked again for each document"
    connector.lacks_right = False
    async with testbed.owner() as owner:
        assert (await owner.post(f"/v1/connections/{connection_id}/check")).json()["ok"]
    await testbed.until_state("booked")
    row = await row_of(testbed)
    assert (row.state, row.problem, row.import_due_at, row.import_failures) == ("connected", None, None, 0)


async def test_a_check_that_is_well_has_a_later_import_that_was_refused_made(
    testbed: Testbed, connector: MayNotRead, vendor: PaperVendor
) -> None:
    connector.lacks_right = False
    connection_id = await testbed.connect({"journal": "700"}, vendor.allow)
    connector.lacks_right = True
    await testbed.change("UPDATE connection SET import_due_at = clock_timestamp()")

    async def is_refused() -> bool:
        return (await row_of(testbed)).state == "degraded"

    await testbed.until(is_refused, "the import is refused")
    connector.lacks_right = False
    async with testbed.owner() as owner:
        for _ in range(2):
            assert (await owner.post(f"/v1/connections/{connection_id}/check")).json()["ok"]

            async def is_made() -> bool:
                row = await row_of(testbed)
                return row.import_due_at is None and row.import_failures == 0

            await testbed.until(is_made, "the import is made")
    assert connector.tries == 3, "once, and not again with each check"


async def test_what_was_never_imported_is_after_a_day(
    testbed: Testbed, connector: MayNotRead, vendor: PaperVendor
) -> None:
    await refused(testbed, vendor)
    connector.lacks_right = False
    await testbed.change("UPDATE connection SET state = 'connected', problem = NULL")
    await refresh_master_data(testbed.context)
    assert (await row_of(testbed)).import_due_at is None
    await testbed.change(A_DAY_LATER)
    connector.lacks_settings = True
    await refresh_master_data(testbed.context)
    assert (await row_of(testbed)).import_due_at is None, "nothing tells of what it would be"
    connector.lacks_settings = False
    await refresh_master_data(testbed.context)
    await until_imported(testbed)


async def test_a_document_that_misses_what_was_never_imported_has_it_imported(
    testbed: Testbed, connector: MayNotRead, vendor: PaperVendor, harness: PaperHarness
) -> None:
    await refused(testbed, vendor)
    connector.lacks_right = False
    await testbed.change("UPDATE connection SET state = 'connected', problem = NULL")
    await testbed.change(A_DAY_LATER)
    await deliver(testbed, harness)
    await testbed.until_state("booked")
