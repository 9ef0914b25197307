"""What people do with deliveries over HTTP (contract §7): try again, say what happened, see how many wait."""

import re

import httpx2

from koppel_connector.connection.monitoring import _COUNTS, measure
from koppel_connector.testing import Fault, Testbed
from koppel_mesh.telemetry.metrics import exposition

from .paper_harness import PaperHarness


async def test_review_is_resolved_by_a_person(
    client: httpx2.AsyncClient, testbed: Testbed, harness: PaperHarness
) -> None:
    await harness.connect(testbed)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    row = (await testbed.until_state("booked"))[0]
    path = f"/v1/deliveries/{row.id}"
    assert (await client.post(f"{path}/resolve", json={"decision": "resend"})).status_code == 409
    assert (await client.post(f"{path}/retry")).json()["code"] == "delivery_booked"
    await testbed.change("UPDATE delivery SET state = 'review'")
    resolved = await client.post(f"{path}/resolve", json={"decision": "booked", "entry_number": "42"})
    assert (resolved.json()["state"], resolved.json()["entry_number"]) == ("booked", "42")
    assert (await client.post(f"{path}/resolve", json={"decision": "no idea"})).status_code == 422


async def test_what_may_have_arrived_before_its_connection_went_is_for_a_person_to_say(
    client: httpx2.AsyncClient, testbed: Testbed, harness: PaperHarness
) -> None:
    connection_id = await harness.connect(testbed)
    await harness.fail(Fault.ACTS_THEN_RESETS)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    row = (await testbed.until_state("unknown"))[0]
    assert (await client.delete(f"/v1/connections/{connection_id}")).status_code == 204
    await testbed.until_state("blocked")
    path = f"/v1/deliveries/{row.id}"
    assert (await client.post(f"{path}/resolve", json={"decision": "resend"})).json()["code"] == "not_in_review"
    resolved = await client.post(f"{path}/resolve", json={"decision": "booked", "entry_number": "42"})
    assert (resolved.json()["state"], resolved.json()["entry_number"]) == ("booked", "42")


async def test_a_failed_delivery_is_retried(
    client: httpx2.AsyncClient, testbed: Testbed, harness: PaperHarness
) -> None:
    await harness.connect(testbed)
    document, files = harness.document(1)
    await testbed.deliver(testbed.ready({**document, "reference": "no"}, files))
    row = (await testbed.until_state("failed"))[0]
    testbed.internal_services.add_document(document, files)
    assert (await client.post(f"/v1/deliveries/{row.id}/retry")).status_code == 202
    await testbed.until_state("booked")


async def test_what_waits_is_counted_without_reading_what_has_ended(
    client: httpx2.AsyncClient, testbed: Testbed, harness: PaperHarness
) -> None:
    await harness.connect(testbed)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("booked")
    await testbed.change("UPDATE connection SET not_before = clock_timestamp() + interval '1 hour'")
    for number, state in enumerate(
        ("ready", "blocked", "failed", "failed", "review", "exported", "exported", "superseded"), 2
    ):
        await testbed.deliver(event := testbed.ready(*harness.document(number)))
        await testbed.change(
            "UPDATE delivery SET state = :state, due_at = NULL WHERE document_id = :id",
            state=state,
            id=event.document_id,
        )
    # The other one is of a vendor that cannot be read back: nobody is to look at it again.
    await testbed.change(
        "UPDATE delivery SET due_at = clock_timestamp() + interval '1 hour'"
        " WHERE id = (SELECT id FROM delivery WHERE state = 'exported' LIMIT 1)"
    )
    counts = {"ready": 1, "blocked": 1, "failed": 2, "review": 1, "exported": 1}
    items = (await client.get("/v1/waiting")).json()["items"]
    assert {item["state"]: item["count"] for item in items} == counts
    await measure(testbed.context)
    rendered = exposition()[0].decode()
    gauged = re.findall(
        r'^koppel_deliveries{service="connector-paper",state="(\w+)"} (\d+)\.0$', rendered, re.MULTILINE
    )
    assert {state: int(number) for state, number in gauged} == counts | {"sending": 0, "unknown": 0}
    await testbed.change(
        """INSERT INTO delivery (id, connection_id, firm_id, dossier_id, document_id, revision, operation, kind, state,
            remote_ref, remote_uuid)
        SELECT gen_random_uuid(), connection_id, firm_id, dossier_id, gen_random_uuid(), 1, operation, kind, 'booked', '',
            gen_random_uuid() FROM delivery CROSS JOIN generate_series(1, 500)"""
    )
    await testbed.change("ANALYZE delivery")
    plan = "\n".join(row[0] for row in await testbed.rows(f"EXPLAIN {_COUNTS.sql}"))
    assert "delivery_waiting" in plan and "Seq Scan" not in plan, plan


async def test_what_a_person_should_know_of_a_booked_delivery_is_shown_in_words(
    client: httpx2.AsyncClient, testbed: Testbed, harness: PaperHarness
) -> None:
    await harness.connect(testbed)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    row = (await testbed.until_state("booked"))[0]
    path = f"/v1/deliveries/{row.id}"
    assert (await client.get(path)).json()["warnings"] == []
    await testbed.change(
        """UPDATE delivery SET progress = progress || '{"warnings": [{"code": "file_left_behind", "detail": "a.zip"}]}'"""
    )
    (warning,) = (await client.get(path)).json()["warnings"]
    assert (warning["code"], warning["detail"], warning["who_can_fix"]) == ("file_left_behind", "a.zip", "accountant")
    assert "Paper" in warning["message"]["nl"]
