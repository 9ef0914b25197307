"""Tokens that were given: asked about (RFC 7662), revoked (RFC 7009), and refused by services from then on."""

import asyncio
import base64
import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from koppel_mesh.auth import InvalidToken
from koppel_mesh.http.internal_client import InternalClient
from koppel_mesh.settings import MeshSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")
ANSWERED_WITHIN_S = 60


async def consenting(identity: Any, *scopes: str) -> tuple[Any, Any, Any, Any]:
    """Return a partner, a firm, its owner, and the firm's consent to the partner."""
    partner = await identity.partner()
    firm, owner = await identity.owner()
    body = {"client_id": partner.client_id, "scopes": list(scopes or ["documents:read"])}
    return partner, firm, owner, await owner.made("/consents", body)


async def asked(client: Any, token: str) -> Any:
    answer = await client.form("introspect", token=token)
    assert answer.status == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return json.loads(answer.content)


async def is_refused(identity: Any, token: str) -> bool:
    """Return whether services refuse it, once they have heard what is revoked."""
    await identity.context.verifier.revocations.refresh(identity.context.mesh)
    try:
        await identity.context.verifier.verify(token)
    except InvalidToken as refused:
        return str(refused) == "revoked"
    return False


async def test_nobody_asks_or_revokes_without_a_secret(identity: Any) -> None:
    partner, *_ = await consenting(identity)
    token = await partner.token()
    for path in ("introspect", "revoke"):
        for form, status, error in (
            ({"token": token, "client_secret": "wrong"}, 401, "invalid_client"),
            ({"token": token, "client_id": "nobody"}, 401, "invalid_client"),
            ({"token": token, "client_id": ""}, 401, "invalid_client"),
            ({"token": ""}, 400, "invalid_request"),
        ):
            answer = await partner.form(path, **form)
            assert (answer.status, json.loads(answer.content)["error"]) == (status, error), (path, form)
    assert (await asked(partner, token))["active"]


async def test_a_token_that_is_not_ours_is_not_active(identity: Any) -> None:
    partner, *_ = await consenting(identity)
    good = await partner.token()
    head, body, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    kid = json.loads(base64.urlsafe_b64decode(head + "=="))["kid"]
    stranger = ECKey.generate_key("P-256", {"kid": kid}, private=True)
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    for token in (
        f"{unsigned}.{body}.",
        f"{unsigned}.{body}.{signature}",
        f"{head}.{body}.",
        jwt.encode({"alg": "ES256", "kid": kid}, claims, stranger),
        "a.b.c",
        "x",
        "é\0",
        "a" * 9000,
    ):
        assert await asked(partner, token) == {"active": False}, token
        assert (await partner.form("revoke", token=token)).status == 200, "an unknown token is as good as revoked"
    assert (await asked(partner, good))["active"]


async def test_a_client_is_told_of_its_own_tokens_and_services_of_any(identity: Any) -> None:
    partner, firm, owner, _ = await consenting(identity, "documents:read", "webhooks:write")
    stranger, *_ = await consenting(identity)
    token = await partner.token(scope="documents:read")
    for known in (await asked(partner, token), await asked(identity.services, token)):
        assert {name: known[name] for name in ("active", "client_id", "sub", "scope", "firm_id", "token_type")} == {
            "active": True,
            "client_id": partner.client_id,
            "sub": partner.client_id,
            "scope": "documents:read",
            "firm_id": str(firm),
            "token_type": "Bearer",
        }
        assert (type(known["iat"]), type(known["exp"])) == (int, int), "whole seconds (RFC 7662 §2.2)"
        assert 0 < known["exp"] - time.time() <= identity.context.settings.partner_token_lifetime_s + 1
    for client in (stranger, owner):
        assert await asked(client, token) == {"active": False}
        refused = await client.form("revoke", token=token)
        assert (refused.status, json.loads(refused.content)["error"]) == (400, "invalid_grant")
    assert (await asked(partner, token))["active"] and not await is_refused(identity, token)


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "anything"])
async def test_a_revoked_token_is_refused_and_no_other(identity: Any, hint: str) -> None:
    partner, *_ = await consenting(identity)
    token, other = await partner.token(), await partner.token()
    for _ in range(2):
        assert (await partner.form("revoke", token=token, token_type_hint=hint)).status == 200
    assert await asked(partner, token) == {"active": False}
    assert (await asked(partner, other))["active"]
    assert await is_refused(identity, token)
    assert not await is_refused(identity, other)


async def test_an_operator_revokes_a_token_that_leaked(identity: Any) -> None:
    partner, *_ = await consenting(identity)
    token = await partner.token()
    assert (await identity.services.form("revoke", token=token)).status == 200
    assert await is_refused(identity, token)


