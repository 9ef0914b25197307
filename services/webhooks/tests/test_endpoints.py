"""Endpoints: refused where they must be, verified by challenge, changed by their owner alone, their secrets replaced."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from koppel_mesh.http.outside_client import OutsideClient
from koppel_mesh.http.resolving import NotLookedUp
from koppel_mesh.ids import new_id
from koppel_mesh.keyring import KeyRing
from koppel_mesh.runtime import CannotStartError, open_resources
from webhooks import endpoints
from webhooks.settings import WebhookSettings

from .conftest import KEYS, Hooks
from .receiver import answers, hangs

pytestmark = pytest.mark.asyncio(loop_scope="module")
GOOD = {"url": "http://127.0.0.1:9/hooks", "event_types": ["document.received"]}


async def state_of(partner: Any, endpoint: Any) -> str:
    return str((await partner.get(f"/endpoints/{endpoint['id']}"))["state"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event_types": []}, "body.event_types"),
        ({"event_types": ["document.lost"]}, "body.event_types"),
        ({"url": ""}, "body.url"),
        ({"url": "http://10.0.0.1/"}, "body.url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "body.url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "body.url"),
        ({"url": "https://no-such-name.invalid/"}, "body.url"),
        ({"url": "https://u:p@example.org/"}, "body.url"),
        (
            {"auth": {"kind": "oauth2", "token_url": "http://10.0.0.1/", "client_id": "a", "client_secret": "b"}},
            "body.auth.token_url",
        ),
        ({"auth": {"kind": "none"}}, None),
        ({"more": 1}, "body.more"),
    ],
)
async def test_what_is_no_endpoint_is_refused_and_nothing_kept(hooks: Any, change: Any, field: str | None) -> None:
    partner = hooks.partner()
    answer = await partner.call("POST", "/endpoints", json={**GOOD, **change})
    assert answer.status_code == 422, answer.text
    assert field is None or field in {error["field"] for error in answer.json()["errors"]}
    assert (await partner.get("/endpoints"))["items"] == []


async def test_a_refusal_does_not_say_what_a_name_leads_to(hooks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither at registration nor among the attempts: a partner could map the names of our own network by it."""

    async def resolve(host: str, _port: int) -> list[str]:
        if host == "busy.example":
            raise NotLookedUp("too many names")
        if host == "gone.example":
            raise OSError("no such name")
        return ["10.1.2.3" if host == "inside.example" else "127.0.0.1"]

    outside = OutsideClient(hooks.context.settings.rules, resolve=resolve)
    monkeypatch.setattr(hooks.context.resources, "outside", outside)
    partner = hooks.partner()
    told = set()
    for host in ("inside.example", "gone.example"):
        answer = await partner.call("POST", "/endpoints", json={**GOOD, "url": f"http://{host}/"})
        assert (answer.status_code, answer.json()["code"]) == (422, "address_not_allowed")
        told.add(answer.text.replace(host, ""))
    assert len(told) == 1 and "10.1.2.3" not in str(told)
    busy = await partner.call("POST", "/endpoints", json={**GOOD, "url": "http://busy.example/"})
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")
    endpoint = await partner.register("http://partner.example/")
    await hooks.sql("UPDATE endpoint SET url = 'http://inside.example/'")
    tested = (await partner.call("POST", f"/endpoints/{endpoint['id']}/test")).json()
    assert tested["answer"] == "inside.example is not public or does not resolve"


async def test_production_calls_no_plain_http_and_no_loopback(hooks: Any) -> None:
    production = {
        "env": "production",
        "service_client_secret": "s" * 24,
        "public_url": "https://koppel.example",
        "blob_url": "s3://koppel",
    }
    with pytest.raises(ValidationError, match="KOPPEL_WEBHOOK_LOOPBACK"):
        Hooks(hooks.database, **production)
    service = Hooks(hooks.database, **production, webhook_loopback=False)
    async with open_resources(service.context):
        for url in ("http://example.org/", "https://127.0.0.1/", "https://localhost/", "https://example.org:8080/"):
            answer = await service.partner().call("POST", "/endpoints", json={**GOOD, "url": url})
            assert (answer.status_code, answer.json()["code"]) == (422, "address_not_allowed"), url


async def test_a_token_is_needed_with_the_scope_and_a_firm(hooks: Any) -> None:
    assert (await hooks.http.post("/v1/endpoints", json=GOOD)).status_code == 401
    partner = hooks.partner()
    for scopes, status in (("documents:write", 403), ("webhooks:read", 403)):
        partner.scopes = scopes
        assert (await partner.call("POST", "/endpoints", json=GOOD)).status_code == status
    assert (await partner.get("/endpoints"))["items"] == []
    partner.firm_id, partner.scopes = "", "webhooks:write"
    answer = await partner.call("POST", "/endpoints", json=GOOD)
    assert (answer.status_code, answer.json()["code"]) == (403, "bound_to_no_firm")


