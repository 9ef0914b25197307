"""A firm leaves: nothing more is sent of it or to it, and an endpoint that serves other firms goes on for them."""

import json
from typing import Any

import pytest

from koppel_mesh.firm_data.export import holdings_of, lines_of
from koppel_mesh.firm_data.leaving import ask_for_deletion, delete_firm
from koppel_mesh.ids import new_id
from webhooks import owner_mails
from webhooks.service import SERVICE

from .receiver import hangs

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def leave(hooks: Any, partner: Any) -> Any:
    await ask_for_deletion(hooks.context, partner.firm_id, "operator")
    return await delete_firm(hooks.context, partner.firm_id)


async def until_recorded(hooks: Any, endpoint: Any) -> None:
    """Wait until it is known of each event what became of it: the receiver has it earlier."""

    async def is_recorded() -> bool:
        return not await hooks.sql(
            "SELECT 1 FROM delivery WHERE endpoint_id = :id AND due_at IS NOT NULL", id=endpoint["id"]
        )

    await hooks.until(is_recorded)


async def test_what_is_being_sent_is_waited_for(hooks: Any, receivers: Any) -> None:
    leaving, receiver = hooks.partner(client=f"c-{new_id()}"), await receivers()
    endpoint = await leaving.verified(receiver)
    receiver.behaviour = hangs
    await hooks.deliver(leaving.document())
    leased = "SELECT 1 FROM delivery WHERE endpoint_id = :id AND leased_until > now()"

    async def is_sending() -> bool:
        return bool(await hooks.sql(leased, id=endpoint["id"]))

    await hooks.until(is_sending)
    done = await leave(hooks, leaving)
    assert (done.is_complete, done.under_way, done.deleted) == (False, {"delivery": 1}, {})

    async def has_ended() -> bool:
        return not await is_sending()

    await hooks.until(has_ended)
    done = await leave(hooks, leaving)
    assert done.is_complete and done.deleted["endpoint"] == done.deleted["secret"] == 1
    assert await hooks.sql("SELECT 1 FROM secret WHERE endpoint_id = :id", id=endpoint["id"]) == []


async def test_what_waits_is_not_sent_any_more(hooks: Any, receivers: Any) -> None:
    leaving, staying = (hooks.partner(client=f"c-{new_id()}") for _ in range(2))
    receiver, other = await receivers(), await receivers()
    await leaving.verified(receiver)
    await staying.verified(other)
    await hooks.deliver(leaving.document(), staying.document())
    assert (await leave(hooks, leaving)).is_complete
    await hooks.deliver(leaving.document())
    await hooks.until(lambda: len(other.events) == 1)
    await hooks.work(0.2)
    assert receiver.events == []
    held = "SELECT 1 FROM event WHERE firm_id = :id"
    assert await hooks.sql(held, id=leaving.firm_id) == [], "what came late is not kept"
    assert len(await hooks.sql(held, id=staying.firm_id)) == 1


async def test_an_endpoint_of_several_firms_goes_on_for_the_others(hooks: Any, receivers: Any) -> None:
    client = f"c-{new_id()}"
    leaving, staying = (hooks.partner(client=client) for _ in range(2))
    receiver = await receivers()
    endpoint = await leaving.verified(receiver, firm_ids=[str(leaving.firm_id), str(staying.firm_id)])
    await hooks.deliver(leaving.document(), staying.document())
    await hooks.until(lambda: len(receiver.events) == 2)
    await until_recorded(hooks, endpoint)
    assert (await leave(hooks, leaving)).is_complete
    shown = await staying.get(f"/endpoints/{endpoint['id']}")
    assert (shown["state"], shown["firm_ids"]) == ("active", [str(staying.firm_id)])
    assert (await leaving.call("GET", f"/endpoints/{endpoint['id']}")).status_code == 404
    await hooks.deliver(leaving.document(), staying.document())
    await hooks.until(lambda: len(receiver.events) == 3)
    await until_recorded(hooks, endpoint)
    assert [event["firmid"] for event in receiver.events].count(str(leaving.firm_id)) == 1
    deliveries = await staying.deliveries(endpoint)
    assert {each["state"] for each in deliveries} == {"delivered"} and len(deliveries) == 2


