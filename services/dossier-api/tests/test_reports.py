"""What connectors report: deliveries in any order, problems opened and closed, retry."""

import itertools
import random
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from koppel_mesh.ids import new_id
from koppel_mesh.messages import ConnectionChanged, DeliveryChanged

from .conftest import OTHER_FIRM, PROBLEM, DossierClient
from .document_samples import PDF, invoice

REMOVED = PROBLEM | {"code": "connection_removed"}
Facts = Callable[..., DeliveryChanged]


async def problems(client: DossierClient, query: str = "") -> list[dict[str, Any]]:
    return (await client.call("GET", f"/problems{query}")).json()["items"]


async def test_a_fact_about_nothing_we_know_changes_nothing(client: DossierClient, fact: Facts) -> None:
    await client.deliver(fact({"id": str(uuid4())}, "booked", 1, problem=PROBLEM))
    assert await problems(client) == []
    assert await client.take_events() == []


async def test_what_stops_a_document_on_its_way_to_its_dossier_is_a_problem_too(
    client: DossierClient, fact: Facts
) -> None:
    dossier = await client.dossier()
    delivery_id = new_id()
    known = {"delivery_id": delivery_id, "connector": "pos-ingest", "dossier_id": dossier["id"]}
    refused = fact({"id": str(delivery_id)}, "blocked", 1, problem=PROBLEM, **known)
    await client.deliver(refused)
    (found,) = await problems(client)
    assert (found["document_id"], found["dossier_id"]) == (None, dossier["id"])
    assert (await client.call("GET", "/problems", firm=OTHER_FIRM)).json()["items"] == []
    await client.deliver(fact({"id": str(delivery_id)}, "superseded", 2, **known))
    assert await problems(client) == []


async def test_every_order_of_the_same_facts_ends_the_same(client: DossierClient, fact: Facts) -> None:
    dossier = await client.dossier()
    story = [("ready", 1), ("sending", 2), ("exported", 3), ("booked", 4)]
    for number, order in enumerate(itertools.permutations(story)):
        filed = await client.filed(dossier["id"], invoice(f"N-{number}"))
        delivery_id = new_id()
        for state, version in order:
            entry = {"entry_number": "26700001", "entry_url": "https://exact/1"} if state == "booked" else {}
            await client.deliver(fact(filed, state, version, delivery_id=delivery_id, **entry))
        shown = await client.document(filed["id"])
        assert shown["state"] == "booked", order
        assert [(each["state"], each["entry_number"]) for each in shown["deliveries"]] == [("booked", "26700001")]
        assert shown["exported_at"] and shown["booked_at"]


async def test_a_shuffled_batch_with_repeats_counts_once(client: DossierClient, fact: Facts) -> None:
    dossier = await client.dossier()
    filed = [await client.filed(dossier["id"], invoice(f"N-{number}")) for number in range(5)]
    ids = {document["id"]: new_id() for document in filed}
    facts = [
        fact(document, state, version, delivery_id=ids[document["id"]])
        for document in filed
        for version, state in enumerate(("ready", "sending", "exported", "booked"), start=1)
    ] * 5
    random.Random(7).shuffle(facts)
    await client.take_events()
    await client.deliver(*facts)
    events = await client.take_events()
    assert sorted((str(each.document_id), each.state) for each in events) == sorted((key, "booked") for key in ids)
    await client.deliver(*facts)
    assert await client.take_events() == []


async def test_the_state_is_announced_as_it_moves(client: DossierClient, fact: Facts) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice())
    await client.take_events()
    for version, state in enumerate(("sending", "exported", "booked", "unknown"), start=1):
        await client.deliver(fact(filed, state, version))
    assert [(each.state, each.version) for each in await client.take_events()] == [("exported", 2), ("booked", 3)]
    assert (await client.document(filed["id"]))["state"] == "booked"


async def test_what_the_vendor_lost_comes_back(client: DossierClient, fact: Facts) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice())
    await client.deliver(fact(filed, "booked", 1))
    await client.deliver(fact(filed, "failed", 2, problem=PROBLEM))
    shown = await client.document(filed["id"])
    assert (shown["state"], shown["exported_at"], shown["booked_at"]) == ("filed", None, None)


