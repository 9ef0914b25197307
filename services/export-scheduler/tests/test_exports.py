"""Export by hand: what it takes, once, how far it has come, and whose it is."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from koppel_mesh.clock import utc_now
from koppel_mesh.http.paging import encode_cursor
from koppel_mesh.ids import new_id
from koppel_mesh.messages import (
    DeliveryState,
    DocumentKind,
    DocumentState,
    ExportFrequency,
    LocalisedText,
    ProblemData,
    Trigger,
    WhoCanFix,
)

AFTER, NEVER = ExportFrequency.AFTER_10_MINUTES, ExportFrequency.NEVER


async def test_by_hand_everything_goes_at_any_time(scheduler: Any, make: Any) -> None:
    client = make.dossier(NEVER, approval_required=True)
    gated = make.document(client, "gated", state=DocumentState.AWAITING_APPROVAL)
    pdf = make.document(client, "pdf", state=DocumentState.AWAITING_ENTRY)
    await scheduler.deliver(client, make.document(client, "filed"), gated, pdf)
    answer = await scheduler.export(client.dossier_id, {"remarks": "for Q4"})
    assert (answer.status_code, answer.json()["count"]) == (202, 2)
    facts = await scheduler.turn()
    assert {fact.number for fact in facts} == {"filed", "gated"}
    assert {(fact.trigger, fact.again, str(fact.export_id)) for fact in facts} == {
        (Trigger.MANUAL, False, answer.json()["id"])
    }
    assert (await scheduler.get(f"/v1/exports/{answer.json()['id']}")).json()["remarks"] == "for Q4"


async def test_filters(scheduler: Any, make: Any) -> None:
    client = make.dossier(NEVER)
    days = [make.document(client, f"F-{day}", issue_date=date(2026, 10, day)) for day in range(1, 11)]
    receipt = make.document(client, "R", kind=DocumentKind.DAILY_RECEIPTS, issue_date=date(2026, 10, 5))
    await scheduler.deliver(client, *days, receipt)
    chosen = [str(days[0].document_id), str(days[6].document_id)]
    for body, numbers in (
        ({"from": "2026-10-09"}, {"F-9", "F-10"}),
        ({"to": "2026-10-05", "kinds": ["daily_receipts"]}, {"R"}),
        ({"document_ids": chosen, "to": "2026-10-06"}, {"F-1"}),
        ({"from": "2027-01-01"}, set()),
        ({}, {f"F-{day}" for day in range(2, 9)}),
    ):
        answer = await scheduler.export(client.dossier_id, body)
        assert answer.json()["count"] == len(numbers)
        assert {fact.number for fact in await scheduler.turn()} == numbers


async def test_what_went_goes_again_only_when_asked_and_then_says_so(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    went = make.document(client, "went", created_at=utc_now() - timedelta(minutes=11))
    await scheduler.deliver(client, went)
    await scheduler.turn()
    await scheduler.deliver(make.delivery(went, DeliveryState.BOOKED), make.document(client, "new"))
    assert (await scheduler.export(client.dossier_id, {})).json()["count"] == 1
    assert [(fact.number, fact.again) for fact in await scheduler.turn()] == [("new", False)]
    assert (await scheduler.export(client.dossier_id, {"include_exported": True})).json()["count"] == 2
    assert {(fact.number, fact.again) for fact in await scheduler.turn()} == {("went", True), ("new", False)}
    await scheduler.pass_time(timedelta(minutes=30))
    assert await scheduler.turn() == [], "the schedule does not send what went by hand"


async def test_a_document_that_appears_after_an_export_goes_once(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    await scheduler.deliver(client, make.document(client, "before"))
    await scheduler.export(client.dossier_id, {})
    await scheduler.deliver(make.document(client, "after", created_at=utc_now() - timedelta(minutes=11)))
    sent = [fact.number for fact in await scheduler.turn()]
    await scheduler.pass_time(timedelta(minutes=30))
    assert sorted(sent) == ["after", "before"]
    assert await scheduler.turn() == []


async def test_exports_at_once_take_each_document_once(scheduler: Any, make: Any) -> None:
    client = make.dossier(NEVER)
    await scheduler.deliver(client, *(make.document(client, f"F-{n}") for n in range(300)))
    answers = await asyncio.gather(*(scheduler.export(client.dossier_id, {}) for _ in range(4)))
    assert sum(answer.json()["count"] for answer in answers) == 300
    sent = [fact.number for fact in await scheduler.turn()]
    assert len(sent) == len(set(sent)) == 300


async def test_sent_before_there_was_a_connection_it_still_counts_as_new(scheduler: Any, make: Any) -> None:
    client = make.dossier(NEVER)
    await scheduler.deliver(client, make.document(client))
    await scheduler.export(client.dossier_id, {})
    await scheduler.turn()
    assert (await scheduler.export(client.dossier_id, {})).json()["count"] == 0
    await scheduler.pass_time(timedelta(minutes=2))
    assert (await scheduler.export(client.dossier_id, {})).json()["count"] == 1
    (ready,) = await scheduler.turn()
    assert not ready.again


async def test_progress_counts_each_document_once(scheduler: Any, make: Any) -> None:
    client = make.dossier(NEVER)
    booked, exported, failed, half, superseded, _silent = facts = [make.document(client, f"F-{n}") for n in range(6)]
    await scheduler.deliver(client, *facts)
    export_id = (await scheduler.export(client.dossier_id, {})).json()["id"]
    await scheduler.turn()
    late = make.delivery(booked, DeliveryState.BOOKED, version=5)
    await scheduler.deliver(
        late,
        make.delivery(exported, DeliveryState.EXPORTED),
        make.delivery(failed, DeliveryState.FAILED),
        make.delivery(failed, DeliveryState.BOOKED),
        make.delivery(half, DeliveryState.BOOKED),
        make.delivery(half, DeliveryState.UNKNOWN),
        make.delivery(superseded, DeliveryState.SUPERSEDED),
    )
    await scheduler.deliver(late.model_copy(update={"state": DeliveryState.SENDING, "version": 2}))
    progress = (await scheduler.get(f"/v1/exports/{export_id}")).json()
    assert {name: progress[name] for name in ("count", "exported", "booked", "failed", "pending")} == {
        "count": 6,
        "exported": 1,
        "booked": 1,
        "failed": 1,
        "pending": 3,
    }


async def test_a_connection_that_does_not_take_the_kind_holds_up_no_progress(scheduler: Any, make: Any) -> None:
    client = make.dossier(NEVER)
    booked, nowhere = facts = [make.document(client, f"F-{n}") for n in range(2)]
    await scheduler.deliver(client, *facts)
    export_id = (await scheduler.export(client.dossier_id, {})).json()["id"]
    await scheduler.turn()
    not_taken = ProblemData(
        code="kind_not_taken", message=LocalisedText(nl="…", fr="…", en="…"), who_can_fix=WhoCanFix.ACCOUNTANT
    )
    refusals = [make.delivery(document, DeliveryState.BLOCKED) for document in (booked, nowhere)]
    await scheduler.deliver(*(each.model_copy(update={"problem": not_taken}) for each in refusals))
    await scheduler.deliver(make.delivery(booked, DeliveryState.BOOKED))
    progress = (await scheduler.get(f"/v1/exports/{export_id}")).json()
    assert (progress["booked"], progress["pending"]) == (1, 1)


async def test_another_firm_sees_and_starts_nothing(scheduler: Any, make: Any) -> None:
    client = make.dossier(NEVER)
    await scheduler.deliver(client, make.document(client))
    other = new_id()
    assert (await scheduler.export(client.dossier_id, {}, firm=other)).status_code == 404
    export_id = (await scheduler.export(client.dossier_id, {})).json()["id"]
    assert (await scheduler.get(f"/v1/exports/{export_id}", firm=other)).status_code == 404
    assert (await scheduler.get(f"/v1/exports/{export_id}")).status_code == 200
    theirs = make.dossier(NEVER, firm_id=other)
    own = make.document(theirs)
    await scheduler.deliver(theirs, own)
    refused = await scheduler.export(client.dossier_id, {"document_ids": [str(own.document_id)]})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_document")


async def test_scopes(scheduler: Any, make: Any) -> None:
    client = make.dossier(NEVER)
    path = f"/v1/dossiers/{client.dossier_id}/exports"
    assert (await scheduler.http.post(path, json={})).status_code == 401
    reader = {"authorization": f"Bearer firm={client.firm_id},dossiers:read"}
    assert (await scheduler.http.post(path, json={}, headers=reader)).status_code == 403
    writer = {"authorization": f"Bearer firm={client.firm_id},exports:write"}
    assert (await scheduler.http.get(f"/v1/exports/{uuid4()}", headers=writer)).status_code == 403
    assert (await scheduler.http.get(f"/v1/dossiers/{uuid4()}/schedule", headers=writer)).status_code == 403


async def test_the_same_key_starts_one_export(scheduler: Any, make: Any) -> None:
    client = make.dossier(NEVER)
    await scheduler.deliver(client, make.document(client))
    first = await scheduler.export(client.dossier_id, {}, key="k1")
    again = await scheduler.export(client.dossier_id, {}, key="k1")
    assert (again.status_code, again.json()) == (202, first.json())
    other = await scheduler.export(client.dossier_id, {"include_exported": True}, key="k1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert len(await scheduler.turn()) == 1


async def test_an_export_waits_a_little_for_what_was_only_just_handed_in(scheduler: Any, make: Any) -> None:
    client = make.dossier(NEVER)
    invoice = make.document(client)

    async def arrive_late() -> None:
        await asyncio.sleep(0.1)
        await scheduler.deliver(client, invoice)

    answer, _ = await asyncio.gather(
        scheduler.export(client.dossier_id, {"document_ids": [str(invoice.document_id)]}), arrive_late()
    )
    assert (answer.status_code, answer.json()["count"]) == (202, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"from": "2026-02-30"},
        {"from": 86_400},
        {"from": "2026-10-02", "to": "2026-10-01"},
        {"kinds": ["nonsense"]},
        {"kinds": []},
        {"document_ids": ["x"]},
        {"remarks": "a\x00b"},
        {"until": "2026-01-01"},
        {"include_exported": None},
    ],
)
async def test_nonsense_is_refused(scheduler: Any, make: Any, body: dict[str, Any]) -> None:
    client = make.dossier(NEVER)
    await scheduler.deliver(client)
    assert (await scheduler.export(client.dossier_id, body)).status_code == 422


async def test_a_cursor_that_is_none_is_refused(scheduler: Any, make: Any) -> None:
    client = make.dossier(NEVER)
    await scheduler.deliver(client)
    schedule = f"/v1/dossiers/{client.dossier_id}/schedule"
    for keys in (["a"], ["2026-01-01", "x"], ["0001-01-01T00:00:00+14:00", str(new_id())]):
        assert (await scheduler.get(f"{schedule}?after={encode_cursor(keys, schedule)}")).status_code == 422


async def test_everything_means_the_document_too_that_was_handed_in_a_moment_ago(scheduler: Any, make: Any) -> None:
    client = make.dossier(NEVER)
    newest = make.document(client, "newest")
    await scheduler.deliver(client, make.document(client, "known"))
    scheduler.dossier_api.newest = newest.document_id

    async def deliver_later() -> None:
        await asyncio.sleep(0.1)
        await scheduler.deliver(newest)

    answer, _ = await asyncio.gather(scheduler.export(client.dossier_id, {}), deliver_later())
    assert answer.json()["count"] == 2
    assert {fact.number for fact in await scheduler.turn()} == {"known", "newest"}


@pytest.mark.parametrize("away", [True, False])
async def test_what_is_known_goes_though_the_newest_has_not_arrived(scheduler: Any, make: Any, away: bool) -> None:
    client = make.dossier(NEVER)
    await scheduler.deliver(client, make.document(client, "known"))
    scheduler.dossier_api.away, scheduler.dossier_api.newest = away, new_id()
    answer = await scheduler.export(client.dossier_id, {})
    assert (answer.status_code, answer.json()["count"]) == (202, 1)


@pytest.mark.parametrize("is_received", [True, False], ids=["the fact arrives", "the fact does not arrive in time"])
async def test_an_export_right_after_an_answer_waits_for_its_fact(scheduler: Any, make: Any, is_received: bool) -> None:
    dossier = make.dossier(ExportFrequency.NEVER)
    held = make.document(dossier, state=DocumentState.HELD)
    await scheduler.deliver(dossier, held)
    scheduler.dossier_api.states[held.document_id] = DocumentState.FILED
    asked = asyncio.create_task(scheduler.export(dossier.dossier_id, {"document_ids": [str(held.document_id)]}))
    await asyncio.sleep(0.1)
    if is_received:
        await scheduler.deliver(held.model_copy(update={"state": DocumentState.FILED, "version": 2}))
    answer = await asked
    assert (answer.status_code, answer.json()["count"]) == (202, int(is_received))


async def test_an_export_of_what_still_waits_for_an_answer_takes_nothing_and_waits_for_nobody(
    scheduler: Any, make: Any
) -> None:
    dossier = make.dossier(ExportFrequency.NEVER)
    held = make.document(dossier, state=DocumentState.HELD)
    await scheduler.deliver(dossier, held)
    for scheduler.dossier_api.away in (False, True):
        answer = await scheduler.export(dossier.dossier_id, {"document_ids": [str(held.document_id)]})
        assert (answer.status_code, answer.json()["count"]) == (202, 0)