async def test_an_endpoint_that_serves_only_others_goes_on_for_them(hooks: Any, receivers: Any) -> None:
    """The firm of the token that registered it was taken off it long ago, and leaves now."""
    client = f"c-{new_id()}"
    leaving, staying = (hooks.partner(client=client) for _ in range(2))
    receiver = await receivers()
    endpoint = await leaving.verified(receiver, firm_ids=[str(leaving.firm_id), str(staying.firm_id)])
    at = f"/endpoints/{endpoint['id']}"
    assert (await leaving.call("PATCH", at, json={"firm_ids": [str(staying.firm_id)]})).status_code == 200
    assert (await leave(hooks, leaving)).is_complete
    shown = await staying.get(at)
    assert (shown["state"], shown["firm_ids"]) == ("active", [str(staying.firm_id)])
    await hooks.deliver(staying.document())
    await hooks.until(lambda: len(receiver.events) == 1)


async def copy_of(hooks: Any, partner: Any) -> dict[str, list[Any]]:
    """Return the rows of a firm's copy by table."""
    parts = [part async for part in lines_of(hooks.context.database, holdings_of(SERVICE), partner.firm_id)]
    rows: dict[str, list[Any]] = {}
    for line in [json.loads(line) for part in parts for line in part.splitlines()][:-1]:
        rows.setdefault(line["table"], []).append(line["row"])
    return rows


async def test_a_copy_shows_of_a_shared_endpoint_what_it_was_sent_of_the_firm(hooks: Any, receivers: Any) -> None:
    client = f"c-{new_id()}"
    one, other = (hooks.partner(client=client) for _ in range(2))
    receiver = await receivers()
    who = {"contact_email": "ops@partner.example", "firm_ids": [str(one.firm_id), str(other.firm_id)]}
    endpoint = await one.verified(receiver, **who)
    await hooks.deliver(one.document(), other.document())
    await hooks.until(lambda: len(receiver.events) == 2)
    await until_recorded(hooks, endpoint)
    await hooks.sql(
        "INSERT INTO owner_mail (id, endpoint_id, recipient, subject, content) VALUES (:id, :of, 'x@y.example', 's', 'c')",
        id=new_id(),
        of=endpoint["id"],
    )
    ids = {event["firmid"]: event["id"] for event in receiver.events}
    for partner in (one, other):
        rows = await copy_of(hooks, partner)
        assert not {"endpoint", "secret", "owner_mail"} & set(rows), "the partner's, who serves others by it"
        for table in ("attempt", "delivery"):
            assert [row["event_id"] for row in rows[table]] == [ids[str(partner.firm_id)]], table


async def test_a_copy_shows_the_endpoint_that_serves_the_firm_alone(hooks: Any, receivers: Any) -> None:
    firm, receiver = hooks.partner(client=f"c-{new_id()}"), await receivers()
    for firm_ids in (None, [str(firm.firm_id)]):
        more = {} if firm_ids is None else {"firm_ids": firm_ids}
        endpoint = await firm.verified(receiver, **more)
        rows = await copy_of(hooks, firm)
        assert endpoint["id"] in [row["id"] for row in rows["endpoint"]] and rows["secret"]


async def test_mails_to_owners_go_after_their_days_also_where_there_is_no_mail_server_any_more(
    hooks: Any, receivers: Any
) -> None:
    partner = hooks.partner()
    endpoint = await partner.verified(await receivers())
    days = hooks.context.settings.webhook_event_days
    made = (("old", days + 1, "NULL"), ("new", days - 1, "NULL"), ("waiting", days + 1, "now() + interval '1 hour'"))
    for recipient, age, due_at in made:
        await hooks.sql(
            "INSERT INTO owner_mail (id, endpoint_id, recipient, subject, content, created_at, due_at)"
            f" VALUES (:id, :of, :to, 's', 'c', now() - interval '{age} days', {due_at})",
            id=new_id(),
            of=endpoint["id"],
            to=recipient,
        )
    assert hooks.context.settings.mail_server is None
    assert not await owner_mails.send_due(hooks.context)
    left = await hooks.sql("SELECT recipient FROM owner_mail WHERE endpoint_id = :id", id=endpoint["id"])
    assert {row["recipient"] for row in left} == {"new", "waiting"}
