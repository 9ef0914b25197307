"""The HTTP surface of contract §7: real requests, real tokens, and nobody sees another firm's rows."""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx2
import pytest

from koppel_connector.testing import Testbed, begin_consent
from koppel_mesh.ids import new_id

from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor


async def make(client: httpx2.AsyncClient, testbed: Testbed, **settings: object) -> dict[str, Any]:
    body = {"dossier_id": str(testbed.dossier_id), "settings": {"journal": "700", **settings}}
    answer = await client.post("/v1/connections", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def consent(client: httpx2.AsyncClient, vendor: PaperVendor, made: dict[str, Any]) -> httpx2.Response:
    vendor_page = await begin_consent(client, made["authorize_url"])
    return await client.get("/oauth/callback", params=await vendor.allow(vendor_page))


async def let_access_token_expire(testbed: Testbed, made: dict[str, Any]) -> None:
    async def is_imported() -> bool:
        return bool(
            await testbed.rows("SELECT id FROM connection WHERE import_due_at IS NULL AND imported_at IS NOT NULL")
        )

    await testbed.until(is_imported, "the import that follows a consent is over: it would renew the token itself")
    await testbed.change(
        "UPDATE oauth_token SET obtained_at = obtained_at - interval '1 hour',"
        " access_expires_at = access_expires_at - interval '1 hour'"
    )
    assert testbed.kit.vault is not None
    testbed.kit.vault.forget(UUID(made["id"]))


async def test_a_connection_from_consent_to_sync_log(
    client: httpx2.AsyncClient, testbed: Testbed, vendor: PaperVendor, harness: PaperHarness
) -> None:
    made = await make(client, testbed, pin="1234-secret")
    assert made["state"] == "authorising"
    assert "1234-secret" not in str(made)
    page = await consent(client, vendor, made)
    assert page.status_code == 200
    assert "gemaakt" in page.text
    read = (await client.get(f"/v1/connections/{made['id']}")).json()
    assert (read["state"], read["connected_via_user"]) == ("connected", "An Accountant")
    assert read["settings"] == {"journal": "700"}
    assert read["health"]["can_send"] is True
    assert "authorize_url" not in read or read["authorize_url"] is None

    async def imported() -> bool:
        return any(path.endswith("/ledger-accounts") for path in testbed.internal_services.put)

    await testbed.until(imported, "ledger accounts are in the dossier")
    put = next(body for path, body in testbed.internal_services.put.items() if path.endswith("/ledger-accounts"))
    assert put["items"] == [{"code": "700000", "name": "Verkopen", "remote_id": "a1"}]
    event = testbed.ready(*harness.document(1))
    await testbed.deliver(event)
    await testbed.until_state("booked")
    log = (
        await client.get(f"/v1/connections/{made['id']}/sync-log", params={"document_id": str(event.document_id)})
    ).json()
    assert [line["phase"] for line in log["items"]] == ["send"]
    line = log["items"][0]
    assert (line["outcome"], line["http_status"], line["operation"]) == ("ok", 201, "entries")
    assert line["request"].startswith("POST /entries")
    listed = (await client.get("/v1/deliveries", params={"state": "booked", "connection_id": made["id"]})).json()
    assert listed["items"][0]["entry_number"] == "26700001"
    checked = (await client.post(f"/v1/connections/{made['id']}/check")).json()
    assert (checked["ok"], checked["steps"][0]["name"]) == (True, "login")
    reach = (await client.get(f"/v1/connections/{made['id']}/remote-dossiers")).json()
    assert reach["items"][0]["reachable"] is True
    assert (await client.post(f"/v1/connections/{made['id']}/import")).status_code == 202


async def test_a_long_book_goes_as_one_list(client: httpx2.AsyncClient, testbed: Testbed, vendor: PaperVendor) -> None:
    vendor.accounts = [{"id": f"a{code}", "code": f"{code}", "name": "Verkopen"} for code in range(12_000)]
    await consent(client, vendor, await make(client, testbed))

    async def imported() -> bool:
        return bool(await testbed.rows("SELECT id FROM connection WHERE imported_at IS NOT NULL"))

    await testbed.until(imported, "ledger accounts are in the dossier")
    put = next(body for path, body in testbed.internal_services.put.items() if path.endswith("/ledger-accounts"))
    assert (len(put["items"]), put["replace"]) == (12_000, True), "what went at the vendor would stay in the dossier"


async def test_a_check_notices_a_dead_grant(client: httpx2.AsyncClient, testbed: Testbed, vendor: PaperVendor) -> None:
    made = await make(client, testbed)
    await consent(client, vendor, made)
    connection = f"/v1/connections/{made['id']}"
    assert (await client.post(f"{connection}/check")).json()["ok"] is True
    await let_access_token_expire(testbed, made)
    vendor.spent |= set(vendor.refresh)
    checked = (await client.post(f"{connection}/check")).json()
    assert checked["ok"] is False
    assert [step["problem"]["code"] for step in checked["steps"]] == ["reauthorise"]
    read = (await client.get(connection)).json()
    assert (read["state"], read["health"]["problem"]["code"]) == ("reauthorise", "reauthorise")
    again = (await client.post(f"{connection}/check")).json()
    assert [step["problem"]["code"] for step in again["steps"]] == ["reauthorise"]
    assert vendor.spent_uses == 1, "a connection that waits for a person asks the vendor nothing"


async def made_while_the_vendor_goes_away(client: httpx2.AsyncClient, testbed: Testbed, vendor: PaperVendor) -> Any:
    made = await make(client, testbed)
    await consent(client, vendor, made)
    await let_access_token_expire(testbed, made)
    vendor.token_faults.append("error")
    return made


async def test_a_check_leaves_a_connection_alone_when_the_vendor_is_away(
    client: httpx2.AsyncClient, testbed: Testbed, vendor: PaperVendor
) -> None:
    made = await made_while_the_vendor_goes_away(client, testbed, vendor)
    checked = (await client.post(f"/v1/connections/{made['id']}/check")).json()
    assert [step["problem"]["code"] for step in checked["steps"]] == ["vendor_unavailable"]
    assert (await client.get(f"/v1/connections/{made['id']}")).json()["state"] == "connected"


async def test_a_question_to_a_vendor_that_is_away_is_no_mistake_of_the_callers(
    client: httpx2.AsyncClient, testbed: Testbed, vendor: PaperVendor
) -> None:
    made = await made_while_the_vendor_goes_away(client, testbed, vendor)
    answer = await client.get(f"/v1/connections/{made['id']}/remote-dossiers")
    assert (answer.status_code, answer.json()["code"]) == (503, "vendor_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert set(answer.json()["message"]) == {"nl", "fr", "en"}


async def test_a_question_notices_a_dead_grant(
    client: httpx2.AsyncClient, testbed: Testbed, vendor: PaperVendor
) -> None:
    made = await make(client, testbed)
    await consent(client, vendor, made)
    await let_access_token_expire(testbed, made)
    vendor.spent |= set(vendor.refresh)
    answer = await client.get(f"/v1/connections/{made['id']}/remote-dossiers")
    assert (answer.status_code, answer.json()["code"], answer.json()["who_can_fix"]) == (
        409,
        "reauthorise",
        "accountant",
    )
    assert (await client.get(f"/v1/connections/{made['id']}")).json()["state"] == "reauthorise"


async def test_a_consent_is_exchanged_once(client: httpx2.AsyncClient, testbed: Testbed, vendor: PaperVendor) -> None:
    made = await make(client, testbed)
    assert (await consent(client, vendor, made)).status_code == 200
    assert (await consent(client, vendor, made)).status_code == 200
    assert [path for _, path in vendor.seen].count("/token") == 1


@pytest.mark.parametrize("state", ["", "x", "gAAAAABforged", "é"])
async def test_a_forged_state_is_refused(client: httpx2.AsyncClient, vendor: PaperVendor, state: str) -> None:
    answer = await client.get("/oauth/callback", params={"code": vendor.new_code(), "state": state})
    assert answer.status_code == 400
    assert vendor.seen == []


async def test_a_refused_consent_changes_nothing(
    client: httpx2.AsyncClient, testbed: Testbed, vendor: PaperVendor
) -> None:
    made = await make(client, testbed)
    state = parse_qs(urlsplit(await begin_consent(client, made["authorize_url"])).query)["state"][0]
    answer = await client.get("/oauth/callback", params={"error": "access_denied", "state": state})
    assert answer.status_code == 200
    assert (await client.get(f"/v1/connections/{made['id']}")).json()["state"] == "authorising"


async def test_settings_are_changed_leaf_by_leaf_and_secrets_stay_inside(
    client: httpx2.AsyncClient, testbed: Testbed
) -> None:
    made = await make(client, testbed, pin="1234-secret")
    changed = await client.patch(f"/v1/connections/{made['id']}", json={"settings": {"journal": "701"}})
    assert changed.json()["settings"] == {"journal": "701"}
    row = (await testbed.rows("SELECT secrets, settings FROM connection"))[0]
    assert b"1234-secret" not in bytes(row.secrets)
    assert testbed.kit.keys.open((await testbed.rows("SELECT id FROM connection"))[0].id, bytes(row.secrets)) == {
        "pin": "1234-secret"
    }
    missing = await client.patch(f"/v1/connections/{made['id']}", json={"settings": {"journal": None}})
    assert missing.json()["health"]["missing_settings"] == ["journal"]
    wrong = await client.patch(f"/v1/connections/{made['id']}", json={"settings": {"journal": {"a": 1}}})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_settings")
    assert wrong.json()["errors"][0]["field"] == "settings.journal"


async def test_the_same_key_makes_one_connection(client: httpx2.AsyncClient, testbed: Testbed) -> None:
    body = {"dossier_id": str(testbed.dossier_id), "settings": {}}
    headers = {"Idempotency-Key": "once"}
    first = await client.post("/v1/connections", json=body, headers=headers)
    again = await client.post("/v1/connections", json=body, headers=headers)
    assert first.json()["id"] == again.json()["id"]
    other = await client.post("/v1/connections", json={**body, "settings": {"journal": "1"}}, headers=headers)
    assert other.status_code == 409
    assert len((await client.get("/v1/connections")).json()["items"]) == 1


async def test_a_removed_connection_keeps_no_secret(
    client: httpx2.AsyncClient, testbed: Testbed, vendor: PaperVendor
) -> None:
    made = await make(client, testbed, pin="1234-secret")
    await consent(client, vendor, made)
    assert (await client.delete(f"/v1/connections/{made['id']}")).status_code == 204
    assert (await testbed.rows("SELECT secrets FROM connection"))[0].secrets is None
    assert await testbed.rows("SELECT 1 FROM oauth_token") == []
    assert (await client.get(f"/v1/connections/{made['id']}")).json()["state"] == "disconnected"
    assert (await client.patch(f"/v1/connections/{made['id']}", json={"settings": {}})).status_code == 409


async def test_another_firm_sees_nothing(
    client: httpx2.AsyncClient, testbed: Testbed, vendor: PaperVendor, harness: PaperHarness
) -> None:
    made = await make(client, testbed)
    await consent(client, vendor, made)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    delivery = (await testbed.until_state("booked"))[0]
    connection, one = f"/v1/connections/{made['id']}", f"/v1/deliveries/{delivery.id}"
    requests: list[tuple[str, str, Any]] = [
        ("GET", connection, None),
        ("PATCH", connection, {"settings": {}}),
        ("DELETE", connection, None),
        ("GET", f"{connection}/remote-dossiers", None),
        ("GET", f"{connection}/sync-log", None),
        ("POST", f"{connection}/import", None),
        ("POST", f"{connection}/check", None),
        ("GET", one, None),
        ("POST", f"{one}/retry", None),
        ("POST", f"{one}/resolve", {"decision": "abandon"}),
        ("POST", "/v1/connections", {"dossier_id": str(testbed.dossier_id), "settings": {}}),
    ]
    calls = len(vendor.seen)
    async with testbed.caller(testbed.internal_services.token(new_id())) as stranger:
        for method, path, body in requests:
            answer = await stranger.request(method, path, json=body)
            assert answer.status_code == 404, (method, path, answer.text)
        assert (await stranger.get("/v1/connections")).json()["items"] == []
        assert (await stranger.get("/v1/deliveries")).json()["items"] == []
    assert len(vendor.seen) == calls
    async with testbed.caller(testbed.internal_services.token(None)) as unbound:
        assert len((await unbound.get("/v1/connections")).json()["items"]) == 1


async def test_tokens_and_scopes_are_insisted_on(client: httpx2.AsyncClient, testbed: Testbed) -> None:
    async with testbed.caller(None) as nobody:
        assert (await nobody.get("/v1/connections")).status_code == 401
    async with testbed.caller(testbed.internal_services.token(testbed.firm_id, "documents:read")) as other:
        assert (await other.get("/v1/connections")).status_code == 403
    async with testbed.caller(testbed.internal_services.token(testbed.firm_id, "connections:read")) as reader:
        body = {"dossier_id": str(testbed.dossier_id), "settings": {}}
        assert (await reader.post("/v1/connections", json=body)).status_code == 403


async def test_a_dossier_nobody_told_us_of_is_asked_for(client: httpx2.AsyncClient, testbed: Testbed) -> None:
    dossier = new_id()
    assert (await client.post("/v1/connections", json={"dossier_id": str(dossier)})).status_code == 404
    testbed.internal_services.add_dossier(dossier, testbed.firm_id)
    assert (await client.post("/v1/connections", json={"dossier_id": str(dossier)})).status_code == 201


async def test_lists_have_pages(client: httpx2.AsyncClient, testbed: Testbed) -> None:
    made = [(await make(client, testbed))["id"] for _ in range(5)]
    seen, after = [], None
    while True:
        page = (await client.get("/v1/connections", params={"limit": 2, **({"after": after} if after else {})})).json()
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == made


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/connections?after=xx", None),
        ("GET", "/v1/connections?limit=201", None),
        ("GET", "/v1/deliveries?state=asleep", None),
        ("GET", f"/v1/deliveries/{'0' * 40}", None),
        ("POST", "/v1/connections", {"dossier_id": "no"}),
        ("POST", "/v1/connections", {"dossier_id": str(uuid4()), "settings": [1]}),
        ("POST", "/v1/connections", []),
    ],
)
async def test_bad_input_is_the_callers_mistake(
    client: httpx2.AsyncClient, method: str, path: str, body: object
) -> None:
    answer = await client.request(method, path, json=body)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_a_null_character_in_settings_is_the_callers_mistake(
    client: httpx2.AsyncClient, testbed: Testbed
) -> None:
    body = {"dossier_id": str(testbed.dossier_id), "settings": {"journal": "7\x0000"}}
    assert 400 <= (await client.post("/v1/connections", json=body)).status_code < 500
