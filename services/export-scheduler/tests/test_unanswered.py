"""What was lost between the scheduler and a connector goes again by itself; what arrived does not."""

from datetime import timedelta
from typing import Any

from export_scheduler.service import SERVICE
from koppel_mesh.clock import utc_now
from koppel_mesh.messages import ConnectionState, DeliveryState, ExportFrequency, Trigger
from koppel_mesh.migrations import upgrade

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


async def test_it_goes_on_once_a_day_while_nobody_answers(scheduler: Any, make: Any) -> None:
    client = make.dossier(ExportFrequency.NEVER)
    await scheduler.deliver(client, make.connection(client), make.document(client))
    await scheduler.export(client.dossier_id, {})
    (went,) = await scheduler.turn()
    for _ in range(30):
        await scheduler.pass_time(timedelta(days=1, seconds=1))
        (fact,) = await scheduler.repeated()
        assert (fact.export_id, fact.trigger) == (went.export_id, Trigger.MANUAL)


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


async def test_what_an_earlier_version_gave_up_is_taken_up_again(scheduler: Any, make: Any, database_url: str) -> None:
    """It ended after ten repeats, and left the rows without a moment for the next."""
    client, leaver = (make.dossier(ExportFrequency.AFTER_10_MINUTES) for _ in range(2))
    lost, due, taken = (make.document(client, created_at=utc_now() - LONG_AGO) for _ in range(3))
    of_leaver = make.document(leaver, created_at=utc_now() - LONG_AGO)
    living = make.connection(client, ConnectionState.CONNECTED)
    await scheduler.deliver(client, leaver, living, make.connection(leaver), lost, due, taken, of_leaver)
    went = {fact.document_id: fact for fact in await scheduler.turn()}
    await scheduler.deliver(make.delivery(taken, DeliveryState.READY, connection_id=living.connection_id))
    await scheduler.sql("UPDATE connection SET state = 'disconnected' WHERE dossier_id = :id", id=leaver.dossier_id)
    await scheduler.sql("UPDATE document SET repeats = 10, repeat_at = NULL")
    tomorrow = "UPDATE document SET repeat_at = now() + interval '1 day' WHERE document_id = :id"
    await scheduler.sql(tomorrow, id=due.document_id)
    await scheduler.sql("UPDATE alembic_version_export_scheduler SET version_num = '0004'")
    await upgrade(database_url, SERVICE.name, SERVICE.lineages)
    rows = await scheduler.sql("SELECT document_id, repeats FROM document WHERE repeat_at IS NOT NULL")
    assert {row["document_id"]: row["repeats"] for row in rows} == {lost.document_id: 9, due.document_id: 9}
    assert await scheduler.repeated() == [went[lost.document_id]]
    await scheduler.pass_time(timedelta(days=1, seconds=1))
    assert {fact.document_id for fact in await scheduler.repeated()} == {lost.document_id, due.document_id}
