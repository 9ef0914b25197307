"""A secret key that is missing is no bug: what needs it waits, names it, and goes on once it is back.

What a key that is there does not open is damaged: that ends with a person, who logs in or enters the secret again, once.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

import pytest
from cryptography.fernet import Fernet

from koppel_connector.connection.maintenance import rotate_keys
from koppel_connector.testing import Fault, Testbed, begin_consent, open_testbed
from koppel_mesh.keyring import KeyRing, key_id_of

from .paper_connector import SERVICE
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor
from .test_notices import exported, send_notice

Start = Callable[..., AbstractAsyncContextManager[Testbed]]
LOST, OTHER = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def start(vendor: PaperVendor, make_database: Callable[..., str]) -> Start:
    """Return what starts the connector on one database, with these keys."""
    database_url = make_database(SERVICE)

    def started(keys: str) -> AbstractAsyncContextManager[Testbed]:
        return open_testbed(SERVICE, database_url, paper_base_url=vendor.url, secret_keys=keys)

    return started


def same_firm(testbed: Testbed, before: Testbed) -> None:
    testbed.firm_id, testbed.dossier_id = before.firm_id, before.dossier_id


def insist_on_naming(problem: Any) -> None:
    assert (problem["code"], problem["who_can_fix"]) == ("secret_key_missing", "operator")
    for language in ("nl", "fr", "en"):
        assert key_id_of(LOST) in problem["message"][language]
        assert key_id_of(OTHER) in problem["message"][language]


@pytest.mark.parametrize("settings", [{"journal": "700"}, {"journal": "700", "pin": "1234"}], ids=["grant", "secret"])
async def test_a_delivery_waits_for_the_key_and_goes_on(
    start: Start, harness: PaperHarness, vendor: PaperVendor, settings: dict[str, str]
) -> None:
    async with start(LOST) as first:
        await first.connect(settings, vendor.allow)
    async with start(OTHER) as without:
        same_firm(without, first)
        await without.deliver(without.ready(*harness.document(1)))
        (row,) = await without.until_state("blocked")
        insist_on_naming(row.problem)
        assert (row.failures, row.attempts) == (0, 0)
        assert not await rotate_keys(without.context)
    async with start(LOST) as again:
        same_firm(again, first)
        again.ready(*harness.document(1))
        (row,) = await again.until_state("booked")
        assert (row.failures, len(vendor.ledger)) == (0, 1)


async def test_a_lookup_waits_for_the_key_and_books_nothing_twice(
    start: Start, harness: PaperHarness, vendor: PaperVendor
) -> None:
    async with start(LOST) as first:
        await first.connect({"journal": "700"}, vendor.allow)
        await harness.fail(Fault.ACTS_THEN_RESETS)
        await first.deliver(first.ready(*harness.document(1)))
        await first.until_state("unknown")
    await harness.repair()
    async with start(OTHER) as without:
        (row,) = await without.until_state("blocked")
        insist_on_naming(row.problem)
    async with start(LOST) as again:
        same_firm(again, first)
        again.ready(*harness.document(1))
        await again.until_state("booked")
    assert len(vendor.ledger) == 1


async def test_settings_can_be_read_and_not_changed_without_the_key(start: Start, vendor: PaperVendor) -> None:
    async with start(LOST) as first:
        connection_id = await first.connect({"journal": "700", "pin": "1234"}, vendor.allow)
        sealed = (await first.rows("SELECT secrets FROM connection"))[0].secrets
    async with start(OTHER) as without:
        same_firm(without, first)
        async with without.owner() as owner:
            path = f"/v1/connections/{connection_id}"
            health = (await owner.get(path)).json()["health"]
            insist_on_naming(health["problem"])
            assert health["can_send"] is False
            assert (await owner.get("/v1/connections")).status_code == 200
            refused = await owner.patch(path, json={"settings": {"journal": "701"}})
            assert refused.status_code == 409
            assert refused.json()["code"] == "secret_key_missing"
        assert (await without.rows("SELECT secrets FROM connection"))[0].secrets == sealed


async def test_the_health_of_a_connection_names_the_missing_key_of_its_grant(start: Start, vendor: PaperVendor) -> None:
    async with start(LOST) as first:
        connection_id = await first.connect({"journal": "700"}, vendor.allow)
    async with start(OTHER) as without, without.caller(without.internal_services.token(first.firm_id)) as owner:
        one = (await owner.get(f"/v1/connections/{connection_id}")).json()
        (listed,) = (await owner.get("/v1/connections")).json()["items"]
        for view in (one, listed):
            assert view["state"] == "connected"
            assert view["health"]["can_send"] is False
            insist_on_naming(view["health"]["problem"])
        # Nothing of the settings is under that key.
        changed = await owner.patch(f"/v1/connections/{connection_id}", json={"settings": {"journal": "701"}})
        assert changed.status_code == 200, changed.text
    async with start(f"{OTHER},{LOST}") as again, again.caller(again.internal_services.token(first.firm_id)) as owner:
        health = (await owner.get(f"/v1/connections/{connection_id}")).json()["health"]
        assert (health["can_send"], health["problem"]) == (True, None)


async def test_a_read_back_waits_for_the_key(start: Start, harness: PaperHarness, vendor: PaperVendor) -> None:
    vendor.booked_at_once = False
    async with start(LOST) as first:
        await first.connect({"journal": "700"}, vendor.allow)
        await first.deliver(first.ready(*harness.document(1)))
        await first.until_state("exported")
    book_all(vendor)
    asked = len(vendor.seen)
    async with start(OTHER) as without:
        same_firm(without, first)
        await without.change("UPDATE delivery SET due_at = clock_timestamp(), lookups = 0")
        await asyncio.sleep(1.0)
        (row,) = await without.deliveries()
        assert (row.state, row.lookups, row.problem) == ("exported", 0, None)
        assert len(vendor.seen) == asked
    async with start(LOST) as again:
        same_firm(again, first)
        await again.until_state("booked")


@pytest.mark.parametrize("settings", [{"journal": "700"}, {"journal": "700", "pin": "1234"}], ids=["grant", "secret"])
async def test_a_question_to_the_vendor_is_answered_503_without_the_key(
    start: Start, vendor: PaperVendor, settings: dict[str, str]
) -> None:
    async with start(LOST) as first:
        connection_id = await first.connect(settings, vendor.allow)
    asked = len(vendor.seen)
    async with start(OTHER) as without, without.caller(without.internal_services.token(first.firm_id)) as owner:
        path = f"/v1/connections/{connection_id}"
        for answer in (await owner.post(f"{path}/import"), await owner.get(f"{path}/remote-dossiers")):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
            insist_on_naming(answer.json())
        (step,) = (await owner.post(f"{path}/check")).json()["steps"]
        assert step["ok"] is False
        insist_on_naming(step["problem"])
        assert len(vendor.seen) == asked


async def test_an_import_that_was_wanted_waits_for_the_key(start: Start, vendor: PaperVendor) -> None:
    async with start(LOST) as first:
        await first.connect({"journal": "700"}, vendor.allow)
    async with start(OTHER) as without:
        before = (await without.rows("SELECT imported_at FROM connection"))[0].imported_at
        await without.change("UPDATE connection SET import_due_at = clock_timestamp()")
        await asyncio.sleep(1.0)
        (row,) = await without.rows(
            "SELECT state, problem, imported_at, import_due_at IS NOT NULL AS wanted FROM connection"
        )
        assert (row.state, row.problem, row.imported_at, row.wanted) == ("connected", None, before, True)
    async with start(LOST) as again:

        async def imported() -> bool:
            return (await again.rows("SELECT imported_at FROM connection"))[0].imported_at > before

        await again.until(imported, "the import went on")


async def test_a_notice_is_answered_503_without_the_key_and_taken_with_it(start: Start, vendor: PaperVendor) -> None:
    content = {"id": "n1", "event": "accounts", "company": "any"}
    async with start(LOST) as first:
        connection_id = await first.connect({"journal": "700", "pin": "1234"}, vendor.allow)
    async with start(OTHER) as without:
        refused = await send_notice(without, content, address=connection_id, secret="1234")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
        insist_on_naming(refused.json())
        assert await without.rows("SELECT 1 FROM notice") == []
    async with start(LOST) as again:
        taken = await send_notice(again, content, address=connection_id, secret="1234")
        assert taken.status_code == 202, taken.text


async def test_a_consent_is_not_spent_without_the_key(start: Start, vendor: PaperVendor) -> None:
    async with start(f"{OTHER},{LOST}") as first:
        async with first.owner() as owner:
            body = {"dossier_id": str(first.dossier_id), "settings": {"journal": "700", "pin": "1234"}}
            made = (await owner.post("/v1/connections", json=body)).json()
        await first.change("UPDATE connection SET secrets = :sealed, key_id = :key_id", **sealed_with(LOST, made["id"]))
        async with first.caller(None) as browser:
            returned = await vendor.allow(await begin_consent(browser, made["authorize_url"]))
            cookies = dict(browser.cookies)
    async with start(OTHER) as without, without.caller(None) as browser:
        browser.cookies.update(cookies)
        page = await browser.get("/oauth/callback", params=returned)
        assert page.status_code == 503
        assert await without.rows("SELECT 1 FROM oauth_state_used") == []
    async with start(f"{OTHER},{LOST}") as again, again.caller(None) as browser:
        browser.cookies.update(cookies)
        assert (await browser.get("/oauth/callback", params=returned)).status_code == 200
        assert (await again.rows("SELECT state FROM connection"))[0].state == "connected"


def book_all(vendor: PaperVendor) -> None:
    for entry in vendor.ledger:
        entry["booked"] = True


def sealed_with(key: str, connection_id: str) -> dict[str, Any]:
    return {"sealed": KeyRing([key]).seal(UUID(connection_id), {"pin": "1234"}), "key_id": key_id_of(key)}


async def test_a_consent_under_a_lost_key_is_no_valid_one(start: Start, vendor: PaperVendor) -> None:
    async with start(LOST) as first, first.owner() as owner:
        body = {"dossier_id": str(first.dossier_id), "settings": {"journal": "700"}}
        made = (await owner.post("/v1/connections", json=body)).json()
        returned = await vendor.allow(await begin_consent(owner, made["authorize_url"]))
    async with start(OTHER) as without, without.caller(without.internal_services.token(first.firm_id)) as owner:
        assert (await owner.get("/oauth/callback", params=returned)).status_code == 400
        again = (await owner.get(f"/v1/connections/{made['id']}")).json()["authorize_url"]
        assert (
            await owner.get("/oauth/callback", params=await vendor.allow(await begin_consent(owner, again)))
        ).status_code == 200


async def test_a_damaged_grant_asks_once_for_a_new_login(
    start: Start, harness: PaperHarness, vendor: PaperVendor
) -> None:
    async with start(LOST) as testbed:
        connection_id = await testbed.connect({"journal": "700"}, vendor.allow)
        await testbed.change("UPDATE oauth_token SET ciphertext = substr(ciphertext, 1, 40)")
        assert testbed.kit.vault is not None
        testbed.kit.vault.forget(connection_id)
        await testbed.deliver(testbed.ready(*harness.document(1)))
        await testbed.until_state("blocked")
        await insist_on_rest(testbed, "grant_damaged")
        async with testbed.owner() as owner:
            view = (await owner.get(f"/v1/connections/{connection_id}")).json()
        assert view["state"] == "reauthorise"
        assert (view["health"]["problem"]["code"], view["health"]["problem"]["who_can_fix"]) == (
            "grant_damaged",
            "accountant",
        )
        await testbed.consent(connection_id, vendor.allow)
        await testbed.until_state("booked")
    assert len(vendor.ledger) == 1


async def test_damaged_secrets_ask_once_to_be_entered_again(
    start: Start, harness: PaperHarness, vendor: PaperVendor
) -> None:
    async with start(LOST) as testbed, testbed.owner() as owner:
        connection_id = await testbed.connect({"journal": "700", "pin": "1234"}, vendor.allow)
        await testbed.change("UPDATE connection SET secrets = substr(secrets, 1, 40)")
        asked = len(vendor.seen)
        await testbed.deliver(testbed.ready(*harness.document(1)))
        await testbed.until_state("blocked")
        await insist_on_rest(testbed, "secrets_damaged")
        assert len(vendor.seen) == asked
        path = f"/v1/connections/{connection_id}"
        health = (await owner.get(path)).json()["health"]
        assert (health["can_send"], health["problem"]["code"]) == (False, "secrets_damaged")
        wanted = await owner.post(f"{path}/import")
        assert (wanted.status_code, wanted.json()["code"]) == (409, "secrets_damaged")
        lost = await owner.patch(path, json={"settings": {"journal": "701"}})
        assert (lost.status_code, lost.json()["code"]) == (409, "secrets_damaged")
        assert "pin" in lost.json()["detail"]
        mended = await owner.patch(path, json={"settings": {"pin": "1234"}})
        assert mended.status_code == 200, mended.text
        await testbed.until_state("booked")
    assert len(vendor.ledger) == 1


async def insist_on_rest(testbed: Testbed, code: str) -> None:
    """Insist that every delivery is blocked by that problem, and that nothing moves it."""
    before = [(row.id, row.version, row.problem["code"]) for row in await testbed.deliveries()]
    assert {problem for _, _, problem in before} == {code}
    await asyncio.sleep(1.0)
    assert [(row.id, row.version, row.problem["code"]) for row in await testbed.deliveries()] == before


async def test_a_read_back_with_damaged_secrets_asks_the_vendor_nothing(
    start: Start, harness: PaperHarness, vendor: PaperVendor
) -> None:
    async with start(LOST) as testbed, testbed.owner() as owner:
        connection_id = await testbed.connect({"journal": "700", "pin": "1234"}, vendor.allow)
        await exported(testbed, harness, vendor)
        book_all(vendor)
        await testbed.change("UPDATE connection SET secrets = substr(secrets, 1, 40)")
        await testbed.change("UPDATE delivery SET due_at = clock_timestamp()")

        async def degraded() -> bool:
            return bool(await testbed.rows("SELECT 1 FROM connection WHERE state = 'degraded'"))

        await testbed.until(degraded, "the connection says what is wrong")
        asked = len(vendor.seen)
        await testbed.change("UPDATE delivery SET due_at = clock_timestamp()")
        await asyncio.sleep(0.5)
        assert len(vendor.seen) == asked
        assert (await testbed.deliveries())[0].state == "exported"
        path = f"/v1/connections/{connection_id}"
        assert (await owner.get(path)).json()["health"]["problem"]["code"] == "secrets_damaged"
        assert (await owner.patch(path, json={"settings": {"pin": "1234"}})).status_code == 200
        await testbed.change("UPDATE delivery SET due_at = clock_timestamp()")
        await testbed.until_state("booked")


async def test_what_is_damaged_does_not_keep_the_rest_from_a_new_key(start: Start, vendor: PaperVendor) -> None:
    async with start(LOST) as first:
        damaged = await first.connect({"journal": "700", "pin": "1234"}, vendor.allow)
        whole = await first.connect({"journal": "700", "pin": "5678"}, vendor.allow)
        for table, column, key in (("connection", "secrets", "id"), ("oauth_token", "ciphertext", "connection_id")):
            await first.change(f"UPDATE {table} SET {column} = substr({column}, 1, 40) WHERE {key} = :id", id=damaged)
    async with start(f"{OTHER},{LOST}") as both:
        assert not await rotate_keys(both.context)
        under = "SELECT key_id FROM connection UNION SELECT key_id FROM oauth_token"
        assert [row.key_id for row in await both.rows(under)] == [key_id_of(OTHER)]
    async with start(OTHER) as after, after.caller(after.internal_services.token(first.firm_id)) as owner:
        assert (await owner.get(f"/v1/connections/{whole}")).json()["health"]["problem"] is None
        health = (await owner.get(f"/v1/connections/{damaged}")).json()["health"]
        assert health["problem"]["code"] == "secrets_damaged"
