"""The running service: facts come in from RabbitMQ, ``document.ready`` leaves to it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import aio_pika

from export_scheduler.service import SERVICE
from export_scheduler.settings import SchedulerSettings
from koppel_mesh.broker import Message, Publisher, declare_topology, queue_of
from koppel_mesh.clock import utc_now
from koppel_mesh.database import Database
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DocumentReady, Envelope, EventData, ExportFrequency, open_envelope
from koppel_mesh.runtime import running

LISTENER = "listener"


def sealed(fact: EventData) -> Message:
    message_id = new_id()
    envelope = Envelope(
        id=message_id, source="/koppel/test", type=fact.type, subject=str(fact.subject_id), time=utc_now(), data=fact
    )
    return Message(message_id, fact.type, envelope.to_bytes())


async def test_facts_in_and_ready_out_once(
    make_database: Callable[..., str], make_vhost: Callable[[], str], make: Any
) -> None:
    url, amqp = make_database(SERVICE), make_vhost()
    subscriptions = {SERVICE.name: [event.type for event in SERVICE.handlers], LISTENER: [DocumentReady.type]}
    await declare_topology(amqp, subscriptions)
    settings = SchedulerSettings(database_url=url, amqp_url=amqp, port=0)
    client = make.dossier(ExportFrequency.AFTER_10_MINUTES)
    old = utc_now() - timedelta(minutes=11)
    invoices = [make.document(client, f"F-{n}", created_at=old) for n in range(20)]
    storm = [sealed(fact) for fact in (*invoices, client, make.connection(client), *invoices)]
    async with running([SERVICE], {SERVICE.name: settings}):
        publisher = Publisher(amqp, "test")
        try:
            outcome = await publisher.publish([*storm, *storm], deadline_s=5)
        finally:
            await publisher.close()
        assert not outcome.failed
        sent = await _listen(amqp, count=len(invoices))
    assert sorted(fact.number or "" for fact in sent) == sorted(f"F-{n}" for n in range(20))
    database = Database(url, SERVICE.name)
    async with database.reading() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM waiting")).scalar_one() == 0
    await database.close()


async def _listen(amqp: str, count: int) -> list[DocumentReady]:
    """Return what arrives until ``count`` facts and a little later, so that a surplus shows."""
    received: list[DocumentReady] = []
    connection = await aio_pika.connect(amqp)
    async with connection:
        queue = await (await connection.channel()).get_queue(queue_of(LISTENER))
        async with asyncio.timeout(60):
            while len(received) < count:
                message = await queue.get(fail=False)
                if message is None:
                    await asyncio.sleep(0.05)
                    continue
                await message.ack()
                fact = open_envelope(message.body).data
                assert isinstance(fact, DocumentReady)
                received.append(fact)
        await asyncio.sleep(0.7)
        assert await queue.get(fail=False) is None
    return received
