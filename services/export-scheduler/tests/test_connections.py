"""What goes before its dossier has a connection is lost to nobody: it waits for one, and goes again when it is made."""

from datetime import timedelta
from typing import Any

from koppel_mesh.clock import utc_now
from koppel_mesh.messages import (
    ConnectionState,
    DeliveryState,
    DocumentReady,
    DocumentState,
    DossierChanged,
    ExportFrequency,
    ExportRules,
    Trigger,
)

AFTER, NEVER = ExportFrequency.AFTER_10_MINUTES, ExportFrequency.NEVER
LONG_AGO = timedelta(hours=1)


def outline(ready: list[DocumentReady]) -> set[tuple[object, ...]]:
    return {(fact.document_id, fact.revision, fact.trigger, fact.again) for fact in ready}


def changed(of: DossierChanged, **export: Any) -> DossierChanged:
    return of.model_copy(update={"export": ExportRules(**export), "version": of.version + 1})


async def test_what_no_connector_took_goes_again(scheduler: Any, make: Any) -> None:
    planned, by_hand = make.dossier(AFTER), make.dossier(NEVER)
    await scheduler.deliver(
        planned, by_hand, make.document(planned, created_at=utc_now() - LONG_AGO), make.document(by_hand)
    )
    await scheduler.export(by_hand.dossier_id, {})
    first = await scheduler.turn()
    assert {fact.trigger for fact in first} == {Trigger.SCHEDULE, Trigger.MANUAL}
    assert await scheduler.waiting() == {"connection": (2, 0)}
    await scheduler.deliver(make.connection(planned), make.connection(by_hand))
    again = await scheduler.turn()
    assert outline(again) == outline(first)
    assert await scheduler.waiting() == {}
    for fact in (*first, *again):
        assert (await scheduler.get(f"/v1/exports/{fact.export_id}")).json()["count"] == 1


async def test_it_goes_again_by_the_rules_of_now(scheduler: Any, make: Any) -> None:
    asks, stops, goes_on = make.dossier(AFTER), make.dossier(AFTER), make.dossier(AFTER)
    old = [make.document(each, created_at=utc_now() - LONG_AGO) for each in (asks, stops, goes_on)]
    await scheduler.deliver(asks, stops, goes_on, *old)
    assert len(await scheduler.turn()) == 3
    await scheduler.deliver(changed(asks, approval_required=True, frequency=AFTER), changed(stops, frequency=NEVER))
    await scheduler.deliver(old[0].model_copy(update={"state": DocumentState.AWAITING_APPROVAL, "version": 2}))
    await scheduler.deliver(*map(make.connection, (asks, stops, goes_on)))
    assert [fact.document_id for fact in await scheduler.turn()] == [old[2].document_id]
    assert await scheduler.waiting() == {"approval": (1, 0), "hand": (1, 0)}


async def test_what_a_removed_connection_never_sent_goes_by_the_next_one(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    sent, unsent = (make.document(client, created_at=utc_now() - LONG_AGO) for _ in range(2))
    wrong = make.connection(client)
    await scheduler.deliver(client, wrong, sent, unsent)
    assert len(await scheduler.turn()) == 2
    of_it = {"connection_id": wrong.connection_id}
    await scheduler.deliver(
        wrong.model_copy(update={"state": ConnectionState.DISCONNECTED, "version": 2}),
        make.delivery(sent, DeliveryState.BOOKED, **of_it),
        make.delivery(unsent, DeliveryState.FAILED, **of_it),
    )
    (shown,) = (await scheduler.get(f"/v1/dossiers/{client.dossier_id}/schedule")).json()["items"]
    assert (shown["document_id"], shown["waits_for"]) == (str(unsent.document_id), "connection")
    await scheduler.deliver(make.connection(client))
    assert [fact.document_id for fact in await scheduler.turn()] == [unsent.document_id]


async def test_what_a_connector_took_goes_once_whatever_is_connected(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    invoice = make.document(client, created_at=utc_now() - LONG_AGO)
    connection = make.connection(client)
    await scheduler.deliver(connection, client, invoice)
    assert len(await scheduler.turn()) == 1
    await scheduler.deliver(make.delivery(invoice, DeliveryState.BLOCKED, connection_id=connection.connection_id))
    await scheduler.deliver(make.connection(client))
    assert await scheduler.turn() == []


async def test_only_a_new_connection_takes_what_was_left(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    made = make.connection(client)
    removed = made.model_copy(update={"state": ConnectionState.DISCONNECTED, "version": 3})
    await scheduler.deliver(client, removed)
    await scheduler.deliver(made)
    await scheduler.deliver(make.document(client, created_at=utc_now() - LONG_AGO))
    assert len(await scheduler.turn()) == 1
    assert await scheduler.waiting() == {"connection": (1, 0)}
    await scheduler.deliver(made.model_copy(update={"version": 2}))
    assert await scheduler.turn() == [], "what it said before it was removed came late"
    other = make.connection(client)
    await scheduler.deliver(other)
    assert len(await scheduler.turn()) == 1
    await scheduler.deliver(other, other.model_copy(update={"state": ConnectionState.CONNECTED, "version": 2}))
    assert await scheduler.turn() == [], "the connector has had it"


async def test_another_dossiers_connection_takes_nothing(scheduler: Any, make: Any) -> None:
    client, other = make.dossier(AFTER), make.dossier(AFTER)
    await scheduler.deliver(client, other, make.document(client, created_at=utc_now() - LONG_AGO))
    assert len(await scheduler.turn()) == 1
    await scheduler.deliver(make.connection(other))
    assert await scheduler.turn() == []
