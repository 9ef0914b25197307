"""Tokens: refused first, then given, then checked by another service, through a rotation of keys."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from identity import keys
from identity.settings import DEMO_FIRM
from koppel_mesh.auth import SCOPES, InvalidToken, TokenVerifier
from koppel_mesh.http.client import HttpClient, Response
from koppel_mesh.service import Context

from .conftest import SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def context(identity: Any) -> Context:
    running: Context = identity.context
    return running


async def ask(context: Context, form: dict[str, str], **arguments: Any) -> Response:
    url = f"{context.settings.public_url}/identity/oauth/token"
    return await context.http.request("POST", url, deadline_s=10, data=form, **arguments)


async def call(context: Context, method: str, path: str, token: str, **arguments: Any) -> Response:
    headers = {"Authorization": f"Bearer {token}"}
    return await context.http.request(
        method, f"{context.settings.public_url}/identity{path}", deadline_s=10, headers=headers, **arguments
    )


async def token_of(context: Context, client_id: str, secret: str, **more: str) -> str:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, **more}
    response = await ask(context, form)
    assert response.status == 200, response.text
    return str(json.loads(response.content)["access_token"])


GOOD = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo-secret"}


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"client_id": "demo", "client_secret": "demo-secret"}, 400, "invalid_request"),
        ({**GOOD, "grant_type": ""}, 400, "invalid_request"),
        ({**GOOD, "grant_type": "password"}, 400, "unsupported_grant_type"),
        ({**GOOD, "client_secret": "wrong"}, 401, "invalid_client"),
        ({**GOOD, "client_id": "nobody"}, 401, "invalid_client"),
        ({**GOOD, "client_id": "demo\0"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({**GOOD, "scope": "everything"}, 400, "invalid_scope"),
        ({**GOOD, "scope": "é"}, 400, "invalid_scope"),
    ],
)
async def test_refusals_are_those_of_oauth(context: Context, form: dict[str, str], status: int, error: str) -> None:
    response = await ask(context, form)
    assert (response.status, json.loads(response.content)["error"]) == (status, error)
    if status == 401:
        assert response.headers["www-authenticate"].startswith("Basic")
    assert response.headers["cache-control"] == "no-store"


async def test_a_body_that_is_no_form_is_refused(context: Context) -> None:
    url = f"{context.settings.public_url}/identity/oauth/token"
    form = "application/x-www-form-urlencoded"
    for headers, body in (
        ({"Content-Type": "application/json"}, b"{}"),
        ({"Content-Type": form}, b"grant_type=client_credentials&grant_type=x"),
        ({}, b""),
        ({"Content-Type": form}, b"\xff\xfe=%zz&" * 30),
    ):
        response = await context.http.request("POST", url, deadline_s=10, headers=headers, content=body)
        assert response.status in {400, 401}, response.text


@pytest.mark.parametrize("credentials", ["é", "w6k=é", "=", "/w==", "gA==", "OjpA", "demo", "ZGVtb" * 3])
async def test_basic_credentials_that_cannot_be_read_are_refused(context: Context, credentials: str) -> None:
    url = f"{context.settings.public_url}/identity/oauth/token"
    headers = {
        b"Authorization": f"Basic {credentials}".encode("latin-1"),
        b"Content-Type": b"application/x-www-form-urlencoded",
    }
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        response = await client.post(url, content=b"grant_type=client_credentials", headers=headers)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "form", [{"client_secret": "demo-secret"}, {"client_secret": "wrong"}, {"client_id": "koppel-services"}, GOOD]
)
async def test_a_client_that_shows_itself_in_two_ways_is_refused(context: Context, form: dict[str, str]) -> None:
    basic = {"Authorization": f"Basic {base64.b64encode(b'demo:demo-secret').decode()}"}
    response = await ask(context, {"grant_type": "client_credentials", **form}, headers=basic)
    assert (response.status, json.loads(response.content)["error"]) == (400, "invalid_request")
    for one_way in ({"client_id": "demo"}, {"client_id": "", "client_secret": ""}):
        assert (await ask(context, {"grant_type": "client_credentials", **one_way}, headers=basic)).status == 200


async def test_a_token_is_given_under_the_name_a_cluster_calls_us_by(context: Context) -> None:
    assert (await ask(context, GOOD, headers={"Host": "identity.koppel.svc"})).status == 200


async def test_basic_and_body_credentials_give_the_same_token(context: Context) -> None:
    basic = base64.b64encode(b"demo:demo-secret").decode()
    response = await ask(context, {"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {basic}"})
    answer = json.loads(response.content)
    assert response.status == 200
    assert answer["token_type"] == "Bearer"
    assert set(answer["scope"].split()) == set(SCOPES)
    caller = await context.verifier.verify(answer["access_token"])
    assert (caller.subject, caller.firm_id) == ("demo", DEMO_FIRM)


async def test_a_token_has_the_scopes_asked_for_and_no_more(context: Context) -> None:
    token = await token_of(context, "demo", "demo-secret", scope="documents:read")
    assert (await context.verifier.verify(token)).scopes == {"documents:read"}
    assert (await call(context, "GET", "/v1/clients", token)).status == 403


async def test_the_services_own_client_is_bound_to_no_firm(context: Context) -> None:
    token = await token_of(context, "koppel-services", SECRET)
    assert (await context.verifier.verify(token)).firm_id is None


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-4] + "AAAA", lambda t: t.rsplit(".", 1)[0] + ".", lambda t: "a.b.c", lambda t: ""]
)
async def test_a_spoilt_token_is_no_token(context: Context, spoil: Callable[[str], str]) -> None:
    with pytest.raises(InvalidToken):
        await context.verifier.verify(spoil(await token_of(context, "demo", "demo-secret")))


async def test_a_token_for_another_audience_is_refused(context: Context) -> None:
    token = await token_of(context, "demo", "demo-secret")
    elsewhere = context.settings.model_copy(update={"audience": "somebody-else"})
    async with HttpClient() as http:
        with pytest.raises(InvalidToken):
            await TokenVerifier(elsewhere, http).verify(token)


async def test_keys_rotate_without_a_token_being_refused(context: Context) -> None:
    old = await token_of(context, "demo", "demo-secret")
    admin = await token_of(context, "koppel-services", SECRET)
    assert (await call(context, "POST", "/v1/signing-keys/rotate", admin)).status == 202
    published = await call(context, "GET", "/.well-known/jwks.json", admin)
    assert len(json.loads(published.content)["keys"]) == 2, "the next key is published before it signs"
    assert not any("d" in key for key in json.loads(published.content)["keys"]), "a private key left the house"
    async with context.database.transaction() as tx:
        await tx.execute(
            text("UPDATE signing_key SET signs_from = now() - interval '1 second' WHERE signs_from > now()")
        )
    new = await token_of(context, "demo", "demo-secret")
    async with HttpClient() as http:
        fresh = TokenVerifier(context.settings, http)
        for token in (old, new):
            assert (await fresh.verify(token)).subject == "demo"
    async with context.database.transaction() as tx:
        await tx.execute(text("UPDATE signing_key SET signs_from = signs_from - interval '3 hours'"))
    async with context.database.reading() as connection:
        assert len(await keys.published(connection, context.settings.token_lifetime_s)) == 1, (
            "an old key outlived its tokens"
        )
    async with context.database.transaction() as tx:
        # The service is shared, and has not seen the next key for two hours as it would have.
        await tx.execute(text("DELETE FROM signing_key WHERE created_at > (SELECT min(created_at) FROM signing_key)"))


async def test_a_client_is_made_changed_and_rotates_its_secret(context: Context) -> None:
    admin = await token_of(context, "koppel-services", SECRET)
    body = {"client_id": "pos-vendor", "name": "Kassa", "firm_id": str(DEMO_FIRM), "scopes": ["documents:write"]}
    made = await call(context, "POST", "/v1/clients", admin, json=body)
    assert made.status == 201
    shown = json.loads(made.content)
    first = shown.pop("client_secret")
    assert (await call(context, "POST", "/v1/clients", admin, json=body)).status == 409
    rotated = await call(context, "POST", f"/v1/clients/{shown['id']}/secrets", admin, json={"overlap_s": 3600})
    second = json.loads(rotated.content)["client_secret"]
    await asyncio.gather(token_of(context, "pos-vendor", first), token_of(context, "pos-vendor", second))
    await call(context, "POST", f"/v1/clients/{shown['id']}/secrets", admin, json={"overlap_s": 0})
    for ended in (first, second):
        refused = await ask(context, {**GOOD, "client_id": "pos-vendor", "client_secret": ended})
        assert refused.status == 401
    hashes = await call(context, "GET", f"/v1/clients/{shown['id']}", admin)
    assert "secret" not in hashes.text
    assert (await call(context, "DELETE", f"/v1/clients/{shown['id']}", admin)).status == 204
    assert (await call(context, "GET", f"/v1/clients/{shown['id']}", admin)).status == 404


async def test_scopes_that_a_client_has_none_of_are_refused_and_some_of_are_told(context: Context) -> None:
    admin = await token_of(context, "koppel-services", SECRET)
    body = {"client_id": "narrow", "name": "Narrow", "firm_id": str(DEMO_FIRM), "scopes": ["documents:write"]}
    made = json.loads((await call(context, "POST", "/v1/clients", admin, json=body)).content)
    form = {**GOOD, "client_id": "narrow", "client_secret": made["client_secret"]}
    refused = await ask(context, {**form, "scope": "admin connections:read"})
    assert (refused.status, json.loads(refused.content)["error"]) == (400, "invalid_scope")
    partly = await ask(context, {**form, "scope": "admin documents:write"})
    assert (partly.status, json.loads(partly.content)["scope"]) == (200, "documents:write")
    guessed = await ask(context, {**form, "client_secret": "wrong", "scope": "admin"})
    assert guessed.status == 401, "what a client has is told to itself alone"


async def test_the_description_names_every_operation_once(context: Context) -> None:
    url = f"{context.settings.public_url}/identity/openapi.json"
    described = json.loads((await context.http.request("GET", url, deadline_s=10)).content)
    names = [operation["operationId"] for path in described["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names)) >= 10, sorted(names)


async def test_a_firms_own_administrator_administers_no_clients(context: Context) -> None:
    token = await token_of(context, "demo", "demo-secret")
    response = await call(context, "GET", "/v1/clients", token)
    assert (response.status, json.loads(response.content)["code"]) == (403, "bound_to_a_firm")


async def test_the_same_idempotency_key_makes_one_client(context: Context) -> None:
    admin = await token_of(context, "koppel-services", SECRET)
    body = {"client_id": "twice", "name": "Twice", "kind": "service", "scopes": []}
    headers = {"Authorization": f"Bearer {admin}", "Idempotency-Key": "k-1"}
    url = f"{context.settings.public_url}/identity/v1/clients"

    async def post(json_body: dict[str, Any]) -> Response:
        return await context.http.request("POST", url, deadline_s=10, headers=headers, json=json_body)

    answers = await asyncio.gather(*(post(body) for _ in range(5)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    reused = await post({**body, "name": "Another"})
    assert (reused.status, json.loads(reused.content)["code"]) == (409, "idempotency_key_reused")


async def test_a_second_answer_shows_the_secret_again_and_no_row_does(context: Context) -> None:
    admin = await token_of(context, "koppel-services", SECRET)
    url = f"{context.settings.public_url}/identity/v1/clients"

    async def post(path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {admin}", "Idempotency-Key": key}
        answer = await context.http.request("POST", url + path, deadline_s=10, headers=headers, json=body)
        assert answer.status == 201, answer.text
        shown: dict[str, Any] = json.loads(answer.content)
        return shown

    made = [
        await post("", {"client_id": "hush", "name": "Hush", "kind": "service", "scopes": []}, "k-2") for _ in range(2)
    ]
    added = [await post(f"/{made[0]['id']}/secrets", {}, "k-3") for _ in range(2)]
    assert made[0] == made[1]
    assert added[0] == added[1]
    async with context.database.reading() as reading:
        kept = (
            (await reading.execute(text("SELECT body FROM idempotency_key WHERE key IN ('k-2', 'k-3')")))
            .scalars()
            .all()
        )
    assert len(kept) == 2
    for secret in (made[0]["client_secret"], added[0]["client_secret"]):
        assert not any(secret.encode() in bytes(body) for body in kept)


async def test_what_clients_may_see_is_told_to_services_and_not_to_firms(context: Context) -> None:
    services = await token_of(context, context.settings.service_client_id, SECRET)
    path = "/v1/client-access?client_id=demo&client_id=unknown"
    answer = json.loads((await call(context, "GET", path, services)).content)
    assert [(one["client_id"], one["firm_id"]) for one in answer["items"]] == [("demo", str(DEMO_FIRM))]
    assert "webhooks:write" in answer["items"][0]["scopes"]
    refused = await call(context, "GET", path, await token_of(context, "demo", "demo-secret"))
    assert refused.status == 403
    async with context.database.transaction() as tx:
        await tx.execute(text("UPDATE client SET disabled = true WHERE client_id = 'demo'"))
    assert json.loads((await call(context, "GET", path, services)).content) == {"items": [], "next": None}
    async with context.database.transaction() as tx:
        await tx.execute(text("UPDATE client SET disabled = false WHERE client_id = 'demo'"))
