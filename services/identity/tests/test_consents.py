"""A partner does for a firm what the firm consents to, as long as it does, and for no other firm."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from koppel_mesh.ids import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def granted(owner: Any, partner: Any, *scopes: str) -> Any:
    return await owner.made("/consents", {"client_id": partner.client_id, "scopes": list(scopes or ["documents:read"])})


async def refusal(client: Any, **form: str) -> tuple[int, str]:
    answer = await client.ask(**form)
    return answer.status, json.loads(answer.content)["error"]


async def test_a_partner_without_a_consent_gets_no_token(identity: Any) -> None:
    partner = await identity.partner()
    (firm, _) = await identity.owner()
    for form in ({}, {"firm_id": str(firm)}, {"firm_id": str(new_id())}, {"scope": "documents:read"}):
        assert await refusal(partner, **form) == (400, "access_denied")
    partner.secret = "wrong"
    assert await refusal(partner, firm_id=str(firm)) == (401, "invalid_client"), "told to the partner alone"


async def test_a_firm_that_does_not_consent_is_answered_like_one_that_is_not_there(identity: Any) -> None:
    partner = await identity.partner()
    (_, owner), (other, _) = await identity.owner(), await identity.owner()
    await granted(owner, partner)
    answers = [await partner.ask(firm_id=str(firm)) for firm in (other, new_id())]
    assert {(one.status, one.content) for one in answers} == {(400, answers[0].content)}
    assert await refusal(partner, firm_id="everything") == (400, "invalid_request")
    for client in (owner, identity.services):
        assert await refusal(client, firm_id=str(other)) == (400, "access_denied")


async def test_a_partner_of_several_firms_names_one(identity: Any) -> None:
    partner = await identity.partner()
    (first, owner), (second, another) = await identity.owner(), await identity.owner()
    await granted(owner, partner)
    assert (await seen(identity, partner))[0] == first, "one firm needs no name"
    await granted(another, partner, "documents:write")
    answer = await partner.ask()
    assert (answer.status, json.loads(answer.content)["error"]) == (400, "invalid_request")
    assert "firm_id" in json.loads(answer.content)["error_description"]
    assert json.loads(answer.content)["firm_ids"] == sorted([str(first), str(second)])
    guessed = await partner.ask(client_secret="guessed")
    assert str(first) not in guessed.text, "whose partner it is, is told to itself alone"
    assert await seen(identity, partner, firm_id=str(first)) == (first, {"documents:read"})
    assert await seen(identity, partner, firm_id=str(second)) == (second, {"documents:write"})


async def seen(identity: Any, client: Any, **form: str) -> tuple[UUID, set[str]]:
    caller = await identity.context.verifier.verify(await client.token(**form))
    return caller.firm_id, set(caller.scopes)


async def test_a_token_has_what_is_asked_for_and_the_client_has_and_the_firm_consents_to(identity: Any) -> None:
    partner = await identity.partner()
    firm, owner = await identity.owner()
    await granted(owner, partner, "documents:read", "webhooks:write")
    assert (await seen(identity, partner))[1] == {"documents:read", "webhooks:write"}
    assert (await seen(identity, partner, scope="documents:read documents:write"))[1] == {"documents:read"}
    assert await refusal(partner, scope="documents:write") == (400, "invalid_scope")
    changed = await identity.services.call("PATCH", f"/clients/{partner.row_id}", json={"scopes": ["webhooks:write"]})
    assert changed.status == 200
    assert await seen(identity, partner) == (firm, {"webhooks:write"})


async def test_a_partners_token_is_short_and_bound_to_the_firm(identity: Any) -> None:
    partner = await identity.partner()
    (_, owner) = await identity.owner()
    await granted(owner, partner)
    settings = identity.context.settings
    lifetimes = [json.loads((await one.ask()).content)["expires_in"] for one in (partner, owner)]
    assert lifetimes == [settings.partner_token_lifetime_s, settings.token_lifetime_s]
    assert lifetimes[0] < lifetimes[1]


async def test_a_withdrawn_consent_ends_tokens_and_events_at_once_and_stays_to_be_read(identity: Any) -> None:
    partner = await identity.partner()
    firm, owner = await identity.owner()
    consent = await granted(owner, partner, "webhooks:write")
    asked = f"/client-access?client_id={partner.client_id}&firm_id={firm}"
    assert (await identity.services.get(asked))["items"] == [
        {"client_id": partner.client_id, "kind": "partner", "firm_id": str(firm), "scopes": ["webhooks:write"]}
    ]
    for _ in range(2):
        assert (await owner.call("DELETE", f"/consents/{consent['id']}")).status == 204
    assert await refusal(partner) == (400, "access_denied")
    assert (await identity.services.get(asked))["items"] == []
    [kept] = (await owner.get("/consents"))["items"]
    assert (kept["granted_by"], kept["withdrawn_by"]) == (owner.client_id, owner.client_id)
    assert kept["granted_at"] < kept["withdrawn_at"]
    assert (await granted(owner, partner, "webhooks:write"))["id"] != consent["id"]
    assert (await seen(identity, partner))[0] == firm


async def test_a_consent_can_be_given_to_partners_alone_and_for_what_they_may_have(identity: Any) -> None:
    (firm, owner), partner = await identity.owner(), await identity.partner(["documents:read"])
    disabled = await identity.partner()
    await identity.services.call("PATCH", f"/clients/{disabled.row_id}", json={"disabled": True})
    for client_id, scope, code, field in (
        ("nobody", "documents:read", "no_such_partner", "body.client_id"),
        (identity.services.client_id, "documents:read", "no_such_partner", "body.client_id"),
        (owner.client_id, "documents:read", "no_such_partner", "body.client_id"),
        (disabled.client_id, "documents:read", "no_such_partner", "body.client_id"),
        (partner.client_id, "documents:write", "not_of_the_partner", "body.scopes"),
        (partner.client_id, "admin", "not_of_the_partner", "body.scopes"),
        (partner.client_id, "everything", "invalid_request", "body.scopes"),
    ):
        answer = await owner.call("POST", "/consents", json={"client_id": client_id, "scopes": [scope]})
        problem = json.loads(answer.content)
        assert (answer.status, problem["code"], problem["errors"][0]["field"]) == (422, code, field)
    assert (await owner.get("/consents"))["items"] == []
    body = {"client_id": partner.client_id, "scopes": ["documents:read"]}
    of_nobody = await identity.services.call("POST", "/consents", json=body)
    assert (of_nobody.status, json.loads(of_nobody.content)["code"]) == (403, "bound_to_no_firm")
    no_admin = await identity.client("firm", ["documents:read"], firm)
    assert (await no_admin.call("POST", "/consents", json=body)).status == 403


async def test_one_firm_sees_and_withdraws_its_own_consents_alone(identity: Any) -> None:
    partner = await identity.partner()
    (firm, owner), (_, other) = await identity.owner(), await identity.owner()
    consent = await granted(owner, partner)
    assert (await other.get("/consents"))["items"] == []
    assert (await other.call("DELETE", f"/consents/{consent['id']}")).status == 404
    of_all = await identity.services.get(f"/consents?client_id={partner.client_id}")
    assert [(one["id"], one["firm_id"], one["withdrawn_at"]) for one in of_all["items"]] == [
        (consent["id"], str(firm), None)
    ]


async def test_the_newest_consent_holds_and_the_same_one_is_made_once(identity: Any) -> None:
    partner = await identity.partner()
    _, owner = await identity.owner()
    body = {"client_id": partner.client_id, "scopes": ["documents:read"], "reason": "our till"}
    made = [await owner.made("/consents", body, key="k") for _ in range(2)]
    assert made[0] == made[1]
    assert (await owner.made("/consents", body, 200))["id"] == made[0]["id"]
    wider = {**body, "scopes": ["documents:read", "documents:write"]}
    answers = await asyncio.gather(*(owner.call("POST", "/consents", json=wider) for _ in range(4)))
    assert sorted(one.status for one in answers) == [200, 200, 200, 201]
    kept = (await owner.get("/consents"))["items"]
    assert [one["withdrawn_at"] is None for one in kept] == [False, True]
    assert (await seen(identity, partner))[1] == {"documents:read", "documents:write"}


async def test_every_client_says_what_it_is_and_a_partner_is_never_unbound(identity: Any) -> None:
    named = {"name": "x", "scopes": ["documents:read"]}
    for wrong, field in (
        ({}, "body.firm_id"),
        ({"kind": "firm"}, "body.firm_id"),
        ({"kind": "partner", "firm_id": str(new_id())}, "body.firm_id"),
        ({"kind": "service", "firm_id": str(new_id())}, "body.firm_id"),
        ({"kind": "partner", "scopes": ["admin"]}, "body.scopes"),
        ({"kind": "everything"}, "body.kind"),
    ):
        body = {"client_id": f"c-{new_id()}", **named, **wrong}
        answer = await identity.services.call("POST", "/clients", json=body)
        assert (answer.status, json.loads(answer.content)["errors"][0]["field"]) == (422, field), wrong
    partner = await identity.partner()
    changed = await identity.services.call("PATCH", f"/clients/{partner.row_id}", json={"scopes": ["admin"]})
    assert changed.status == 422
    shown = await identity.services.get(f"/clients/{partner.row_id}")
    assert (shown["kind"], shown["firm_id"], "admin" in shown["scopes"]) == ("partner", None, False)


async def test_consents_to_a_client_that_goes_are_withdrawn_and_kept(identity: Any) -> None:
    partner = await identity.partner()
    _, owner = await identity.owner()
    await granted(owner, partner)
    assert (await identity.services.call("DELETE", f"/clients/{partner.row_id}")).status == 204
    body = {"client_id": partner.client_id, "name": "Another", "kind": "partner", "scopes": ["documents:read"]}
    again = await identity.services.made("/clients", body)
    partner.secret = again["client_secret"]
    assert await refusal(partner) == (400, "access_denied"), "another client took over what this one was let do"
    [kept] = (await owner.get("/consents"))["items"]
    assert (kept["client_id"], kept["withdrawn_by"]) == (partner.client_id, identity.services.client_id)


async def test_the_version_before_is_understood_and_sees_no_partner_as_unbound(identity: Any) -> None:
    """It writes no kind, and binds a token to whatever firm stands in the row."""
    (firm, owner), partner = await identity.owner(), await identity.partner()
    async with identity.context.database.transaction() as tx:
        await tx.execute(text("UPDATE client SET kind = NULL WHERE kind <> 'partner'"))
        rows = await tx.execute(text("SELECT firm_id FROM client WHERE client_id = :id"), {"id": partner.client_id})
        assert rows.scalar_one() not in {None, firm}
    assert (await seen(identity, owner))[0] == firm
    assert (await seen(identity, identity.services))[0] is None
    shown = {one["client_id"]: one["kind"] for one in (await identity.services.get("/clients?limit=200"))["items"]}
    assert (shown[owner.client_id], shown[identity.services.client_id]) == ("firm", "service")
    path = f"/client-access?client_id={owner.client_id}&client_id={identity.services.client_id}"
    assert [(one["kind"], one["firm_id"]) for one in (await identity.services.get(path))["items"]] == [
        ("firm", str(firm))
    ]
    async with identity.context.database.transaction() as tx:
        kinds = "CASE WHEN firm_id IS NULL THEN 'service' ELSE 'firm' END"
        await tx.execute(text(f"UPDATE client SET kind = {kinds} WHERE kind IS NULL"))


@pytest.mark.parametrize(
    "columns",
    [
        "'partner', NULL",
        "'service', gen_random_uuid()",
        "'firm', NULL",
        "'partner', gen_random_uuid()",
        "'other', NULL",
    ],
)
async def test_no_row_can_be_of_a_kind_that_it_is_not(identity: Any, columns: str) -> None:
    values = f"gen_random_uuid(), gen_random_uuid()::text, 'x', '{{}}', {columns}"
    with pytest.raises(IntegrityError):
        async with identity.context.database.transaction() as tx:
            await tx.execute(text(f"INSERT INTO client (id, client_id, name, scopes, kind, firm_id) VALUES ({values})"))