async def test_a_withdrawn_consent_ends_tokens_of_that_firm_alone(identity: Any) -> None:
    partner, firm, owner, consent = await consenting(identity)
    other, another = await identity.owner()
    await another.made("/consents", {"client_id": partner.client_id, "scopes": ["documents:read"]})
    tokens = {each: await partner.token(firm_id=str(each)) for each in (firm, other)}
    assert not await is_refused(identity, tokens[firm])
    assert (await owner.call("DELETE", f"/consents/{consent['id']}")).status == 204
    assert await asked(partner, tokens[firm]) == {"active": False}
    assert (await asked(partner, tokens[other]))["active"]
    assert await is_refused(identity, tokens[firm])
    assert not await is_refused(identity, tokens[other])
    await owner.made("/consents", {"client_id": partner.client_id, "scopes": ["documents:read"]})
    again = await partner.token(firm_id=str(firm))
    assert not await is_refused(identity, again), "a consent given anew holds from its first moment"
    assert (await asked(partner, again))["active"]
    assert await is_refused(identity, tokens[firm])


async def test_a_token_with_more_than_is_left_ends(identity: Any) -> None:
    partner, firm, owner, _ = await consenting(identity, "documents:read", "documents:write")
    changes: list[Any] = [
        lambda: owner.made("/consents", {"client_id": partner.client_id, "scopes": ["documents:read"]}),
        lambda: identity.services.call("PATCH", f"/clients/{partner.row_id}", json={"scopes": ["documents:read"]}),
        lambda: identity.services.call("PATCH", f"/clients/{partner.row_id}", json={"disabled": True}),
    ]
    for change in changes:
        token = await partner.token(firm_id=str(firm))
        await change()
        assert await is_refused(identity, token)
        assert await asked(identity.services, token) == {"active": False}
    unchanged = await owner.token()
    await identity.services.call("PATCH", f"/clients/{owner.row_id}", json={"name": "Another name"})
    assert not await is_refused(identity, unchanged)


async def test_tokens_got_while_a_consent_is_withdrawn_end_too(identity: Any) -> None:
    partner, firm, owner, consent = await consenting(identity)
    asking = [asyncio.create_task(partner.ask()) for _ in range(8)]
    await asyncio.sleep(0.05)
    assert (await owner.call("DELETE", f"/consents/{consent['id']}")).status == 204
    answers = [json.loads((await each).content) for each in asking]
    tokens = [answer["access_token"] for answer in answers if "access_token" in answer]
    assert all([await is_refused(identity, token) for token in tokens]), f"{len(tokens)} tokens"
    assert (await partner.ask(firm_id=str(firm))).status == 400


async def test_services_hear_of_it_by_themselves(identity: Any) -> None:
    _, firm = await identity.owner()
    token = await firm.token()
    headers = {"Authorization": f"Bearer {token}"}
    assert (await identity.request("GET", "/v1/consents", headers=headers)).status == 200
    await firm.form("revoke", token=token)
    end = time.monotonic() + ANSWERED_WITHIN_S
    while (await identity.request("GET", "/v1/consents", headers=headers)).status != 401:
        assert time.monotonic() < end, "the loop does not ask"
        await asyncio.sleep(0.05)


async def test_what_is_known_holds_while_identity_is_away(identity: Any) -> None:
    partner, *_ = await consenting(identity)
    token, other = await partner.token(), await partner.token()
    await partner.form("revoke", token=token)
    assert await is_refused(identity, token)
    settings = MeshSettings.model_validate(
        {**identity.context.settings.model_dump(), "public_url": "http://127.0.0.1:9"}
    )
    nowhere = InternalClient(settings, identity.context.http)
    await identity.context.verifier.revocations.refresh(nowhere)
    with pytest.raises(InvalidToken):
        await identity.context.verifier.verify(token)
    assert (await identity.context.verifier.verify(other)).subject == partner.client_id


async def test_the_list_is_for_services_and_holds_what_has_not_ended(identity: Any) -> None:
    partner, _, owner, _ = await consenting(identity)
    token = await partner.token()
    await partner.form("revoke", token=token)
    jti = (await asked(identity.services, await partner.token()))["jti"]
    listed = (await identity.services.get("/revocations"))["items"]
    assert listed[0]["jti"] not in {None, jti}
    assert (await owner.call("GET", "/revocations")).status == 403
    sql = "UPDATE revocation SET ends_at = now() - interval '1 second' WHERE jti = $1"
    async with identity.context.database.transaction() as tx:
        driver = (await tx.get_raw_connection()).driver_connection
        await driver.execute(sql, listed[0]["jti"])
    assert listed[0] not in (await identity.services.get("/revocations"))["items"]


async def test_where_it_is_done_is_told(identity: Any) -> None:
    answer = await identity.request("GET", "/.well-known/oauth-authorization-server")
    told = json.loads(answer.content)
    base = f"{identity.context.settings.public_url}/identity/oauth"
    assert (told["introspection_endpoint"], told["revocation_endpoint"]) == (f"{base}/introspect", f"{base}/revoke")
    assert told["introspection_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post"]
