"""One endpoint of a partner that several firms consent to: each firm is asked for, and may leave at any time."""

from typing import Any

import pytest

from koppel_mesh.ids import new_id
from koppel_mesh.messages import DeliveryState

from .receiver import answers

pytestmark = pytest.mark.asyncio(loop_scope="module")
GOOD = {"url": "http://127.0.0.1:9/hooks", "event_types": ["document.received"]}


def of_one_client(hooks: Any, count: int = 2) -> list[Any]:
    """Give one client's tokens of several firms."""
    client = f"c-{new_id()}"
    return [hooks.partner(client=client) for _ in range(count)]


def ids(*partners: Any) -> list[str]:
    return [str(partner.firm_id) for partner in partners]


async def test_events_of_every_firm_come_to_one_endpoint_and_of_no_other(hooks: Any, receivers: Any) -> None:
    one, other, third = of_one_client(hooks, 3)
    receiver = await receivers()
    endpoint = await one.verified(receiver, firm_ids=ids(one, other))
    assert sorted(endpoint["firm_ids"]) == sorted(ids(one, other))
    await hooks.deliver(one.document(), other.document(), third.document(), hooks.partner().document())
    await hooks.until(lambda: len(receiver.events) == 2)
    await hooks.work(0.1)
    assert {event["firmid"] for event in receiver.events} == set(ids(one, other))
    for partner in (one, other):
        (delivery,) = await partner.deliveries(endpoint)
        assert delivery["state"] == "delivered"
    assert (await third.call("GET", f"/endpoints/{endpoint['id']}")).status_code == 404
    assert (await third.get("/endpoints"))["items"] == []


async def test_a_firm_that_has_not_consented_is_refused_and_nothing_kept(hooks: Any) -> None:
    one, other = of_one_client(hooks)
    hooks.identity.withdrawn.add((other.client, other.firm_id))
    answer = await one.call("POST", "/endpoints", json={**GOOD, "firm_ids": ids(one, other)})
    assert (answer.status_code, answer.json()["code"]) == (422, "firm_has_not_consented")
    assert answer.json()["errors"][0]["field"] == "body.firm_ids"
    assert (await one.get("/endpoints"))["items"] == []
    endpoint = await one.register(GOOD["url"])
    at = f"/endpoints/{endpoint['id']}"
    assert (await one.call("PATCH", at, json={"firm_ids": ids(other)})).status_code == 422
    assert (await one.get(at))["firm_ids"] == ids(one)
    for wrong in ([], ["nonsense"], [None]):
        assert (await one.call("PATCH", at, json={"firm_ids": wrong})).status_code == 422, wrong
    hooks.identity.away = True
    away = await one.call("POST", "/endpoints", json={**GOOD, "firm_ids": ids(one, other)})
    assert (away.status_code, away.headers["retry-after"]) == (503, "5")


async def test_where_another_issuer_gives_tokens_a_token_speaks_for_its_firm_alone(hooks: Any) -> None:
    one, other = of_one_client(hooks)
    hooks.set(oidc_issuer="https://login.example")
    answer = await one.call("POST", "/endpoints", json={**GOOD, "firm_ids": ids(one, other)})
    assert (answer.status_code, answer.json()["code"]) == (422, "firm_has_not_consented")
    assert (await one.register(GOOD["url"], firm_ids=ids(one)))["firm_ids"] == ids(one)


async def test_a_firm_that_withdraws_on_the_way_stops_its_events_and_no_others(hooks: Any, receivers: Any) -> None:
    one, other = of_one_client(hooks)
    receiver = await receivers()
    endpoint = await one.verified(receiver, "document.received", "delivery.booked", firm_ids=ids(one, other))
    receiver.behaviour = answers(500)
    documents = one.document(), other.document()
    await hooks.deliver(*documents)
    await hooks.until(lambda: {event["firmid"] for event in receiver.events} == set(ids(one, other)))
    hooks.identity.withdrawn.add((other.client, other.firm_id))
    receiver.behaviour, before = answers(200), len(receiver.events)
    await hooks.deliver(one.delivery(documents[0], DeliveryState.BOOKED, 2))
    await hooks.deliver(other.delivery(documents[1], DeliveryState.BOOKED, 2))

    async def all_over() -> bool:
        mine, theirs = await one.deliveries(endpoint), await other.deliveries(endpoint)
        states = [one["state"] for one in mine], [one["state"] for one in theirs]
        return states == (["delivered"] * 2, ["withheld"] * 2)

    await hooks.until(all_over)
    assert {event["firmid"] for event in receiver.events[before:]} == set(ids(one))
    span = {"from": "2026-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"}
    before = len(receiver.events)
    await one.call("POST", f"/endpoints/{endpoint['id']}/replay", json=span)
    await hooks.until(lambda: len(receiver.events) == before + 2)
    await hooks.work(0.1)
    assert {event["firmid"] for event in receiver.events[before:]} == set(ids(one))


async def test_a_firm_that_was_taken_off_gets_nothing_more_sent_not_even_what_was_on_its_way(
    hooks: Any, receivers: Any
) -> None:
    one, other = of_one_client(hooks)
    receiver = await receivers()
    endpoint = await one.verified(receiver, firm_ids=ids(one, other))
    at = f"/endpoints/{endpoint['id']}"
    await one.call("PATCH", at, json={"state": "paused"})
    await hooks.deliver(one.document(), other.document())
    changed = await one.call("PATCH", at, json={"firm_ids": ids(one)})
    assert changed.json()["firm_ids"] == ids(one)
    await one.call("POST", f"{at}/enable")
    await hooks.until(lambda: receiver.events)
    await hooks.work(0.1)
    assert [event["firmid"] for event in receiver.events] == ids(one)
    assert (await other.call("GET", at)).status_code == 404


async def test_any_firm_s_token_manages_it_and_reads_its_own_firm_s_deliveries(hooks: Any, receivers: Any) -> None:
    one, other = of_one_client(hooks)
    receiver = await receivers()
    endpoint = await one.verified(receiver, firm_ids=ids(one, other))
    await hooks.deliver(one.document())
    await hooks.until(lambda: receiver.events)
    assert [each["id"] for each in (await other.get("/endpoints"))["items"]] == [endpoint["id"]]
    assert await other.deliveries(endpoint) == []
    # The firm of the token that registered it withdraws: the partner still has a hand on it.
    hooks.identity.withdrawn.add((one.client, one.firm_id))
    assert (await other.call("POST", f"/endpoints/{endpoint['id']}/test")).json()["outcome"] == "delivered"
    assert (await other.call("DELETE", f"/endpoints/{endpoint['id']}")).status_code == 204
