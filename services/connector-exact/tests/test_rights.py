"""Rights are asked with each import, and shown with the name of the user who is missing them."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from connector_exact.service import SERVICE
from koppel_connector.testing import Testbed, open_testbed

from .harness import ExactHarness, Sandbox


@pytest.fixture
async def testbed(sandbox: Sandbox, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    settings: dict[str, Any] = sandbox.service_settings()
    async with open_testbed(SERVICE, make_database(SERVICE), **settings) as running:
        yield running


async def warnings(testbed: Testbed) -> list[Any]:
    async with testbed.owner() as owner:
        (shown,) = (await owner.get("/v1/connections")).json()["items"]
    return [each for each in shown["health"]["warnings"] if each["code"] == "rights_missing"]


async def import_again(testbed: Testbed) -> None:
    (before,) = await testbed.rows("SELECT id, imported_at FROM connection")
    async with testbed.owner() as owner:
        assert (await owner.post(f"/v1/connections/{before.id}/import")).status_code == 202

    async def imported() -> bool:
        return bool(await testbed.rows("SELECT 1 FROM connection WHERE imported_at > :at", at=before.imported_at))

    await testbed.until(imported, "the master data is imported again")


async def test_a_right_that_is_missing_is_known_before_a_document_is_refused(
    testbed: Testbed, sandbox: Sandbox
) -> None:
    sandbox.deny("purchaseentry/PurchaseEntries", "POST")
    await ExactHarness(sandbox).connect(testbed)
    (warning,) = await warnings(testbed)
    user = next(iter(sandbox.state.users.values()))
    for sentence in warning["message"].values():
        assert "book purchase entries (POST purchaseentry/PurchaseEntries)" in sentence
        assert user.full_name in sentence or user.name in sentence
    sandbox.allow_everything()
    await import_again(testbed)
    assert await warnings(testbed) == []


async def test_all_rights_are_no_warning_and_five_calls(testbed: Testbed, sandbox: Sandbox) -> None:
    await ExactHarness(sandbox).connect(testbed)
    earlier = len(sandbox.state.log)
    await import_again(testbed)
    asked = [call for call in sandbox.state.log[earlier:] if call.resource == "users/UserHasRights"]
    assert len(asked) == 5
    assert await warnings(testbed) == []