async def test_a_mailed_pdf_still_waits_for_its_data(client: DossierClient, fact: Facts) -> None:
    dossier = await client.dossier()
    paper = await client.filed(dossier["id"], PDF, "application/pdf")
    await client.deliver(fact(paper, "exported", 1, connector="billmail"))
    assert (await client.document(paper["id"]))["state"] == "awaiting_entry"
    done = await client.call("PATCH", f"/documents/{paper['id']}", json={"kind": "miscellaneous"})
    assert done.json()["state"] == "exported"


async def test_a_problem_is_counted_while_it_lasts_and_closes_when_the_delivery_gets_through(
    client: DossierClient, fact: Facts
) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice())
    await client.deliver(fact(filed, "failed", 1, problem=PROBLEM))
    await client.deliver(fact(filed, "ready", 2))
    await client.deliver(fact(filed, "failed", 3, problem=PROBLEM))
    (found,) = await problems(client)
    assert (found["code"], found["count"], found["who_can_fix"]) == ("period_closed", 2, "accountant")
    assert found["message"] == PROBLEM["message"]
    assert found["document_id"] == filed["id"]
    assert found["first_seen_at"] < found["last_seen_at"]
    assert (await client.call("GET", f"/dossiers/{dossier['id']}")).json()["open_problems"] == 1
    assert len(await problems(client, f"?document_id={filed['id']}")) == 1
    assert await problems(client, f"?dossier_id={uuid4()}") == []
    await client.deliver(fact(filed, "blocked", 4, problem={**PROBLEM, "code": "missing_right"}))
    assert [each["code"] for each in await problems(client)] == ["missing_right"]
    await client.deliver(fact(filed, "failed", 3, problem=PROBLEM))
    assert [(each["code"], each["count"]) for each in await problems(client)] == [("missing_right", 1)]
    await client.deliver(fact(filed, "booked", 5))
    assert await problems(client) == []


async def test_a_kind_that_one_connection_does_not_take_is_a_problem_only_while_no_other_takes_it(
    client: DossierClient, fact: Facts
) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice())
    refusing = fact(filed, "blocked", 1, problem={**PROBLEM, "code": "kind_not_taken"}, connection_id=new_id())
    await client.deliver(refusing)
    assert [each["code"] for each in await problems(client)] == ["kind_not_taken"]
    assert (await client.call("GET", f"/dossiers/{dossier['id']}")).json()["open_problems"] == 1
    also_refusing = fact(
        filed,
        "blocked",
        1,
        problem={**PROBLEM, "code": "kind_not_taken"},
        connection_id=new_id(),
        delivery_id=new_id(),
        connector="billmail",
    )
    await client.deliver(also_refusing)
    assert len(await problems(client)) == 2
    taking = fact(filed, "ready", 1, connection_id=new_id(), delivery_id=new_id(), connector="connector-octopus")
    await client.deliver(taking)
    assert await problems(client) == []
    assert (await client.call("GET", f"/dossiers/{dossier['id']}")).json()["open_problems"] == 0
    shown = await client.document(filed["id"])
    assert sorted(each["state"] for each in shown["deliveries"]) == ["blocked", "blocked", "ready"]


async def test_retry_asks_the_connector_and_says_when_it_will_not(client: DossierClient, fact: Facts) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice())
    await client.deliver(fact(filed, "failed", 1, problem=PROBLEM))
    (found,) = await problems(client)
    path = f"/problems/{found['id']}/retry"
    assert (await client.call("POST", path, firm=OTHER_FIRM)).status_code == 404
    assert (await client.call("POST", f"/problems/{uuid4()}/retry")).status_code == 404
    assert client.other_services.asked == []
    answer = await client.call("POST", path)
    assert (answer.status_code, answer.json()["id"]) == (202, found["id"])
    assert client.other_services.asked == [f"/connector-exact/v1/deliveries/{found['delivery_id']}/retry"]
    client.other_services.answer = 409
    answer = await client.call("POST", path)
    assert (answer.status_code, answer.json()["code"]) == (409, "cannot_retry")
    assert "not_waiting" in answer.json()["detail"]
    client.other_services.answer = 503
    answer = await client.call("POST", path)
    assert (answer.status_code, answer.json()["code"]) == (503, "connector_away")
    await client.deliver(fact(filed, "booked", 2))
    answer = await client.call("POST", path)
    assert (answer.status_code, answer.json()["code"]) == (409, "problem_resolved")


