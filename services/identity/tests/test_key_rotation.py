"""Signing keys change while services go on: whoever keeps the key set refuses no token and asks for it no more than needed."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import text

from koppel_mesh import auth
from koppel_mesh.auth import InvalidToken, TokenVerifier
from koppel_mesh.http.client import HttpClient, Response

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAUSE_S = 0.3
MANY = 20


class CountingClient(HttpClient):
    """Counts how often the key set is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.fetches = 0

    async def request(self, method: str, url: str, **arguments: Any) -> Response:
        self.fetches += url.endswith("jwks.json")
        return await super().request(method, url, **arguments)


class ResourceServer:
    """A service that checks tokens with the key set that it keeps."""

    def __init__(self, settings: Any, http: CountingClient) -> None:
        self.http = http
        self.verifier = TokenVerifier(settings, http)

    async def takes(self, *tokens: str) -> bool:
        callers = await asyncio.gather(*(self.verifier.verify(token) for token in tokens))
        return {caller.subject for caller in callers} == {"demo"}


@pytest_asyncio.fixture(loop_scope="module")
async def resource_server(identity: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ResourceServer]:
    monkeypatch.setattr(auth, "KEYS_PAUSE_S", PAUSE_S)
    async with CountingClient() as http:
        yield ResourceServer(identity.context.settings, http)


async def tokens_of_demo(identity: Any, number: int) -> list[str]:
    form = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo-secret"}
    answers = [await identity.request("POST", "/oauth/token", data=form) for _ in range(number)]
    return [str(json.loads(answer.content)["access_token"]) for answer in answers]


async def move_keys(identity: Any, change: str) -> None:
    """Let the moment come from which the newest key signs."""
    async with identity.context.database.transaction() as tx:
        await tx.execute(text(f"UPDATE signing_key SET signs_from = signs_from - interval '{change}'"))


async def rotate(identity: Any) -> None:
    assert (await identity.services.call("POST", "/signing-keys/rotate")).status == 202


async def test_tokens_from_before_during_and_after_a_rotation_are_taken(
    identity: Any, resource_server: ResourceServer
) -> None:
    before = await tokens_of_demo(identity, 1)
    assert await resource_server.takes(*before)
    assert resource_server.http.fetches == 1
    await rotate(identity)
    during = await tokens_of_demo(identity, 1)
    assert await resource_server.takes(*before, *during)
    assert resource_server.http.fetches == 1, "a key that is published and does not sign yet needs no new key set"
    await move_keys(identity, "121 minutes")
    after = await tokens_of_demo(identity, MANY)
    await asyncio.sleep(PAUSE_S)
    assert await resource_server.takes(*before, *during, *after)
    assert resource_server.http.fetches == 2, "one unknown key is one fetch, however many tokens it has signed"


async def test_a_key_that_was_fetched_before_it_signs_is_not_fetched_again(
    identity: Any, resource_server: ResourceServer
) -> None:
    before = await tokens_of_demo(identity, 1)
    await rotate(identity)
    assert await resource_server.takes(*before)
    await move_keys(identity, "121 minutes")
    assert await resource_server.takes(*before, *await tokens_of_demo(identity, 3))
    assert resource_server.http.fetches == 1


async def test_invented_keys_are_refused_with_one_fetch_and_hold_up_no_good_token(
    identity: Any, resource_server: ResourceServer
) -> None:
    good = await tokens_of_demo(identity, 2)
    assert await resource_server.takes(good[0])
    await asyncio.sleep(PAUSE_S)
    claims = {"iss": identity.context.settings.issuer, "aud": "koppel", "sub": "demo", "exp": 4_000_000_000}
    forged = []
    for number in range(MANY):
        key = ECKey.generate_key("P-256", {"kid": f"invented-{number}"}, private=True)
        forged.append(jwt.encode({"alg": "ES256", "kid": key.kid}, {**claims, "scope": "admin"}, key))
    refused = await asyncio.gather(
        *(resource_server.verifier.verify(token) for token in forged), return_exceptions=True
    )
    assert {type(each) for each in refused} == {InvalidToken}
    assert resource_server.http.fetches == 2
    assert await resource_server.takes(good[1])
    assert resource_server.http.fetches == 2
