"""A consent that returns at the wrong moment."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from koppel_connector.testing import Testbed, open_testbed

from .paper_connector import SERVICE
from .paper_vendor import PaperVendor


@pytest.fixture
async def testbed(vendor: PaperVendor, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as running:
        yield running


async def test_a_consent_that_returns_while_its_connection_is_removed_leaves_no_grant(
    testbed: Testbed, vendor: PaperVendor
) -> None:
    vendor.token_takes_s = 0.5
    async with testbed.owner() as owner:
        body = {"dossier_id": str(testbed.dossier_id), "settings": {"journal": "700"}}
        made = (await owner.post("/v1/connections", json=body)).json()
        query = await vendor.allow(made["authorize_url"])
        returning = asyncio.create_task(owner.get("/oauth/callback", params=query))

        async def under_way() -> bool:
            return ("POST", "/token") in vendor.seen

        await testbed.until(under_way, "the code is being exchanged")
        assert (await owner.delete(f"/v1/connections/{made['id']}")).status_code == 204
        assert (await returning).status_code == 400
        assert (await owner.get(f"/v1/connections/{made['id']}")).json()["state"] == "disconnected"
    assert await testbed.rows("SELECT 1 FROM oauth_token") == []
