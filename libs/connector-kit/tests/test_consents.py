"""A consent that returns at the wrong moment, or to somebody else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from koppel_connector.testing import Testbed, begin_consent, open_testbed

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
        query = await vendor.allow(await begin_consent(owner, made["authorize_url"]))
        returning = asyncio.create_task(owner.get("/oauth/callback", params=query))

        async def under_way() -> bool:
            return ("POST", "/token") in vendor.seen

        await testbed.until(under_way, "the code is being exchanged")
        assert (await owner.delete(f"/v1/connections/{made['id']}")).status_code == 204
        assert (await returning).status_code == 400
        assert (await owner.get(f"/v1/connections/{made['id']}")).json()["state"] == "disconnected"
    assert await testbed.rows("SELECT 1 FROM oauth_token") == []


async def made_connection(testbed: Testbed) -> Any:
    async with testbed.owner() as owner:
        body = {"dossier_id": str(testbed.dossier_id), "settings": {"journal": "700"}}
        return (await owner.post("/v1/connections", json=body)).json()


async def state_of(testbed: Testbed) -> str:
    return str((await testbed.rows("SELECT state FROM connection"))[0].state)


async def test_a_consent_that_another_browser_began_is_not_taken(testbed: Testbed, vendor: PaperVendor) -> None:
    made = await made_connection(testbed)
    async with testbed.caller(None) as attacker, testbed.caller(None) as victim:
        vendor_page = await begin_consent(attacker, made["authorize_url"])
        returned = await vendor.allow(vendor_page)
        for victims_cookie in (None, "x" * 43, "x"):
            victim.cookies = {} if victims_cookie is None else {"koppel-browser": victims_cookie}
            refused = await victim.get("/oauth/callback", params=returned)
            assert refused.status_code == 403
            assert "niet in deze browser begonnen" in refused.text
        assert await state_of(testbed) == "authorising"
        assert ("POST", "/token") not in vendor.seen, "nobody's code is exchanged for a stranger's connection"
        assert await testbed.rows("SELECT 1 FROM oauth_state_used") == [], "whoever began it can still finish"
        assert (await attacker.get("/oauth/callback", params=returned)).status_code == 200
    assert await state_of(testbed) == "connected"


async def test_the_address_of_a_consent_is_a_page_of_ours_that_no_other_page_can_use(
    testbed: Testbed, vendor: PaperVendor
) -> None:
    made = await made_connection(testbed)
    assert urlsplit(made["authorize_url"]).path == "/connector-paper/oauth/start"
    async with testbed.caller(None) as browser:
        link = {"link": urlsplit(made["authorize_url"]).query.partition("=")[2]}
        begun = await browser.get("/oauth/start", params=link)
        cookie = begun.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=lax" in cookie
        assert begun.headers["location"].startswith(vendor.url)
        again = await browser.get("/oauth/start", params=link)
        assert again.headers["set-cookie"].split(";")[0] == begun.headers["set-cookie"].split(";")[0], "two tabs"
        state = dict(part.split("=") for part in urlsplit(begun.headers["location"]).query.split("&"))["state"]
        for forged in ("", "x", "é", state):
            assert (await browser.get("/oauth/start", params={"link": forged})).status_code == 400
        assert (await browser.get("/oauth/callback", params={"code": "x", "state": link["link"]})).status_code == 400


async def test_a_machine_without_cookies_finishes_a_consent_with_a_token_of_the_firm(
    testbed: Testbed, vendor: PaperVendor
) -> None:
    made = await made_connection(testbed)
    services = testbed.internal_services
    async with testbed.caller(None) as began:
        returned = await vendor.allow(await begin_consent(began, made["authorize_url"]))
    async with testbed.caller(services.token(uuid4())) as stranger:
        assert (await stranger.get("/oauth/callback", params=returned)).status_code == 403
    async with testbed.caller("not a token") as nobody:
        assert (await nobody.get("/oauth/callback", params=returned)).status_code == 401
    assert await state_of(testbed) == "authorising"
    async with testbed.owner() as machine:
        assert (await machine.get("/oauth/callback", params=returned)).status_code == 200
    assert await state_of(testbed) == "connected"


async def test_in_production_the_cookie_goes_over_tls_only(testbed: Testbed) -> None:
    made = await made_connection(testbed)
    object.__setattr__(testbed.kit.settings, "env", "production")
    async with testbed.caller(None) as browser:
        link = {"link": urlsplit(made["authorize_url"]).query.partition("=")[2]}
        cookie = (await browser.get("/oauth/start", params=link)).headers["set-cookie"]
    assert cookie.startswith("__Host-") and "Secure" in cookie and "Path=/;" in cookie + ";"
