"""What was lost between the scheduler and a connector goes again by itself; what arrived does not."""

from datetime import timedelta
from typing import Any

from koppel_mesh.clock import utc_now
from koppel_mesh.messages import ConnectionState, DeliveryState, ExportFrequency, Trigger

LONG_AGO = timedelta(hours=1)
PAUSE = timedelta(seconds=601)


async def test_a_document_nobody_answers_for_is_announced_again(scheduler: Any, make: Any) -> None:
    client = make.dossier(ExportFrequency.AFTER_10_MINUTES)
    lost, taken = (make.document(client, created_at=utc_now() - LONG_AGO) for _ in range(2))
    living = make.connection(client, ConnectionState.CONNECTED)
    await scheduler.deliver(client, living, lost, taken)
    first = {fact.document_id: fact for fact in await scheduler.turn()}
    await scheduler.deliver(make.delivery(taken, DeliveryState.READY, connection_id=living.connection_id))
    assert await scheduler.repeated() == []
    await scheduler.pass_time(PAUSE)
    assert await scheduler.repeated() == [first[lost.document_id]]
    assert await scheduler.repeated() == []
    await scheduler.pass_time(PAUSE)
    assert await scheduler.repeated() == [], "the second pause is twice the first"
    await scheduler.pass_time(PAUSE)
    assert [fact.document_id for fact in await scheduler.repeated()] == [lost.document_id]
    await scheduler.deliver(make.delivery(lost, DeliveryState.READY, connection_id=living.connection_id))
    await scheduler.pass_time(LONG_AGO * 24)
    assert await scheduler.repeated() == []


async def test_it_ends_when_nobody_ever_answers(scheduler: Any, make: Any) -> None:
    client = make.dossier(ExportFrequency.NEVER)
    await scheduler.deliver(client, make.connection(client), make.document(client))
    await scheduler.export(client.dossier_id, {})
    (went,) = await scheduler.turn()
    announced = 0
    for _ in range(20):
        await scheduler.pass_time(timedelta(days=2))
        facts = await scheduler.repeated()
        assert all((fact.export_id, fact.trigger) == (went.export_id, Trigger.MANUAL) for fact in facts)
        announced += len(facts)
    assert announced == 10


async def test_without_a_living_connection_it_waits_for_one(scheduler: Any, make: Any) -> None:
    client = make.dossier(ExportFrequency.AFTER_10_MINUTES)
    await scheduler.deliver(client, make.document(client, created_at=utc_now() - LONG_AGO))
    assert len(await scheduler.turn()) == 1
    await scheduler.pass_time(PAUSE)
    assert await scheduler.repeated() == []
    await scheduler.deliver(make.connection(client))
    assert len(await scheduler.turn()) == 1
    await scheduler.pass_time(PAUSE)
    assert len(await scheduler.repeated()) == 1, "it went again with the connection, and nobody answered"


async def test_what_only_connector_coda_tells_of_is_taken_by_nobody(scheduler: Any, make: Any) -> None:
    """It tells why a statement waits, and may have lost the message that it should go."""
    client = make.dossier(ExportFrequency.AFTER_10_MINUTES)
    statement = make.document(client, created_at=utc_now() - LONG_AGO, kind="bank_statement")
    await scheduler.deliver(client, make.connection(client, ConnectionState.CONNECTED), statement)
    (first,) = await scheduler.turn()
    await scheduler.deliver(make.delivery(statement, DeliveryState.SUPERSEDED, connector="connector-coda"))
    await scheduler.pass_time(PAUSE)
    assert await scheduler.repeated() == [first]
