"""Who gave or took which right is kept, with when and from where; a firm reads of itself alone; no secret is in it."""

import json
import logging
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from structlog import make_filtering_bound_logger
from structlog.testing import LogCapture

from identity import audit_log
from koppel_mesh.http import audit
from koppel_mesh.ids import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def acts(reader: Any, query: str = "") -> list[tuple[str, str]]:
    return [(one["act"], one["actor"]) for one in (await reader.get(f"/audit-log{query}"))["items"]]


async def test_a_firm_reads_what_was_done_with_its_rights_and_no_other_firm_does(identity: Any) -> None:
    (firm, owner), (_, other) = await identity.owner(), await identity.owner()
    partner = await identity.partner()
    body = {"client_id": partner.client_id, "scopes": ["documents:read"]}
    consent = await owner.made("/consents", body, key="once")
    await owner.made("/consents", body, key="once")
    token = await partner.token()
    await identity.services.form("revoke", token=token)
    await owner.call("DELETE", f"/consents/{consent['id']}")
    await owner.call("DELETE", f"/consents/{consent['id']}")
    services = identity.services.client_id
    assert await acts(owner) == [
        ("consent.withdrawn", owner.client_id),
        ("token.revoked", services),
        ("consent.granted", owner.client_id),
        ("client.created", services),
    ]
    withdrawn, *_, created = (await owner.get("/audit-log"))["items"]
    assert withdrawn["about"] == {"consent_id": consent["id"], **body}
    assert (withdrawn["firm_id"], withdrawn["source"]) == (str(firm), "127.0.0.1")
    assert withdrawn["request_id"] and withdrawn["at"] > created["at"]
    assert {one["firm_id"] for one in (await other.get("/audit-log"))["items"]}.isdisjoint({str(firm)})
    assert await acts(owner, f"?act=consent.granted&actor={owner.client_id}") == [("consent.granted", owner.client_id)]
    first = await owner.get("/audit-log?limit=3")
    rest = await owner.get(f"/audit-log?limit=3&after={first['next']}")
    assert [one["act"] for one in rest["items"]] == ["client.created"]


async def test_operators_read_everything_of_clients_secrets_and_keys(identity: Any) -> None:
    partner = await identity.partner()
    path = f"/clients/{partner.row_id}"
    added = await identity.services.made(f"{path}/secrets", {"overlap_s": 60})
    await identity.services.call("DELETE", f"{path}/secrets/{added['id']}")
    await identity.services.call("PATCH", path, json={"disabled": True})
    await identity.services.call("DELETE", path)
    await identity.services.call("POST", "/signing-keys/rotate")
    answer = await identity.services.call("GET", f"/audit-log?actor={identity.services.client_id}&limit=6")
    assert [one["act"] for one in json.loads(answer.content)["items"]] == [
        "signing_key.rotated",
        "client.deleted",
        "client.changed",
        "secret.ended",
        "secret.added",
        "client.created",
    ]
    assert added["client_secret"] not in answer.text and partner.secret not in answer.text


async def test_what_is_refused_leaves_no_act_and_a_refused_token_does(identity: Any) -> None:
    _, owner = await identity.owner()
    await owner.call("POST", "/consents", json={"client_id": "nobody", "scopes": ["documents:read"]})
    await owner.ask(client_secret="guessed-secret")
    await owner.ask(scope="documents:write")
    await owner.ask(client_id="nobody-at-all", client_secret="guessed-secret")
    items = (await owner.get("/audit-log"))["items"]
    assert [one["act"] for one in items] == ["token.refused", "token.refused", "client.created"]
    assert [one["about"]["error"] for one in items[:2]] == ["invalid_scope", "invalid_client"]
    assert "guessed-secret" not in json.dumps(items)


async def test_it_is_read_with_the_scope_admin_and_kept_for_a_time(identity: Any) -> None:
    firm, owner = await identity.owner()
    reader = await identity.client("firm", ["documents:read"], firm)
    assert (await reader.call("GET", "/audit-log")).status == 403
    async with identity.context.database.transaction() as tx:
        aged = text("UPDATE audit_entry SET at = now() - interval '11 days' WHERE firm_id = :firm_id")
        await tx.execute(aged, {"firm_id": firm})
        await audit_log.forget(tx, 12)
    assert len(await acts(owner)) == 2
    async with identity.context.database.transaction() as tx:
        await audit_log.forget(tx, 10)
    assert await acts(owner) == []


async def test_every_change_is_a_line_of_the_log_with_ids_and_without_bodies(
    identity: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm, owner = await identity.owner()
    consent = new_id()
    await owner.get("/consents")
    kept = LogCapture()
    monkeypatch.setattr(audit, "log", structlog.wrap_logger(None, [kept], make_filtering_bound_logger(logging.INFO)))
    await owner.call("DELETE", f"/consents/{consent}")
    await owner.get("/consents")
    await owner.ask(client_secret="guessed-secret")
    assert kept.entries == [
        {
            "event": "audit",
            "log_level": "info",
            "service": "identity",
            "client": client,
            "firm_id": firm_id,
            "method": method,
            "route": route,
            "objects": objects,
            "status": status,
            "source": "127.0.0.1",
        }
        for client, firm_id, method, route, objects, status in (
            (owner.client_id, str(firm), "DELETE", "/v1/consents/{consent_id}", {"consent_id": str(consent)}, 404),
            (None, None, "POST", "/oauth/token", {}, 401),
        )
    ]
