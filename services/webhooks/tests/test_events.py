"""Who missed something asks for it by cursor, or has it sent again; what has been kept long enough is gone."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from koppel_mesh.clock import utc_now
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DeliveryState, ProblemData
from webhooks import partitions
from webhooks.tables import PARTITIONED

from .receiver import answers

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def read_on(partner: Any, after: str | None = None, query: str = "limit=3") -> tuple[list[Any], str | None]:
    """Return every event after a cursor, and the cursor for what comes later."""
    items: list[Any] = []
    while True:
        page = await partner.get(f"/events?{query}" + (f"&after={after}" if after else ""))
        items += page["items"]
        if page["next"] is None:
            return items, after
        after = page["next"]


async def test_a_cursor_gives_every_event_once_in_order(hooks: Any) -> None:
    partner = hooks.partner()
    documents = [partner.document() for _ in range(10)]
    await hooks.deliver(*documents, hooks.partner().document())
    items, cursor = await read_on(partner)
    assert [one["subject"] for one in items] == [str(one.document_id) for one in documents]
    assert await read_on(partner, cursor) == ([], cursor)
    later = partner.document()
    await hooks.deliver(later)
    items, _ = await read_on(partner, cursor)
    assert [one["subject"] for one in items] == [str(later.document_id)]


async def test_who_wants_what_comes_from_now_on_begins_at_the_end(hooks: Any) -> None:
    partner = hooks.partner()
    assert (await partner.get("/events?after=end"))["items"] == []
    await hooks.deliver(partner.document(), hooks.partner().document())
    page = await partner.get("/events?after=end&event_types=delivery.booked")
    assert page["items"] == []
    later = partner.document()
    await hooks.deliver(hooks.partner().document(), later)
    items, _ = await read_on(partner, page["next"])
    assert [one["subject"] for one in items] == [str(later.document_id)]


async def test_the_id_of_the_last_webhook_is_a_cursor_too(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    await partner.verified(receiver)
    await hooks.deliver(partner.document())
    await hooks.until(lambda: receiver.events)
    await hooks.deliver(partner.document(), partner.document())
    items, _ = await read_on(partner, receiver.events[0]["id"])
    assert len(items) == 2
    await hooks.until(lambda: len(receiver.events) == 3)
    assert {one["id"]: one for one in receiver.events[1:]} == {one["id"]: one for one in items}
    other = await hooks.partner().call("GET", f"/events?after={receiver.events[0]['id']}")
    assert other.status_code == 404


async def test_events_are_asked_for_by_type(hooks: Any) -> None:
    partner = hooks.partner()
    document = partner.document(findings_count=1)
    await hooks.deliver(document)
    await hooks.deliver(partner.delivery(document, DeliveryState.BOOKED, 2))
    items, _ = await read_on(partner, query="event_types=delivery.booked&event_types=document.findings")
    assert [one["type"] for one in items] == ["document.findings", "delivery.booked"]
    for query in ("event_types=nothing", "after=nonsense", "limit=0", "limit=201"):
        assert (await partner.call("GET", f"/events?{query}")).status_code == 422, query


async def test_an_event_that_is_committed_late_is_not_skipped(hooks: Any) -> None:
    """One transaction records and does not commit; what another records meanwhile must not come before it."""
    partner = hooks.partner()
    slow, quick = partner.document(), partner.document()
    async with hooks.database.transaction() as tx:
        (handle,) = [one for event, one in hooks.context.service.handlers.items() if event is type(slow)]
        await handle(hooks.context, tx, [slow])
        other = asyncio.create_task(hooks.deliver(quick))
        await asyncio.sleep(0.2)
        assert await read_on(partner) == ([], None)
    await other
    items, _ = await read_on(partner)
    assert [one["subject"] for one in items] == [str(slow.document_id), str(quick.document_id)]


def a_problem(code: str, facts: str, who: str = "accountant") -> ProblemData:
    text = dict.fromkeys(("nl", "fr", "en"), f"{code} {facts}")
    return ProblemData.model_validate({"code": code, "message": text, "who_can_fix": who})


@pytest.mark.parametrize(("code", "event"), [("statement_gap", "statement.gap"), ("vat_unknown", "delivery.problem")])
async def test_a_problem_whose_facts_changed_is_told_again(hooks: Any, code: str, event: str) -> None:
    """The facts of a problem stand in its message: which statements are missing, which rate has no code."""
    partner = hooks.partner()
    document = partner.document()
    await hooks.deliver(document)
    for version, facts in enumerate(("11, 12", "11, 12", "12", "12", ""), start=2):
        problem = a_problem(code, facts) if facts else None
        await hooks.deliver(partner.delivery(document, DeliveryState.BLOCKED, version, problem=problem))
    items, _ = await read_on(partner, query=f"event_types={event}")
    assert [one["data"]["problem"]["message"]["en"] for one in items] == [f"{code} 11, 12", f"{code} 12"]


async def test_until_when_we_wait_is_no_news(hooks: Any) -> None:
    """A vendor that lets nothing through for hours gives another time at each try, for every document that waits."""
    partner = hooks.partner()
    document = partner.document()
    await hooks.deliver(document)
    for version, until in enumerate(("14:05", "14:10", "15:00"), start=2):
        problem = a_problem("too_many_errors", until, "operator")
        await hooks.deliver(partner.delivery(document, DeliveryState.READY, version, problem=problem))
    items, _ = await read_on(partner, query="event_types=delivery.problem")
    assert len(items) == 1


async def test_what_an_earlier_version_has_told_is_not_told_again(hooks: Any) -> None:
    """It kept code and detail of a problem; who upgrades sends no second event for each that is open."""
    partner = hooks.partner()
    document = partner.document()
    await hooks.deliver(document)
    gap, changed = a_problem("statement_gap", "11, 12"), a_problem("statement_gap", "12")
    await hooks.deliver(partner.delivery(document, DeliveryState.BLOCKED, 2, problem=gap))
    await hooks.sql("UPDATE known SET problem = 'statement_gap ' WHERE id = :id", id=document.document_id)
    await hooks.deliver(partner.delivery(document, DeliveryState.BLOCKED, 3, problem=gap))
    assert len((await read_on(partner, query="event_types=statement.gap"))[0]) == 1
    await hooks.deliver(partner.delivery(document, DeliveryState.BLOCKED, 4, problem=changed))
    assert len((await read_on(partner, query="event_types=statement.gap"))[0]) == 2


async def test_a_replay_repeats_ids_and_brings_what_was_before_the_endpoint(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    before = utc_now() - timedelta(minutes=1)
    document = partner.document()
    await hooks.deliver(document)
    await hooks.deliver(partner.delivery(document, DeliveryState.BOOKED, 2))
    endpoint = await partner.verified(receiver, "document.received", "delivery.booked")
    await hooks.deliver(partner.document())
    await hooks.until(lambda: len(receiver.events) == 1)
    await hooks.work(0.1)
    span = {"from": before.isoformat(), "to": (utc_now() + timedelta(minutes=1)).isoformat()}
    path = f"/endpoints/{endpoint['id']}/replay"
    key = {"Idempotency-Key": str(new_id())}
    answer = await partner.call("POST", path, json=span, headers=key)
    assert (answer.status_code, answer.json()) == (202, {"count": 3})
    await hooks.until(lambda: len(receiver.events) == 4)
    again = await partner.call("POST", path, json=span, headers=key)
    assert (again.status_code, again.json()) == (202, {"count": 3})
    await hooks.work(0.2)
    assert len(receiver.events) == 4, "the answer was given again, and nothing sent"
    assert receiver.events.count(receiver.events[0]) == 2
    items, _ = await read_on(partner)
    assert {one["id"] for one in receiver.events} == {one["id"] for one in items}
    await hooks.work(0.1)
    answer = await partner.call("POST", path, json={**span, "event_types": ["delivery.booked"]})
    assert answer.json() == {"count": 1}
    await hooks.until(lambda: len(receiver.events) == 5)
    assert receiver.events[-1]["type"] == "delivery.booked"
    for wrong in ({"from": span["to"], "to": span["from"]}, {"from": "2026-01-01"}, {**span, "event_types": []}, {}):
        assert (await partner.call("POST", path, json=wrong)).status_code == 422, wrong


async def test_a_replay_after_an_outage_sends_what_was_given_up(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    receiver.behaviour = answers(500)
    await hooks.deliver(partner.document())

    async def state() -> str:
        (delivery,) = await partner.deliveries(endpoint)
        return str(delivery["state"])

    async def is_failed() -> bool:
        return await state() == "failed"

    await hooks.until(is_failed)
    failed = await partner.get(f"/endpoints/{endpoint['id']}/deliveries?state=failed")
    assert len(failed["items"]) == 1
    receiver.behaviour = answers(200)
    span = {"from": "2026-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"}
    await partner.call("POST", f"/endpoints/{endpoint['id']}/replay", json=span)

    async def is_delivered() -> bool:
        return await state() == "delivered"

    await hooks.until(is_delivered)
    (delivery,) = await partner.deliveries(endpoint)
    assert [one["number"] for one in delivery["attempts"]] == [1, 2, 3, 4, 1]
    assert len({one["id"] for one in receiver.events}) == 1


async def test_deliveries_are_paged_newest_first(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    await hooks.deliver(*(partner.document() for _ in range(5)))
    await hooks.until(lambda: len(receiver.events) == 5)
    found: list[Any] = []
    after = ""
    while True:
        page = await partner.get(f"/endpoints/{endpoint['id']}/deliveries?limit=2{after}")
        found += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    items, _ = await read_on(partner)
    assert [one["event_id"] for one in found] == [one["id"] for one in reversed(items)]


async def partitions_of(hooks: Any) -> set[str]:
    return {
        row["name"]
        for row in await hooks.sql("SELECT relname AS name FROM pg_class WHERE relispartition AND relkind = 'r'")
    }


async def test_partitions_are_made_ahead_and_dropped_when_they_have_been_kept(hooks: Any) -> None:
    (row,) = await hooks.sql("SELECT CAST(now() AT TIME ZONE 'UTC' AS date) AS today")
    today: date = row["today"]
    for table in PARTITIONED:
        for day in (today - timedelta(days=31), today - timedelta(days=30)):
            end = day + timedelta(days=1)
            values = f"FOR VALUES FROM ('{day}T00:00:00Z') TO ('{end}T00:00:00Z')"
            await hooks.sql(f"CREATE TABLE {table}_{day:%Y%m%d} PARTITION OF {table} {values}")
    await hooks.sql(f"DROP TABLE event_{today + timedelta(days=7):%Y%m%d}")
    await asyncio.gather(*(partitions.keep_partitions(hooks.context) for _ in range(3)))
    days = {-30, *range(-1, 8)}
    expected = {f"{table}_{today + timedelta(days=day):%Y%m%d}" for table in PARTITIONED for day in days}
    assert await partitions_of(hooks) == expected


async def test_what_is_older_than_it_is_kept_is_not_shown_although_its_partition_is_there(hooks: Any) -> None:
    partner = hooks.partner()
    await hooks.deliver(partner.document())
    hooks.context.settings = hooks.context.settings.model_copy(update={"webhook_event_days": 0})
    assert await read_on(partner) == ([], None)


@pytest.mark.parametrize("table", ["known", "subject", "event", "delivery"])
async def test_a_process_that_dies_while_it_records_leaves_all_or_nothing(
    hooks: Any, receivers: Any, table: str
) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    document = partner.document()
    waiting = "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database WHERE NOT granted AND datname = current_database()"
    async with hooks.database.transaction() as tx:
        await tx.execute(text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
        dying = asyncio.create_task(hooks.deliver(document))
        pids: list[int] = []
        while not pids:
            assert not dying.done()
            pids = list((await tx.execute(text(waiting))).scalars())
            await asyncio.sleep(0.01)
        for pid in pids:
            await tx.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises((DBAPIError, ConnectionError)):
            await dying
    assert await read_on(partner) == ([], None)
    await hooks.deliver(document)
    await hooks.until(lambda: receiver.events)
    assert [one["sequence"] for one in receiver.events] == [1]
    assert len(await partner.deliveries(endpoint)) == 1


async def test_a_process_that_dies_between_the_call_and_its_record_sends_the_same_id_again(
    hooks: Any, receivers: Any
) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    await hooks.deliver(partner.document())
    sender = hooks.context.resources
    await sender.turn(hooks.context)
    while not receiver.events:
        await asyncio.sleep(0.01)
    while not sender._results:
        await asyncio.sleep(0.01)
    sender._results.clear()  # what the dead process had in memory
    await hooks.work(0.2)
    assert len(receiver.events) == 1
    await hooks.sql("UPDATE delivery SET due_at = now(), leased_until = now() WHERE due_at IS NOT NULL")
    await hooks.until(lambda: len(receiver.events) == 2)
    assert receiver.events[0] == receiver.events[1]
    await hooks.work(0.1)
    assert [one["state"] for one in await partner.deliveries(endpoint)] == ["delivered"]


async def test_what_could_not_be_recorded_is_recorded_by_the_next_turn_and_not_sent_again(
    hooks: Any, receivers: Any
) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    await hooks.deliver(partner.document())
    sender = hooks.context.resources
    await sender.turn(hooks.context)
    while not sender._results:
        await asyncio.sleep(0.01)
    await hooks.sql("ALTER TABLE attempt ADD CONSTRAINT broken CHECK (number < 0) NOT VALID")
    with pytest.raises(Exception, match="broken"):
        await sender.turn(hooks.context)
    await hooks.sql("ALTER TABLE attempt DROP CONSTRAINT broken")
    await hooks.work(0.1)
    assert len(receiver.events) == 1
    assert [one["state"] for one in await partner.deliveries(endpoint)] == ["delivered"]
