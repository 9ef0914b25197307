"""Who guesses secrets is slowed down, and cannot lock anybody out by it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from identity.service import SERVICE
from koppel_mesh.http.server import build_app

pytestmark = pytest.mark.asyncio(loop_scope="module")
LIMIT = 3


@pytest_asyncio.fixture(loop_scope="module")
async def behind_proxy(identity: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """Give identity behind a proxy, with a limit."""
    settings = identity.context.settings
    changes = {"token_requests_per_minute": LIMIT, "trusted_proxies": ("127.0.0.0/8",)}
    identity.context.settings = settings.model_copy(update=changes)
    transport = httpx2.ASGITransport(app=build_app(SERVICE, identity.context), client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://identity") as http:
        yield http
    identity.context.settings = settings


async def test_one_id_from_one_address_has_so_many_tries(identity: Any, behind_proxy: httpx2.AsyncClient) -> None:
    _, owner = await identity.owner()
    good = {"client_id": owner.client_id, "client_secret": owner.secret, "grant_type": "client_credentials"}

    async def ask(address: str, path: str = "token", **form: str) -> httpx2.Response:
        forwarded = {"x-forwarded-for": f"198.51.100.7, {address}"}
        return await behind_proxy.post(f"/oauth/{path}", data={**good, **form}, headers=forwarded)

    guesses = [await ask("203.0.113.9", client_secret=f"guess-{number}") for number in range(LIMIT)]
    assert [one.status_code for one in guesses] == [401] * LIMIT
    assert guesses[-1].headers["ratelimit-remaining"] == "0"
    for path in ("token", "introspect", "revoke"):
        refused = await ask("203.0.113.9", path, token="a.b.c")
        assert (refused.status_code, json.loads(refused.content)["code"]) == (429, "rate_limited")
        assert int(refused.headers["retry-after"]) > 0
    assert (await ask("203.0.113.10")).status_code == 200, "somebody else's guesses locked the client out"
    assert (await ask("203.0.113.9", client_id="nobody")).status_code == 401
