"""The company behind a division, told with its numbers, whatever the user may see of it (exact §3.2)."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from connector_exact.service import SERVICE
from koppel_connector.contract import RemoteCompany
from koppel_connector.testing import DOSSIER_NAME, DOSSIER_NUMBER, Testbed, open_testbed, sample
from koppel_sandbox.exact.seed import BAKERY, STUDIO

from .direct_vendor import CONNECTOR, allow
from .harness import SETTINGS, Sandbox

STUDIOS_NUMBER = "BE0836836222"


@pytest.fixture
async def testbed(sandbox: Sandbox, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    settings: dict[str, Any] = sandbox.service_settings()
    async with open_testbed(SERVICE, make_database(SERVICE), **settings) as running:
        yield running


async def test_a_division_tells_its_company_with_both_numbers(sandbox: Sandbox) -> None:
    vendor = await sandbox.vendor()
    company = await CONNECTOR.remote_company(vendor)
    assert company == RemoteCompany(DOSSIER_NAME, (f"BE{DOSSIER_NUMBER}", DOSSIER_NUMBER))
    assert [call.operation for call in vendor.calls] == ["system/Divisions"]


async def test_where_one_resource_is_refused_the_other_tells(sandbox: Sandbox) -> None:
    sandbox.deny("system/Divisions", "GET")
    vendor = await sandbox.vendor()
    assert await CONNECTOR.remote_company(vendor) == RemoteCompany(DOSSIER_NAME, (f"BE{DOSSIER_NUMBER}",))


async def test_another_division_of_the_login_takes_nothing_until_somebody_confirms_it(
    testbed: Testbed, sandbox: Sandbox
) -> None:
    connection_id = await testbed.connect(SETTINGS, allow)
    async with testbed.owner() as owner:
        path = f"/v1/connections/{connection_id}"
        moved = await owner.patch(path, json={"settings": {"division": STUDIO}})
        assert moved.json()["company"]["compared_at"] is None, "what Exact told was of another division"
        await testbed.deliver(testbed.ready(*sample(1)))
        (row,) = await testbed.until_blocked("other_company")
        assert STUDIOS_NUMBER in row.problem["message"]["nl"]
        assert sandbox.entries() == []
        back = await owner.patch(path, json={"settings": {"division": BAKERY}})
        assert back.status_code == 200
    await testbed.until_state("booked")
    assert len(sandbox.entries()) == 1