async def test_connections_are_shown_and_their_problems_close_when_they_work_again(client: DossierClient) -> None:
    dossier = await client.dossier()
    connection_id = new_id()

    def fact(state: str, version: int, **fields: Any) -> ConnectionChanged:
        given = {"connection_id": connection_id, "dossier_id": dossier["id"], "connector": "connector-exact"}
        return ConnectionChanged.model_validate({**given, "state": state, "version": version, **fields})

    await client.deliver(fact("connected", 1, connected_via_user="An Peeters"), fact("authorising", 0))
    await client.deliver(fact("degraded", 2, problem=PROBLEM))
    await client.deliver(fact("connected", 1))
    shown = (await client.call("GET", f"/dossiers/{dossier['id']}")).json()
    assert [(each["connector"], each["state"]) for each in shown["connections"]] == [("connector-exact", "degraded")]
    (found,) = await problems(client)
    assert (found["document_id"], found["connection_id"]) == (None, str(connection_id))
    await client.call("POST", f"/problems/{found['id']}/retry")
    assert client.other_services.asked == [f"/connector-exact/v1/connections/{connection_id}/check"]
    await client.deliver(fact("connected", 3))
    assert await problems(client) == []
    await client.deliver(ConnectionChanged.model_validate({**fact("connected", 4).model_dump(), "dossier_id": uuid4()}))


async def test_where_no_books_can_be_read_exported_is_shown_as_the_end(client: DossierClient, fact: Facts) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice("N-1"))
    mailed, booked = new_id(), new_id()
    await client.deliver(fact(filed, "ready", 1, delivery_id=mailed, ends_as="exported"))
    await client.deliver(fact(filed, "exported", 2, delivery_id=mailed, ends_as="exported"))
    await client.deliver(fact(filed, "exported", 1, delivery_id=booked))
    deliveries = (await client.document(filed["id"]))["deliveries"]
    assert {each["id"]: each["ends_as"] for each in deliveries} == {str(mailed): "exported", str(booked): "booked"}


async def test_what_a_connector_says_beside_a_booking_is_shown_until_it_says_otherwise(
    client: DossierClient, fact: Facts
) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice("N-1"))
    delivery_id = new_id()
    warning = {**PROBLEM, "code": "file_left_behind", "detail": "plan.dwg: application/acad"}

    async def shown() -> list[str]:
        (delivery,) = (await client.document(filed["id"]))["deliveries"]
        return [f"{each['code']}: {each['detail']}" for each in delivery["warnings"]]

    await client.deliver(fact(filed, "ready", 1, delivery_id=delivery_id))
    assert await shown() == []
    await client.deliver(fact(filed, "booked", 2, delivery_id=delivery_id, warnings=(warning,)))
    assert await shown() == ["file_left_behind: plan.dwg: application/acad"]
    assert await problems(client) == [], "it holds nothing up"
    await client.deliver(fact(filed, "booked", 3, delivery_id=delivery_id))
    assert await shown() == []


@pytest.mark.parametrize("late", [False, True], ids=["removed first", "removed reported last"])
async def test_what_a_removed_connection_left_is_over_once_it_went_another_way(
    client: DossierClient, fact: Facts, late: bool
) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice("N-1"))
    removed = fact(filed, "failed", 2, delivery_id=new_id(), problem=REMOVED)
    booked = fact(filed, "booked", 4, delivery_id=new_id())
    for fact_in_turn in (booked, removed) if late else (removed, booked):
        await client.deliver(fact_in_turn)
    assert await problems(client) == []
    assert (await client.document(filed["id"]))["state"] == "booked"
