"""Secrets of clients: several during a change-over, listed without their values, ended at once."""

import asyncio
import json
from typing import Any

import pytest

from koppel_mesh.ids import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def statuses(client: Any, *secrets: str) -> list[int]:
    return list(await asyncio.gather(*(status_with(client, secret) for secret in secrets)))


async def status_with(client: Any, secret: str) -> int:
    return int((await client.ask(client_secret=secret)).status)


async def test_in_an_overlap_both_secrets_are_taken_and_no_other(identity: Any) -> None:
    _, client = await identity.owner()
    path = f"/clients/{client.row_id}/secrets"
    added = await identity.services.made(path, {"overlap_s": 3600})
    second = added["client_secret"]
    assert await statuses(client, client.secret, second, "wrong", "", client.secret[:-1]) == [200, 200, 401, 401, 401]
    [old, new] = (await identity.services.get(path))["items"]
    assert (old["ends_at"] is not None, new["ends_at"], new["id"]) == (True, None, added["id"])
    assert (await identity.services.call("DELETE", f"{path}/{old['id']}")).status == 204
    assert await statuses(client, client.secret, second) == [401, 200]
    assert (await identity.services.call("DELETE", f"{path}/{new['id']}")).status == 204
    assert await statuses(client, client.secret, second) == [401, 401]


async def test_they_are_listed_with_the_hour_of_their_last_use_and_without_values(identity: Any) -> None:
    _, client = await identity.owner()
    path = f"/clients/{client.row_id}/secrets"
    [unused] = (await identity.services.get(path))["items"]
    assert unused["last_used_at"] is None
    await client.token()
    answer = await identity.services.call("GET", path)
    [used] = json.loads(answer.content)["items"]
    assert used["last_used_at"].endswith(":00:00Z") and used["last_used_at"] <= used["created_at"]
    assert set(used) == {"id", "created_at", "ends_at", "last_used_at"}
    assert "scrypt" not in answer.text and client.secret not in answer.text
    assert await statuses(client, "wrong") == [401]
    assert (await identity.services.get(path))["items"] == [used]


async def test_an_ended_secret_ends_the_tokens_it_may_have_got(identity: Any) -> None:
    _, client = await identity.owner()
    token = await client.token()
    path = f"/clients/{client.row_id}/secrets"
    await identity.services.made(path, {"overlap_s": 0})
    assert json.loads((await identity.services.form("introspect", token=token)).content)["active"]
    [ended, _] = (await identity.services.get(path))["items"]
    assert (await identity.services.call("DELETE", f"{path}/{ended['id']}")).status == 204
    assert not json.loads((await identity.services.form("introspect", token=token)).content)["active"]


async def test_only_operators_have_to_do_with_secrets(identity: Any) -> None:
    firm, owner = await identity.owner()
    partner = await identity.partner()
    await owner.made("/consents", {"client_id": partner.client_id, "scopes": ["documents:read"]})
    mine = f"/clients/{partner.row_id}/secrets"
    [known] = (await identity.services.get(mine))["items"]
    for client in (owner, partner):
        for method, path in (("GET", mine), ("POST", mine), ("DELETE", f"{mine}/{known['id']}")):
            body: dict[str, Any] = {"json": {}} if method == "POST" else {}
            assert (await client.call(method, path, **body)).status == 403, (client.client_id, method)
    others = f"/clients/{owner.row_id}/secrets/{known['id']}"
    assert (await identity.services.call("DELETE", others)).status == 404
    for path in (f"/clients/{new_id()}/secrets", f"/clients/{firm}/secrets"):
        assert (await identity.services.call("GET", path)).status == 404
    assert await statuses(partner, partner.secret) == [200]
