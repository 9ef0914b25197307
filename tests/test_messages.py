"""The six messages stay what they are (contract §8): frozen examples, read and written by today's models.

A change that breaks one of these breaks a rolling update: old and new pods speak to each other while it lasts, and a message
that waited in a queue was written by the version before.
"""

import asyncio
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import text

from export_scheduler.service import SERVICE as SCHEDULER
from export_scheduler.settings import SchedulerSettings
from koppel_mesh.broker import Message, Publisher, dead_queue_of, declare_topology, depth
from koppel_mesh.database import Database
from koppel_mesh.ids import new_id
from koppel_mesh.messages import EVENT_TYPES, UnreadableMessageError, asyncapi, open_envelope
from koppel_mesh.runtime import running

ROOT = Path(__file__).parents[1]
EXAMPLES = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "tests/messages").glob("*.json"))}
_DOCUMENT = "document_id dossier_id firm_id revision kind number issue_date created_at state content"
PROMISED = {
    "dossier.changed.v1": "dossier_id firm_id name enterprise_number language export",
    "document.changed.v1": _DOCUMENT,
    "document.ready.v1": f"{_DOCUMENT} export_id trigger",
    "delivery.changed.v1": "delivery_id document_id revision connector connection_id state",
    "connection.changed.v1": "connection_id dossier_id connector state",
    "receipts.period_closed.v1": "period_id receipt_book_id dossier_id firm_id starts_on ends_on number total",
}
"""What every sender of version 1 has always sent. A reader may rely on these; one more would refuse older messages."""
ENVELOPE_PROMISED = ("specversion", "id", "source", "type", "subject", "time", "data")
types = pytest.mark.parametrize("type_", sorted(PROMISED))


def opened(example: dict[str, Any]) -> Any:
    return open_envelope(json.dumps(example).encode())


def changed(type_: str, change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    example: dict[str, Any] = copy.deepcopy(EXAMPLES[type_])
    change(example)
    return example


def test_every_message_has_an_example() -> None:
    assert set(EXAMPLES) == set(EVENT_TYPES) == set(PROMISED)


@types
def test_the_example_reads_and_writes_as_itself(type_: str) -> None:
    assert json.loads(opened(EXAMPLES[type_]).to_bytes()) == EXAMPLES[type_]


@types
def test_a_newer_senders_fields_are_left_aside(type_: str) -> None:
    def add(example: dict[str, Any]) -> None:
        example["futureextension"] = "x"
        example["data"]["future"] = {"deep": [1]}
        for nested in (example["data"].get("export"), *(example["data"].get("content") or ())):
            if nested is not None:
                nested["future"] = 1

    assert json.loads(opened(changed(type_, add)).to_bytes()) == EXAMPLES[type_]


@types
def test_what_is_promised_is_enough(type_: str) -> None:
    promised = PROMISED[type_].split()

    def reduce(example: dict[str, Any]) -> None:
        example["data"] = {name: example["data"][name] for name in promised}
        for name in set(example) - set(ENVELOPE_PROMISED):
            del example[name]

    assert opened(changed(type_, reduce)).type == type_


def mutilated(type_: str) -> list[dict[str, Any]]:
    found = []
    for name in PROMISED[type_].split():
        found.append(copy.deepcopy(EXAMPLES[type_]))
        del found[-1]["data"][name]
    for name in ("id", "source", "data"):
        found.append(copy.deepcopy(EXAMPLES[type_]))
        del found[-1][name]
    found.append(changed(type_, lambda example: example.update(specversion="2.0")))
    found.append(changed(type_, lambda example: example.update(type=type_.replace("v1", "v2"))))
    return found


@types
def test_what_misses_something_promised_is_refused(type_: str) -> None:
    for example in mutilated(type_):
        with pytest.raises(UnreadableMessageError):
            opened(example)


@types
def test_what_cloudevents_leaves_to_the_sender_is_read(type_: str) -> None:
    """Anyone may publish: no subject, no time, any text as id, a parameter of the media type (CloudEvents 1.0, 3.1)."""

    def publish(example: dict[str, Any]) -> None:
        for name in set(example) - {"specversion", "id", "source", "type", "data"}:
            del example[name]
        example |= {"id": "A234-1234-1234", "datacontenttype": "application/json; charset=utf-8"}

    foreign = changed(type_, publish)
    first, again = opened(foreign), opened(foreign)
    assert first.data.model_dump() == opened(EXAMPLES[type_]).data.model_dump()
    assert first.id == again.id
    assert first.id != opened({**foreign, "source": "another"}).id, "an id is one of its source"
    with pytest.raises(UnreadableMessageError):
        opened({**foreign, "datacontenttype": "application/xml"})


async def test_what_is_refused_is_kept_in_quarantine(
    make_database: Callable[..., str], make_vhost: Callable[[], str]
) -> None:
    url, amqp = make_database(SCHEDULER), make_vhost()
    handled = [event.type for event in SCHEDULER.handlers]
    await declare_topology(amqp, {SCHEDULER.name: handled})
    bad = [json.dumps(example).encode() for type_ in handled for example in mutilated(type_)]
    database = Database(url, SCHEDULER.name)
    publisher = Publisher(amqp, "test")
    async with running([SCHEDULER], {SCHEDULER.name: SchedulerSettings(database_url=url, amqp_url=amqp, port=0)}):
        outcome = await publisher.publish([Message(new_id(), handled[0], body) for body in bad], deadline_s=5)
        assert not outcome.failed
        async with asyncio.timeout(60):
            while await _quarantined(database) < len(bad):
                await asyncio.sleep(0.05)
    assert await _quarantined(database) == len(bad)
    assert await depth(amqp, dead_queue_of(SCHEDULER.name)) == 0
    await publisher.close()
    await database.close()


async def _quarantined(database: Database) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM quarantine WHERE reason <> ''"))).scalar_one())


def test_the_asyncapi_document_is_what_the_models_say() -> None:
    made = asyncapi.to_yaml(asyncapi.document())
    assert (ROOT / "docs/asyncapi.yaml").read_text() == made, "run `make asyncapi`"


def test_the_asyncapi_document_reads_back_and_its_references_lead_somewhere() -> None:
    known = yaml.safe_load(asyncapi.to_yaml(asyncapi.document()))
    assert known == asyncapi.document()
    assert {channel["address"] for channel in known["channels"].values()} == set(EVENT_TYPES)

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for item in value.values() for found in references(item)]
        return [found for item in value for found in references(item)] if isinstance(value, list) else []

    for reference in references(known):
        place = known
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