async def test_the_secret_is_shown_once_and_sealed(hooks: Any) -> None:
    partner = hooks.partner()
    key = {"Idempotency-Key": str(new_id())}
    auth = {
        "kind": "oauth2",
        "token_url": "http://127.0.0.1:9/token",
        "client_id": "koppel",
        "client_secret": "hunter2hunter2",
    }
    first = await partner.call("POST", "/endpoints", json={**GOOD, "auth": auth}, headers=key)
    made = first.json()
    assert made["secret"].startswith("whsec_") and made["state"] == "unverified"
    again = await partner.call("POST", "/endpoints", json={**GOOD, "auth": auth}, headers=key)
    assert again.json() == made
    shown = await partner.get(f"/endpoints/{made['id']}")
    assert "secret" not in shown and "client_secret" not in shown["auth"]
    kept = str(await hooks.sql("SELECT * FROM endpoint JOIN secret ON endpoint_id = endpoint.id"))
    kept += str(await hooks.sql("SELECT * FROM idempotency_key"))
    assert made["secret"] not in kept and "hunter2" not in kept


async def test_nothing_is_sent_before_the_challenge_is_answered(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    receiver.refuses_challenges = True
    receiver.behaviour = answers(200, b"OK")
    endpoint = await partner.register(receiver.url)
    await hooks.deliver(partner.document())
    await hooks.until(lambda: len(receiver.of("endpoint.challenge")) == 4)
    await hooks.work(0.2)
    assert receiver.events == []
    shown = await partner.get(f"/endpoints/{endpoint['id']}")
    assert (shown["state"], shown["problem"]["code"]) == ("unverified", "webhook_unverified")
    challenge = receiver.of("endpoint.challenge")[0]
    Webhook(endpoint["secret"]).verify(challenge.body, dict(challenge.headers))
    receiver.refuses_challenges = False
    await partner.call("POST", f"/endpoints/{endpoint['id']}/enable")
    await hooks.until(lambda: len(receiver.events) == 1)
    assert (await partner.get(f"/endpoints/{endpoint['id']}"))["problem"] is None


async def test_another_address_is_challenged_again(hooks: Any, receivers: Any) -> None:
    partner, receiver, other = hooks.partner(), await receivers(), await receivers()
    endpoint = await partner.verified(receiver)
    other.refuses_challenges = True
    changed = await partner.call("PATCH", f"/endpoints/{endpoint['id']}", json={"url": other.url})
    assert changed.json()["state"] == "unverified"
    await hooks.deliver(partner.document())
    await hooks.work(0.3)
    assert other.events == [] and receiver.events == []
    refused = await partner.call("PATCH", f"/endpoints/{endpoint['id']}", json={"url": "http://10.0.0.1/"})
    assert refused.status_code == 422


async def test_a_test_says_what_came_back(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.register(receiver.url)
    path = f"/endpoints/{endpoint['id']}/test"
    first = (await partner.call("POST", path)).json()
    assert (first["outcome"], first["status"], first["state"]) == ("delivered", 200, "active")
    receiver.behaviour = answers(503, b"closed")
    second = (await partner.call("POST", path)).json()
    assert (second["outcome"], second["status"], second["answer"]) == ("failed", 503, "closed")
    receiver.behaviour = answers(200, b"[" * 2000)
    receiver.refuses_challenges = True
    unread = await partner.register(receiver.url)
    nested = (await partner.call("POST", f"/endpoints/{unread['id']}/test")).json()
    assert (nested["status"], nested["state"]) == (200, "unverified")
    receiver.behaviour = hangs
    third = (await partner.call("POST", path)).json()
    assert third["status"] is None and "no complete answer" in third["answer"]
    assert [one["type"] for one in receiver.events] == ["endpoint.test"] * 2


async def test_two_secrets_sign_while_they_overlap(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    path = f"/endpoints/{endpoint['id']}/rotate-secret"
    second = (await partner.call("POST", path, json={"overlap_s": 3600})).json()["secret"]
    await hooks.deliver(partner.document())
    await hooks.until(lambda: len(receiver.events) == 1)
    (received,) = receiver.of("document.received")
    for secret in (endpoint["secret"], second):
        Webhook(secret).verify(received.body, dict(received.headers))
    keys = (await partner.get(f"/endpoints/{endpoint['id']}/keys"))["keys"]
    assert [key["kid"] for key in keys] == received.headers["webhook-key-id"].split(" ") and len(keys) == 2
    under_way = await partner.call("POST", path, json={"overlap_s": 60})
    assert (under_way.status_code, under_way.json()["code"]) == (409, "rotation_under_way")
    third = (await partner.call("POST", path, json={"overlap_s": 0})).json()["secret"]
    await hooks.deliver(partner.document())
    await hooks.until(lambda: len(receiver.events) == 2)
    received = receiver.of("document.received")[-1]
    Webhook(third).verify(received.body, dict(received.headers))
    for secret in (endpoint["secret"], second):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(received.body, dict(received.headers))


async def test_a_secret_whose_answer_was_lost_is_had_again(hooks: Any, receivers: Any) -> None:
    """The same request with the same key makes no second secret and gives the first, which signs (contract §4)."""
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    path, key = f"/endpoints/{endpoint['id']}/rotate-secret", {"Idempotency-Key": str(new_id())}
    body = {"overlap_s": 3600}
    first, again = [await partner.call("POST", path, json=body, headers=key) for _ in range(2)]
    assert (again.status_code, again.json()) == (200, first.json())
    at_once = {"Idempotency-Key": str(new_id())}
    several = await asyncio.gather(
        *(partner.call("POST", path, json={"overlap_s": 0}, headers=at_once) for _ in range(5))
    )
    assert {one.status_code for one in several} == {200}
    (secret,) = {one.json()["secret"] for one in several}
    await hooks.deliver(partner.document())
    await hooks.until(lambda: len(receiver.events) == 1)
    (received,) = receiver.of("document.received")
    Webhook(secret).verify(received.body, dict(received.headers))
    reused = await partner.call("POST", path, json={"overlap_s": 60}, headers=key)
    assert (reused.status_code, reused.json()["code"]) == (409, "idempotency_key_reused")
    other = await hooks.partner().call("POST", path, json=body, headers=key)
    assert other.status_code == 404
    kept = str(await hooks.sql("SELECT * FROM idempotency_key"))
    assert first.json()["secret"] not in kept and secret not in kept


async def test_what_was_deleted_gets_nothing_more(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    receiver.behaviour = answers(500)
    await hooks.deliver(partner.document())
    await hooks.until(lambda: len(receiver.events) == 1)
    assert (await partner.call("DELETE", f"/endpoints/{endpoint['id']}")).status_code == 204
    await hooks.work(0.3)
    assert len(receiver.events) <= 2
    assert (await partner.call("GET", f"/endpoints/{endpoint['id']}")).status_code == 404
    assert (await partner.call("GET", f"/endpoints/{endpoint['id']}/keys")).status_code == 404


async def test_an_endpoint_is_its_clients_and_firms_alone(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    for other in (hooks.partner(partner.firm_id, "another-vendor"), hooks.partner(client=partner.client)):
        assert (await other.get("/endpoints"))["items"] == []
        at = f"/endpoints/{endpoint['id']}"
        span = {"from": "2026-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"}
        for method, path, body in (
            ("GET", at, None),
            ("PATCH", at, {"description": "mine"}),
            ("DELETE", at, None),
            ("GET", f"{at}/deliveries", None),
            ("POST", f"{at}/enable", None),
            ("POST", f"{at}/test", None),
            ("POST", f"{at}/rotate-secret", {}),
            ("POST", f"{at}/replay", span),
        ):
            answer = await other.call(method, path, json=body)
            assert answer.status_code == 404, (method, path)
    assert await state_of(partner, endpoint) == "active"


async def test_there_is_a_limit_to_endpoints(hooks: Any) -> None:
    partner = hooks.partner()
    for _ in range(endpoints.ENDPOINTS_MAX):
        await partner.register("http://127.0.0.1:9/hooks")
    answer = await partner.call("POST", "/endpoints", json=GOOD)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_endpoints")


async def test_secrets_move_to_a_new_key_and_open_without_the_old(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    auth = {
        "kind": "oauth2",
        "token_url": "http://127.0.0.1:9/token",
        "client_id": "koppel",
        "client_secret": "hunter2",
    }
    endpoint = await partner.register(receiver.url, auth=auth)
    new = Fernet.generate_key().decode()
    async with hooks.database.transaction() as tx:
        await endpoints.reseal(tx, KeyRing([new, *KEYS]))
        found, closed = await endpoints.signing_secrets(tx, KeyRing([new]), [endpoint["id"]])
        (secret,) = found.values()
        without = await endpoints.signing_secrets(tx, KeyRing(KEYS), [endpoint["id"]])
    assert (secret[0].secret, closed) == (endpoint["secret"], set())
    assert without == ({}, {UUID(endpoint["id"])})
    async with hooks.database.transaction() as tx:
        await endpoints.reseal(tx, KeyRing([*KEYS, new]))


async def test_it_does_not_start_without_the_key_of_its_secrets(hooks: Any) -> None:
    await hooks.partner().register("http://127.0.0.1:9/hooks")
    service = Hooks(hooks.database, secret_keys=(Fernet.generate_key().decode(),))
    with pytest.raises(CannotStartError, match="secret key"):
        async with open_resources(service.context):
            pass
    with pytest.raises(ValidationError, match="KOPPEL_SECRET_KEYS"):
        WebhookSettings(database_url="postgresql://x", amqp_url="amqp://x", secret_keys=())


async def test_challenges_of_hanging_addresses_delay_no_other(hooks: Any, receivers: Any) -> None:
    hooks.set(webhook_deadline_s=8.0)
    partner, slow = hooks.partner(), await receivers()
    slow.refuses_challenges, slow.behaviour = True, hangs
    await asyncio.gather(*(partner.register(slow.url) for _ in range(5)))
    quick = await receivers()
    endpoint = await partner.register(quick.url)
    await hooks.until(lambda: quick.of("endpoint.challenge"), 6.0)
    await hooks.work(0.1)
    assert await state_of(partner, endpoint) == "active"
