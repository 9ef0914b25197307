"""Documents go by their dossier's rules, once, whatever order facts arrive in and whoever runs the loops."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from export_scheduler.release import release_due
from koppel_mesh.clock import utc_now
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DeliveryState, DocumentState, DossierChanged, ExportFrequency, ExportRules, Trigger

AFTER, LAST_MONTH, NEVER = ExportFrequency.AFTER_10_MINUTES, ExportFrequency.LAST_MONTH, ExportFrequency.NEVER
TEN_MINUTES = timedelta(minutes=10, seconds=1)


def with_rules(of: DossierChanged, version: int, **export: Any) -> DossierChanged:
    return of.model_copy(update={"export": ExportRules(**export), "version": version})


async def test_after_ten_minutes_it_goes_once(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    invoice = make.document(client)
    await scheduler.deliver(client, invoice)
    assert await scheduler.turn() == []
    await scheduler.pass_time(TEN_MINUTES)
    (ready,) = await scheduler.turn()
    assert (ready.document_id, ready.trigger, ready.again) == (invoice.document_id, Trigger.SCHEDULE, False)
    await scheduler.deliver(invoice)
    assert await scheduler.turn() == []
    progress = (await scheduler.get(f"/v1/exports/{ready.export_id}")).json()
    assert (progress["count"], progress["pending"], progress["trigger"]) == (1, 1, "schedule")


async def test_a_clock_set_back_after_sending_sends_nothing_again(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    await scheduler.deliver(client, make.document(client, created_at=utc_now() - TEN_MINUTES))
    assert len(await scheduler.turn()) == 1
    await scheduler.pass_time(timedelta(days=-400))
    assert await scheduler.turn() == []
    await scheduler.pass_time(timedelta(days=800))
    assert await scheduler.turn() == []


async def test_a_clock_set_forward_and_a_long_stop_skip_nothing(scheduler: Any, make: Any) -> None:
    client = make.dossier(LAST_MONTH)
    long_ago = datetime(2024, 2, 29, 12, tzinfo=UTC)
    await scheduler.deliver(
        client,
        *(make.document(client, f"F-{n}", issue_date=date(2024, 2, n), created_at=long_ago) for n in range(1, 29)),
    )
    assert len(await scheduler.turn()) == 28


async def test_what_waits_is_counted_for_whoever_may_see_it(scheduler: Any, make: Any) -> None:
    soon, by_hand, elsewhere = make.dossier(AFTER), make.dossier(NEVER), make.dossier(NEVER, firm_id=new_id())
    of_each = [make.document(soon), make.document(by_hand), make.document(by_hand), make.document(elsewhere)]
    await scheduler.deliver(soon, by_hand, elsewhere, *map(make.connection, (soon, by_hand)), *of_each)
    assert await scheduler.waiting() == {"moment": (1, 0), "hand": (2, 0)}
    await scheduler.pass_time(TEN_MINUTES)
    assert await scheduler.waiting() == {"moment": (1, 1), "hand": (2, 0)}
    await scheduler.turn()
    await scheduler.export(by_hand.dossier_id, {})
    assert await scheduler.waiting() == {"moment": (2, 2)}
    await scheduler.turn()
    assert await scheduler.waiting() == {}


async def test_never_and_switches_take_effect_at_once(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    await scheduler.deliver(client, make.document(client))
    await scheduler.pass_time(TEN_MINUTES)
    await scheduler.deliver(with_rules(client, 2, frequency=NEVER))
    # The plan in the row is overdue and the loop that plans again has not come by: it must not go all the same.
    await release_due(scheduler.context)
    assert await scheduler.turn() == []
    assert [row["waits_for"] for row in await scheduler.sql("SELECT * FROM waiting")] == ["hand"]
    await scheduler.deliver(with_rules(client, 3, frequency=AFTER))
    assert len(await scheduler.turn()) == 1
    await scheduler.deliver(with_rules(client, 4, frequency=NEVER), with_rules(client, 5, frequency=AFTER))
    assert await scheduler.turn() == []


async def test_older_rules_that_arrive_late_are_left_aside(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    await scheduler.deliver(with_rules(client, 3, frequency=NEVER))
    await scheduler.deliver(
        with_rules(client, 2, frequency=AFTER), make.document(client, created_at=utc_now() - TEN_MINUTES)
    )
    assert await scheduler.turn() == []


async def test_a_document_ahead_of_its_dossier_waits_for_it(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    await scheduler.deliver(make.document(client, created_at=utc_now() - TEN_MINUTES))
    assert await scheduler.turn() == []
    assert [row["waits_for"] for row in await scheduler.sql("SELECT * FROM waiting")] == ["dossier"]
    await scheduler.deliver(client)
    assert len(await scheduler.turn()) == 1


async def test_nothing_goes_while_approval_is_awaited_and_approval_releases(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER, approval_required=True)
    waiting = make.document(client, state=DocumentState.AWAITING_APPROVAL, created_at=utc_now() - TEN_MINUTES)
    await scheduler.deliver(client, waiting)
    assert await scheduler.turn() == []
    await scheduler.deliver(waiting.model_copy(update={"state": DocumentState.FILED}))
    (ready,) = await scheduler.turn()
    assert ready.trigger is Trigger.APPROVAL


async def test_a_storm_of_old_and_doubled_facts_sends_the_newest_once(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    first = make.document(client, created_at=utc_now() - TEN_MINUTES)
    story = [first.model_copy(update={"revision": n, "number": f"F-{n}"}) for n in range(1, 6)]
    storm = [client] + story * 20
    random.Random(11).shuffle(storm)
    for start in range(0, len(storm), 7):
        await scheduler.deliver(*storm[start : start + 7])
    (ready,) = await scheduler.turn()
    assert (ready.revision, ready.number) == (5, "F-5")


async def test_a_newer_revision_goes_again_unless_the_dossier_locks(scheduler: Any, make: Any) -> None:
    for locks, expected in ((False, [2]), (True, [])):
        client = make.dossier(AFTER, locks=locks)
        first = make.document(client, created_at=utc_now() - TEN_MINUTES)
        await scheduler.deliver(client, first)
        assert [fact.revision for fact in await scheduler.turn()] == [1]
        await scheduler.deliver(first.model_copy(update={"revision": 2, "state": DocumentState.EXPORTED}))
        assert await scheduler.turn() == [], "ten minutes after the revision, not after the first arrival"
        await scheduler.pass_time(TEN_MINUTES)
        assert [fact.revision for fact in await scheduler.turn()] == expected


async def test_what_a_connector_delivered_by_itself_has_gone(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    known, unknown = (make.document(client, number, created_at=utc_now() - TEN_MINUTES) for number in "AB")
    await scheduler.deliver(client, known)
    await scheduler.deliver(make.delivery(known, DeliveryState.EXPORTED), make.delivery(unknown, DeliveryState.BOOKED))
    await scheduler.deliver(unknown)
    assert await scheduler.turn() == []


async def test_pods_share_the_work_and_double_nothing(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    old = utc_now() - TEN_MINUTES
    await scheduler.deliver(client, *(make.document(client, f"F-{n}", created_at=old) for n in range(1000)))

    async def pod() -> None:
        while await release_due(scheduler.context):
            pass

    await asyncio.gather(*(pod() for _ in range(4)))
    sent = [fact.number for fact in await scheduler.turn()]
    assert len(sent) == len(set(sent)) == 1000


async def test_a_crash_before_the_commit_leaves_the_document_due(
    scheduler: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make.dossier(AFTER)
    await scheduler.deliver(client, make.document(client, created_at=utc_now() - TEN_MINUTES))
    await scheduler.sql("ALTER TABLE outbox RENAME TO outbox_away")
    with pytest.raises(Exception, match="outbox"):
        await release_due(scheduler.context)
    await scheduler.sql("ALTER TABLE outbox_away RENAME TO outbox")
    assert len(await scheduler.turn()) == 1


async def test_two_pods_take_the_first_facts_of_one_document_at_once(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    await scheduler.deliver(client)
    for _ in range(10):
        first = make.document(client, created_at=utc_now() - TEN_MINUTES)
        second = first.model_copy(update={"revision": 2})
        await asyncio.gather(*(scheduler.deliver(fact) for fact in (second, first, second, first)))
        assert [fact.revision for fact in await scheduler.turn()] == [2]


async def test_one_query_shows_everything_that_waits_and_why(scheduler: Any, make: Any) -> None:
    after, never, gated, monthly = (
        make.dossier(AFTER),
        make.dossier(NEVER),
        make.dossier(AFTER, approval_required=True),
        make.dossier(LAST_MONTH),
    )
    gone = make.document(after, "gone", created_at=utc_now() - TEN_MINUTES)
    await scheduler.deliver(after, never, gated, monthly, gone)
    assert len(await scheduler.turn()) == 1
    by_hand = make.document(never, "by hand")
    await scheduler.deliver(
        make.document(after, "moment"),
        make.document(after, "entry", state=DocumentState.AWAITING_ENTRY),
        make.document(never, "hand"),
        make.document(gated, "approval", state=DocumentState.AWAITING_APPROVAL),
        make.document(monthly, "late", issue_date=date(2020, 1, 1)),
        by_hand,
    )
    assert (await scheduler.export(never.dossier_id, {"document_ids": [str(by_hand.document_id)]})).status_code == 202
    rows = await scheduler.sql("SELECT * FROM waiting ORDER BY due_at NULLS LAST")
    assert {row["number"]: (row["waits_for"], row["trigger"], row["late"], row["overdue"]) for row in rows} == {
        "moment": ("moment", "schedule", False, False),
        "entry": ("entry", None, False, False),
        "hand": ("hand", None, False, False),
        "approval": ("approval", None, False, False),
        "late": ("moment", "schedule", True, False),
        "by hand": ("moment", "manual", False, True),
        "gone": ("connection", None, False, False),
    }


async def test_with_many_rows_the_claim_reads_only_what_is_due(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    await scheduler.deliver(client)
    await scheduler.sql(
        "INSERT INTO document (document_id, dossier_id, firm_id, version, revision, kind, document_on, created_at, state,"
        " content, opened_at, awaited_approval, sent_revision, waits_for, due_at)"
        " SELECT gen_random_uuid(), :dossier, :firm, 0, 1, 'sales_invoice', '2026-01-01', now(), 'filed', '[]', now(), false,"
        " CASE WHEN n % 2 = 0 THEN 1 END, CASE WHEN n % 2 = 0 THEN 'nothing' ELSE 'moment' END,"
        " CASE WHEN n % 2 = 1 THEN now() + interval '1 day' END FROM generate_series(1, 50000) n",
        dossier=client.dossier_id,
        firm=client.firm_id,
    )
    await scheduler.sql("ANALYZE document")
    plan = await scheduler.sql(
        "EXPLAIN (ANALYZE, FORMAT JSON) SELECT document_id FROM document WHERE due_at <= now()"
        " ORDER BY due_at, document_id LIMIT 200 FOR UPDATE SKIP LOCKED"
    )
    assert "document_due" in str(plan)
    assert "Seq Scan" not in str(plan)
    async with scheduler.database.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM document"))).scalar_one() == 50_000
    started = asyncio.get_running_loop().time()
    for _ in range(20):
        assert await release_due(scheduler.context) is False
        assert (await scheduler.get(f"/v1/dossiers/{client.dossier_id}/schedule")).status_code == 200
    assert asyncio.get_running_loop().time() - started < 20 * 0.5


async def test_the_schedule_is_paged_soonest_first(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    facts = [make.document(client, f"F-{n}", created_at=utc_now() + timedelta(minutes=n)) for n in range(5)]
    await scheduler.deliver(client, *facts, make.document(client, "PDF", state=DocumentState.AWAITING_ENTRY))
    seen: list[str] = []
    after = ""
    while True:
        page = (await scheduler.get(f"/v1/dossiers/{client.dossier_id}/schedule?limit=2{after}")).json()
        seen += [item["number"] for item in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == ["F-0", "F-1", "F-2", "F-3", "F-4", "PDF"]
    assert (await scheduler.get(f"/v1/dossiers/{client.dossier_id}/schedule", firm=new_id())).status_code == 404


async def test_the_schedule_of_a_dossier_made_a_moment_ago_is_there_and_of_none_is_not(
    scheduler: Any, make: Any
) -> None:
    assert (await scheduler.get(f"/v1/dossiers/{new_id()}/schedule")).status_code == 404
    client = make.dossier(LAST_MONTH)

    async def deliver_later() -> None:
        await asyncio.sleep(0.1)
        await scheduler.deliver(client)

    answer, _ = await asyncio.gather(scheduler.get(f"/v1/dossiers/{client.dossier_id}/schedule"), deliver_later())
    assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})


@pytest.mark.parametrize("state", [DocumentState.HELD, DocumentState.DROPPED])
async def test_what_waits_for_an_answer_goes_neither_by_itself_nor_by_hand(
    scheduler: Any, make: Any, state: DocumentState
) -> None:
    client = make.dossier(AFTER)
    document = make.document(client, state=state)
    await scheduler.deliver(client, document)
    await scheduler.pass_time(TEN_MINUTES)
    assert (await scheduler.export(client.dossier_id, {})).json()["count"] == 0
    assert await scheduler.turn() == []
    await scheduler.deliver(document.model_copy(update={"state": DocumentState.FILED, "version": document.version + 1}))
    assert [fact.document_id for fact in await scheduler.turn()] == [document.document_id]
