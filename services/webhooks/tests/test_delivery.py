"""Events reach endpoints that want them: signed, in order, tried again, and never held up by another endpoint."""

import asyncio
import base64
import time
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from koppel_mesh.ids import new_id
from koppel_mesh.messages import DeliveryState, DocumentState
from webhooks.sending import claims
from webhooks.sending.access import allowed

from .receiver import answers, endless_body, half_body, hangs, in_turn, slow

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_booked_document_is_told_in_order_and_both_signatures_hold(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    types = ("document.received", "delivery.exported", "delivery.booked")
    endpoint = await partner.verified(receiver, *types)
    document = partner.document()
    await hooks.deliver(document)
    await hooks.deliver(
        partner.delivery(document, DeliveryState.EXPORTED, 2),
        partner.delivery(document, DeliveryState.BOOKED, 3, entry_number="26700001"),
    )
    await hooks.until(lambda: len(receiver.events) == 3)
    assert [one["type"] for one in receiver.events] == list(types)
    assert [one["sequence"] for one in receiver.events] == [1, 2, 3]
    booked = receiver.events[-1]
    assert booked["data"]["entry_number"] == "26700001" and booked["data"]["dossier_id"] == str(document.dossier_id)
    assert booked["subject"] == str(document.document_id) and booked["firmid"] == str(partner.firm_id)
    received = receiver.of("delivery.booked")[0]
    assert received.headers["webhook-id"] == booked["id"]
    assert received.headers["content-type"] == "application/cloudevents+json"
    assert "authorization" not in received.headers
    Webhook(endpoint["secret"]).verify(received.body, dict(received.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint["secret"]).verify(received.body + b" ", dict(received.headers))
    (jwk,) = (await partner.get(f"/endpoints/{endpoint['id']}/keys"))["keys"]
    assert jwk["kid"] == received.headers["webhook-key-id"] and "d" not in jwk
    check_v1a(jwk, received)


def check_v1a(jwk: dict[str, Any], received: Any) -> None:
    signed = f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode() + received.body
    signatures = [one for one in received.headers["webhook-signature"].split(" ") if one.startswith("v1a,")]
    assert signatures
    key: Any = OKPKey.import_key(jwk).public_key
    key.verify(base64.b64decode(signatures[0].removeprefix("v1a,")), signed)


async def test_the_same_fact_fifty_times_at_once_is_one_event(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    document = partner.document()
    await asyncio.gather(*(hooks.deliver(document) for _ in range(50)))
    await hooks.until(lambda: receiver.events)
    await hooks.work(0.3)
    assert len(receiver.events) == 1
    assert len(await partner.deliveries(endpoint)) == 1


async def test_claims_at_once_share_what_is_due_and_keep_the_endpoint_s_concurrency(hooks: Any, receivers: Any) -> None:
    partner = hooks.partner()
    await partner.verified(await receivers())
    await hooks.deliver(*(partner.document() for _ in range(40)))

    async def claimed() -> list[Any]:
        async with hooks.database.transaction() as tx:
            return await claims.claim(tx, free=100, concurrency=3, lease_s=60)

    found = [one for each in await asyncio.gather(*(claimed() for _ in range(8))) for one in each]
    assert len({one.event_id for one in found}) == len(found) >= 3
    assert {one.number for one in found} == {1}
    assert await claimed() == []


async def test_late_facts_are_left_aside(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver, "delivery.exported", "delivery.booked")
    document = partner.document()
    await hooks.deliver(partner.delivery(document, DeliveryState.BOOKED, 3))
    await hooks.deliver(partner.delivery(document, DeliveryState.EXPORTED, 2))
    assert [one["type"] for one in await partner.deliveries(endpoint)] == ["delivery.booked"]


async def test_what_fails_is_tried_again_with_the_same_id_and_then_given_up(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    receiver.behaviour = answers(500, b"out of order" * 1000)
    await hooks.deliver(partner.document())

    async def is_given_up() -> bool:
        return [one["state"] for one in await partner.deliveries(endpoint)] == ["failed"]

    await hooks.until(is_given_up)
    (delivery,) = await partner.deliveries(endpoint)
    assert [one["status"] for one in delivery["attempts"]] == [500] * 4
    assert [one["outcome"] for one in delivery["attempts"]] == ["retry"] * 3 + ["failed"]
    assert len(delivery["attempts"][0]["answer"]) == 2048
    assert len({one.headers["webhook-id"] for one in receiver.of("document.received")}) == 1
    assert (await partner.get(f"/endpoints/{endpoint['id']}"))["failing_since"]


@pytest.mark.parametrize(
    ("behaviour", "shown"),
    [
        (hangs, "no complete answer within 1 s"),
        (slow(0.2), "no complete answer within 1 s"),
        (half_body, "RemoteProtocolError"),
        (answers(302, Location="http://127.0.0.1:1/"), ""),
    ],
    ids=["hangs", "slow beyond the deadline", "half a body", "redirect"],
)
async def test_a_bad_receiver_is_a_failure_that_is_shown(
    hooks: Any, receivers: Any, behaviour: Any, shown: str
) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    receiver.behaviour = in_turn(behaviour, answers(200, b"thanks"))
    await hooks.deliver(partner.document())

    async def is_delivered() -> bool:
        return [one["state"] for one in await partner.deliveries(endpoint)] == ["delivered"]

    await hooks.until(is_delivered)
    first, second = (await partner.deliveries(endpoint))[0]["attempts"]
    assert first["outcome"] == "retry" and shown in first["answer"] and first["status"] in (None, 302)
    assert (second["outcome"], second["answer"]) == ("delivered", "thanks")
    assert len(receiver.events) == 2


async def test_a_slow_receiver_is_waited_for(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    receiver.behaviour = slow(0.005)
    await hooks.deliver(partner.document())

    async def is_delivered() -> bool:
        return [one["state"] for one in await partner.deliveries(endpoint)] == ["delivered"]

    await hooks.until(is_delivered)
    (attempt,) = (await partner.deliveries(endpoint))[0]["attempts"]
    assert (attempt["answer"], len(receiver.events)) == ("slowly", 1) and attempt["duration_ms"] > 100


async def test_what_one_receiver_brings_about_is_its_own_failure(hooks: Any, receivers: Any) -> None:
    """A date out of every calendar; and whatever else an answer may bring about in us."""
    partner = hooks.partner()
    odd, good = await receivers(), await receivers()
    odd.behaviour = answers(503, Retry_After="Mon, 01 Jan 2024 00:00:00 +99999999999999999999")
    bad, fine = await partner.verified(odd), await partner.verified(good)
    await hooks.deliver(*(partner.document() for _ in range(5)))
    await hooks.until(lambda: len(good.events) == 5 and odd.events)
    await hooks.work(0.3)
    assert len(good.events) == 5
    assert {one["state"] for one in await partner.deliveries(fine)} == {"delivered"}
    assert {one["state"] for one in await partner.deliveries(bad)} <= {"pending", "failed"}, "its own attempts ended"


async def test_a_secret_that_does_not_open_holds_up_its_endpoint_alone(hooks: Any, receivers: Any) -> None:
    partner = hooks.partner()
    closed, good = await receivers(), await receivers()
    bad = await partner.verified(closed)
    await partner.verified(good)
    async with hooks.database.transaction() as tx:
        broken = "UPDATE secret SET sealed = 'damaged' WHERE endpoint_id = CAST(:id AS uuid)"
        await tx.execute(text(broken), {"id": bad["id"]})
    await hooks.deliver(partner.document())
    await hooks.until(lambda: good.events)
    assert closed.events == []
    assert [one["state"] for one in await partner.deliveries(bad)] == ["pending"]


async def test_an_endless_body_is_read_to_the_limit_alone(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    receiver.behaviour = endless_body
    began = time.monotonic()
    answer = (await partner.call("POST", f"/endpoints/{endpoint['id']}/test")).json()
    assert time.monotonic() - began < 0.9
    assert (answer["outcome"], answer["status"], answer["answer"]) == ("delivered", 200, "x" * 2048)


async def test_an_event_waits_for_the_one_before_it_of_its_document_alone(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    await partner.verified(receiver, "document.received", "delivery.booked")
    one, other = partner.document(), partner.document()

    async def fail_the_first(_: Any, request: Any, writer: Any) -> None:
        first = request.event["data"]["document_id"] == str(one.document_id) and request.event["sequence"] == 1
        fails = first and len(receiver.events) < 4
        await answers(500 if fails else 200)(receiver, request, writer)

    receiver.behaviour = fail_the_first
    await hooks.deliver(one, other)
    await hooks.deliver(*(partner.delivery(each, DeliveryState.BOOKED, 2) for each in (one, other)))
    await hooks.until(
        lambda: any(e["type"] == "delivery.booked" and e["subject"] == str(one.document_id) for e in receiver.events)
    )
    of_one = [each["sequence"] for each in receiver.events if each["subject"] == str(one.document_id)]
    assert of_one == sorted(of_one) and of_one.count(1) >= 2 and of_one[-1] == 2


async def test_hanging_endpoints_do_not_delay_a_quick_one(hooks: Any, receivers: Any) -> None:
    partner = hooks.partner()
    quick = await receivers()
    await partner.verified(quick)
    for _ in range(5):
        slow = await receivers()
        await partner.verified(slow)
        slow.behaviour = hangs
    for _ in range(4):
        count = len(quick.events)
        began = time.monotonic()
        await hooks.deliver(*(partner.document() for _ in range(10)))
        await hooks.until(lambda count=count: len(quick.events) == count + 10)
        assert time.monotonic() - began < 0.8


async def test_a_receiver_that_asks_for_time_gets_it(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    receiver.behaviour = in_turn(answers(429, Retry_After="1"), answers(200))
    began = time.monotonic()
    await hooks.deliver(partner.document())
    await hooks.until(lambda: len(receiver.events) == 1)
    await hooks.work(0.1)
    await hooks.deliver(partner.document())
    await hooks.until(lambda: len(receiver.events) == 3)
    assert time.monotonic() - began >= 1
    assert (await partner.get(f"/endpoints/{endpoint['id']}"))["failing_since"] is None


async def test_what_is_gone_is_disabled_and_gets_all_when_it_is_back(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    receiver.behaviour = answers(410)
    await hooks.deliver(partner.document())

    async def is_disabled() -> bool:
        return bool((await partner.get(f"/endpoints/{endpoint['id']}"))["state"] == "disabled")

    await hooks.until(is_disabled)
    shown = await partner.get(f"/endpoints/{endpoint['id']}")
    assert shown["problem"]["code"] == "webhook_gone" and set(shown["problem"]["message"]) == {"nl", "fr", "en"}
    count = len(receiver.events)
    await hooks.work(0.3)
    assert len(receiver.events) == count
    receiver.behaviour = answers(200)
    await partner.call("POST", f"/endpoints/{endpoint['id']}/enable")
    await hooks.until(lambda: len(receiver.events) == count + 1)
    back = await partner.get(f"/endpoints/{endpoint['id']}")
    assert (back["state"], back["problem"]) == ("active", None)


async def test_five_bad_days_disable(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    receiver.behaviour = answers(500)
    await hooks.sql("UPDATE endpoint SET failing_since = now() - interval '4 days 23 hours'")
    await hooks.deliver(partner.document())
    await hooks.until(lambda: len(receiver.events) == 4)
    assert (await partner.get(f"/endpoints/{endpoint['id']}"))["state"] == "active"
    await hooks.sql("UPDATE endpoint SET failing_since = now() - interval '5 days'")
    await hooks.deliver(partner.document())

    async def is_disabled() -> bool:
        return bool((await partner.get(f"/endpoints/{endpoint['id']}"))["state"] == "disabled")

    await hooks.until(is_disabled)
    problem = (await partner.get(f"/endpoints/{endpoint['id']}"))["problem"]
    assert problem["code"] == "webhook_failing" and "HTTP 500" in problem["message"]["en"]


async def test_a_success_ends_bad_days(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    await hooks.sql("UPDATE endpoint SET failing_since = now() - interval '4 days'")
    await hooks.deliver(partner.document())

    async def is_well() -> bool:
        return (await partner.get(f"/endpoints/{endpoint['id']}"))["failing_since"] is None

    await hooks.until(is_well)


async def test_a_paused_endpoint_gets_later_what_happened_meanwhile(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    paused = await partner.call("PATCH", f"/endpoints/{endpoint['id']}", json={"state": "paused"})
    assert paused.json()["state"] == "paused"
    await hooks.deliver(partner.document())
    await hooks.work(0.3)
    assert receiver.events == []
    await partner.call("POST", f"/endpoints/{endpoint['id']}/enable")
    await hooks.until(lambda: len(receiver.events) == 1)


async def test_consent_that_is_withdrawn_on_the_way_stops_what_is_on_the_way(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(client=f"c-{new_id()}"), await receivers()
    endpoint = await partner.verified(receiver)
    receiver.behaviour = answers(500)
    await hooks.deliver(partner.document())
    await hooks.until(lambda: len(receiver.events) == 1)
    hooks.identity.withdrawn.add((partner.client, partner.firm_id))
    receiver.behaviour = answers(200)

    async def is_withheld() -> bool:
        return [one["state"] for one in await partner.deliveries(endpoint)] == ["withheld"]

    await hooks.until(is_withheld)
    await hooks.deliver(partner.document())
    await hooks.work(0.3)
    assert len(receiver.events) == 1


async def test_a_firm_that_withdraws_its_consent_stops_its_own_events_and_no_others(hooks: Any, receivers: Any) -> None:
    client = f"c-{new_id()}"
    partners = hooks.partner(client=client), hooks.partner(client=client)
    ends = [await receivers() for _ in partners]
    for partner, receiver in zip(partners, ends, strict=True):
        await partner.verified(receiver)
    hooks.identity.withdrawn.add((client, partners[0].firm_id))
    await hooks.deliver(*(partner.document() for partner in partners))
    await hooks.until(lambda: len(ends[1].events) == 1)
    await hooks.work(0.3)
    assert ends[0].events == []


async def test_a_batch_of_many_firms_is_asked_for_in_parts(hooks: Any) -> None:
    pairs = {(f"{'long-name-' * 6}{number}", new_id()) for number in range(130)}
    before = hooks.identity.asked
    hooks.identity.withdrawn.add(gone := next(iter(pairs)))
    assert await allowed(hooks.context, pairs) == pairs - {gone}
    assert hooks.identity.asked - before == 3


async def test_nothing_is_sent_while_identity_is_away(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver)
    hooks.identity.away = True
    await hooks.deliver(partner.document())
    await hooks.work(0.3)
    assert receiver.events == []
    hooks.identity.away = False
    await hooks.until(lambda: len(receiver.events) == 1)
    await hooks.work(0.1)
    (delivery,) = await partner.deliveries(endpoint)
    assert [one["number"] for one in delivery["attempts"]] == [1]


async def test_each_firm_hears_of_its_own_documents_alone(hooks: Any, receivers: Any) -> None:
    one, other = hooks.partner(), hooks.partner()
    of_one, of_other = await receivers(), await receivers()
    await one.verified(of_one)
    await other.verified(of_other)
    await hooks.deliver(one.document(), other.document(), other.document())
    await hooks.until(lambda: (len(of_one.events), len(of_other.events)) == (1, 2))
    assert {each["firmid"] for each in of_other.events} == {str(other.firm_id)}


async def test_approval_and_findings_are_told(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    await partner.verified(receiver, "document.findings", "document.approved")
    waiting = partner.document(state=DocumentState.AWAITING_APPROVAL, findings_count=2)
    await hooks.deliver(waiting)
    await hooks.deliver(waiting.model_copy(update={"state": DocumentState.FILED, "version": 2}))
    await hooks.until(lambda: len(receiver.events) == 2)
    assert [one["type"] for one in receiver.events] == ["document.findings", "document.approved"]
    assert receiver.events[0]["data"]["count"] == 2
