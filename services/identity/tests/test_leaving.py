"""A firm leaves: no token of it is given or taken any more, and what it had allowed stays to be read by the operator."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from koppel_mesh.clock import brussels_date
from koppel_mesh.ids import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def rows(identity: Any, query: str, **values: Any) -> list[Any]:
    async with identity.context.database.reading() as reading:
        return list(await reading.execute(text(query), values))


async def leave(identity: Any, firm: Any) -> Any:
    answer = await identity.services.call("DELETE", f"/firms/{firm}/data?confirm={firm}")
    assert answer.status == 200, answer.text
    return json.loads(answer.content)


async def test_only_the_operator_deletes_and_says_whom_twice(identity: Any) -> None:
    firm, owner = await identity.owner()
    answer = await owner.call("DELETE", f"/firms/{firm}/data?confirm={firm}")
    assert (answer.status, json.loads(answer.content)["code"]) == (403, "bound_to_a_firm")
    for confirm in ("", f"?confirm={new_id()}"):
        answer = await identity.services.call("DELETE", f"/firms/{firm}/data{confirm}")
        assert (answer.status, json.loads(answer.content)["code"]) == (422, "not_confirmed")
    assert (await owner.ask()).status == 200


async def test_who_administers_a_firm_sees_its_data_and_no_other(identity: Any) -> None:
    firm, owner = await identity.owner()
    other, _ = await identity.owner()
    reader = await identity.client("firm", ["documents:read"], firm)
    for path in ("data", "holdings"):
        assert (await owner.call("GET", f"/firms/{firm}/{path}")).status == 200
        assert (await owner.call("GET", f"/firms/{other}/{path}")).status == 404
        assert (await reader.call("GET", f"/firms/{firm}/{path}")).status == 403
        assert (await identity.services.call("GET", f"/firms/{firm}/{path}")).status == 200
    exported = (await owner.call("GET", f"/firms/{firm}/data")).text
    lines = [json.loads(line) for line in exported.splitlines()]
    assert lines[-1] == {"end": True, "rows": len(lines) - 1}
    clients = {line["row"]["client_id"] for line in lines[:-1] if line["table"] == "client"}
    assert clients == {owner.client_id, reader.client_id}
    hashes = [row.hash for row in await rows(identity, "SELECT hash FROM secret")]
    assert len(hashes) >= 3 and not [each for each in hashes if each in exported]
    assert str(other) not in exported


async def test_clients_tokens_and_consents_end_and_the_log_stays(identity: Any) -> None:
    firm, owner = await identity.owner()
    staying, other = await identity.owner()
    partner = await identity.partner()
    consent = {"client_id": partner.client_id, "scopes": ["documents:read"]}
    for each in (owner, other):
        await each.made("/consents", consent)
    tokens = [await owner.token(), await partner.token(firm_id=str(firm)), await partner.token(firm_id=str(staying))]

    done = await leave(identity, firm)
    assert done["complete"] and done["deleted"] == {"secret": 1, "client": 1}
    assert {each["table"]: each["kept"] for each in done["left"]} == {"consent": 1, "audit_entry": 4}
    assert all(each["kept_because"] for each in done["left"])
    today = brussels_date(identity.context.now())
    assert {each["table"]: date.fromisoformat(each["kept_until"]) for each in done["left"]} == {
        "consent": date(today.year + 10, 12, 31),
        "audit_entry": today + timedelta(days=730),  # what the log forgets is not promised for longer
    }

    assert json.loads((await owner.ask()).content)["error"] == "invalid_client"
    assert (await partner.ask(firm_id=str(firm))).status == 400
    assert (await partner.ask(firm_id=str(staying))).status == 200 and (await other.ask()).status == 200
    active = [
        json.loads((await identity.services.form("introspect", token=token)).content)["active"] for token in tokens
    ]
    assert active == [False, False, True]
    withdrawn = await rows(identity, "SELECT withdrawn_by FROM consent WHERE firm_id = :firm", firm=firm)
    assert [row.withdrawn_by for row in withdrawn] == [identity.services.client_id]
    assert await leave(identity, firm) == done | {"deleted": {}}


async def test_a_partner_is_no_firm_that_could_leave(identity: Any) -> None:
    """Its own id stands in the column of the firm."""
    partner = await identity.partner()
    _, owner = await identity.owner()
    await owner.made("/consents", {"client_id": partner.client_id, "scopes": ["documents:read"]})
    (row,) = await rows(identity, "SELECT id FROM client WHERE client_id = :id", id=partner.client_id)
    assert (await leave(identity, row.id))["deleted"] == {}
    assert (await partner.ask()).status == 200


async def test_the_id_of_a_firm_that_left_is_not_given_again(identity: Any) -> None:
    """Its data is deleted again and again: a firm under the same id would lose its own."""
    firm, _ = await identity.owner()
    await leave(identity, firm)
    body = {"client_id": f"firm-{new_id()}", "name": "Again", "kind": "firm", "scopes": [], "firm_id": str(firm)}
    answer = await identity.services.call("POST", "/clients", json=body)
    assert (answer.status, json.loads(answer.content)["code"]) == (409, "firm_left")
