"""The alert of the scheduler: no connector answers, it fires; the connector answers, as its runbook says, and it is over."""

from datetime import timedelta
from typing import Any

import pytest

from koppel_mesh.clock import utc_now
from koppel_mesh.messages import ConnectionState, DeliveryState, ExportFrequency

LONG_AGO = timedelta(hours=1)
A_DAY = timedelta(days=1, seconds=1)


@pytest.mark.alert("KoppelDocumentsUnanswered", service="export-scheduler")
async def test_documents_that_no_connector_takes_are_named_until_one_does(
    alert: Any, scheduler: Any, make: Any
) -> None:
    client = make.dossier(ExportFrequency.AFTER_10_MINUTES)
    lost, taken = (make.document(client, created_at=utc_now() - LONG_AGO) for _ in range(2))
    living = make.connection(client, ConnectionState.CONNECTED)
    await scheduler.deliver(client, living, lost, taken)

    async def fires() -> bool:
        return bool(alert.fires((await scheduler.http.get("/metrics")).text))

    assert len(await scheduler.turn()) == 2, "both leave, and the broker loses them"
    await scheduler.repeated()
    assert not await fires()
    await scheduler.pass_time(LONG_AGO)
    assert len(await scheduler.repeated()) == 2
    assert await fires()
    await scheduler.deliver(make.delivery(taken, DeliveryState.READY, connection_id=living.connection_id))
    (shown,) = await scheduler.sql(alert.query())
    assert (shown["document_id"], shown["dossier_id"], shown["repeats"]) == (lost.document_id, client.dossier_id, 1)
    for _ in range(15):  # two weeks in which nobody mends it
        await scheduler.pass_time(A_DAY)
        await scheduler.repeated()
        assert await fires()
    alert.says(
        "start the connector, or mend what its log says", "The scheduler announces the documents again by itself"
    )
    assert await scheduler.repeated() == []
    alert.says(
        no_longer := "UPDATE export_scheduler.document SET repeat_at = now() WHERE repeats > 0 AND repeat_at > now()"
    )
    await scheduler.sql(no_longer)
    (again,) = await scheduler.repeated()
    assert again.document_id == lost.document_id
    await scheduler.deliver(make.delivery(lost, DeliveryState.READY, connection_id=living.connection_id))
    await scheduler.repeated()
    assert not await fires()
    assert await scheduler.sql(alert.query()) == []


async def test_what_has_no_living_connection_any_more_waits_for_no_connector(scheduler: Any, make: Any) -> None:
    client = make.dossier(ExportFrequency.AFTER_10_MINUTES)
    living = make.connection(client, ConnectionState.CONNECTED)
    await scheduler.deliver(client, living, make.document(client, created_at=utc_now() - LONG_AGO))
    await scheduler.turn()
    await scheduler.pass_time(LONG_AGO)

    async def counted() -> str:
        await scheduler.repeated()
        shown = (await scheduler.http.get("/metrics")).text
        return next(line for line in shown.splitlines() if line.startswith("koppel_documents_unanswered{")).split()[1]

    assert await counted() == "1.0"
    await scheduler.deliver(living.model_copy(update={"state": ConnectionState.DISCONNECTED, "version": 2}))
    assert await counted() == "0.0"
