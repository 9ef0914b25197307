"""What goes before its dossier has a connection is lost to nobody: it waits for one, and goes again when it is made."""

from datetime import timedelta
from typing import Any

from koppel_mesh.clock import utc_now
from koppel_mesh.messages import ConnectionState, DeliveryState, DocumentReady, ExportFrequency, Trigger

AFTER, NEVER = ExportFrequency.AFTER_10_MINUTES, ExportFrequency.NEVER
LONG_AGO = timedelta(hours=1)


async def waiting(scheduler: Any) -> dict[str, int]:
    items = (await scheduler.get("/v1/waiting")).json()["items"]
    return {item["waits_for"]: item["count"] for item in items}


def told(ready: list[DocumentReady]) -> set[tuple[object, ...]]:
    return {(fact.document_id, fact.export_id, fact.trigger, fact.again) for fact in ready}


async def test_what_no_connector_took_goes_again_with_its_export(scheduler: Any, make: Any) -> None:
    planned, by_hand = make.dossier(AFTER), make.dossier(NEVER)
    await scheduler.hear(
        planned, by_hand, make.document(planned, created_at=utc_now() - LONG_AGO), make.document(by_hand)
    )
    await scheduler.export(by_hand.dossier_id, {})
    first = await scheduler.turn()
    assert {fact.trigger for fact in first} == {Trigger.SCHEDULE, Trigger.MANUAL}
    assert await waiting(scheduler) == {"connection": 2}
    await scheduler.hear(make.connection(planned), make.connection(by_hand))
    again = await scheduler.turn()
    assert told(again) == told(first)
    assert await waiting(scheduler) == {}


async def test_what_a_connector_took_goes_once_whatever_is_connected(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    invoice = make.document(client, created_at=utc_now() - LONG_AGO)
    connection = make.connection(client)
    await scheduler.hear(connection, client, invoice)
    assert len(await scheduler.turn()) == 1
    await scheduler.hear(make.delivery(invoice, DeliveryState.BLOCKED, connection_id=connection.connection_id))
    await scheduler.hear(make.connection(client))
    assert await scheduler.turn() == []


async def test_only_a_new_connection_takes_what_was_left(scheduler: Any, make: Any) -> None:
    client = make.dossier(AFTER)
    made = make.connection(client)
    removed = made.model_copy(update={"state": ConnectionState.DISCONNECTED, "version": 3})
    await scheduler.hear(client, removed)
    await scheduler.hear(made)
    await scheduler.hear(make.document(client, created_at=utc_now() - LONG_AGO))
    assert len(await scheduler.turn()) == 1
    assert await waiting(scheduler) == {"connection": 1}
    await scheduler.hear(made.model_copy(update={"version": 2}))
    assert await scheduler.turn() == [], "what it said before it was removed came late"
    other = make.connection(client)
    await scheduler.hear(other)
    assert len(await scheduler.turn()) == 1
    await scheduler.hear(other, other.model_copy(update={"state": ConnectionState.CONNECTED, "version": 2}))
    assert await scheduler.turn() == [], "the connector has had it"


async def test_another_dossiers_connection_takes_nothing(scheduler: Any, make: Any) -> None:
    client, other = make.dossier(AFTER), make.dossier(AFTER)
    await scheduler.hear(client, other, make.document(client, created_at=utc_now() - LONG_AGO))
    assert len(await scheduler.turn()) == 1
    await scheduler.hear(make.connection(other))
    assert await scheduler.turn() == []
