"""Version 1 of each event stays what it is: an example and the JSON Schema of each are frozen.

A receiver that was written against a frozen example reads what is sent today. Where a test here fails, the change is not
compatible, unless a field was only added: then ``KOPPEL_FREEZE=1 pytest`` of this file writes the files anew.
"""

import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest
import yaml

from koppel_mesh.messages import LocalisedText, ProblemData, WhoCanFix
from koppel_mesh.messages.asyncapi import to_yaml
from webhooks import asyncapi
from webhooks.event_types import ALL_TYPES, EVENTS, Data, body_of
from webhooks.event_types import CloudEvent as Envelope

ROOT = Path(__file__).parents[3]
FROZEN = Path(__file__).parent / "events"
ONE = UUID("01999999-0000-7000-8000-000000000001")
MOMENT = datetime(2026, 11, 29, 8, 30, tzinfo=UTC)
PROBLEM = ProblemData(
    code="period_closed",
    message=LocalisedText(nl="De periode is afgesloten.", fr="La période est clôturée.", en="The period is closed."),
    who_can_fix=WhoCanFix.ACCOUNTANT,
)
VALUES: dict[str, Any] = {
    "connector": "connector-exact",
    "number": "2026-0412",
    "kind": "sales_invoice",
    "issue_date": date(2026, 11, 28),
    "revision": 1,
    "count": 2,
    "url": f"https://koppel.example/dossier-api/v1/documents/{ONE}",
    "entry_number": "26700001",
    "entry_url": "https://start.exactonline.be/docs/26700001",
    "problem": PROBLEM,
    "starts_on": date(2026, 11, 1),
    "ends_on": date(2026, 11, 30),
    "total": Decimal("106.00"),
    "challenge": "p8Q5b2nT",
}
types = pytest.mark.parametrize("event_type", sorted(ALL_TYPES))


def example(event: type[Data]) -> Data:
    def value(name: str) -> Any:
        if name == "state":
            return "connected" if event.type == "connection.state_changed" else "blocked"
        return VALUES.get(name, MOMENT if name.endswith("_at") else ONE)

    return event(**{name: value(name) for name in event.model_fields})


def sent(event_type: str) -> str:
    data = example(ALL_TYPES[event_type])
    more = {"firmid": ONE, "sequence": 3}
    return body_of(ONE, data, public_url="https://koppel.example", time=MOMENT, subject=ONE, **more)


def frozen(name: str, make: Callable[[], Any]) -> Any:
    file = FROZEN / name
    if os.environ.get("KOPPEL_FREEZE"):
        FROZEN.mkdir(exist_ok=True)
        file.write_text(json.dumps(make(), indent=2, ensure_ascii=False) + "\n")
    return json.loads(file.read_text())


@types
def test_what_is_sent_is_what_was_frozen(event_type: str) -> None:
    assert json.loads(sent(event_type)) == frozen(f"{event_type}.json", lambda: json.loads(sent(event_type)))


@types
def test_the_schema_is_what_was_frozen_and_the_example_keeps_to_it(event_type: str) -> None:
    schema = asyncapi.schema_of(ALL_TYPES[event_type])
    assert schema == frozen(f"{event_type}.schema.json", lambda: schema)
    validator = jsonschema_rs.Draft202012Validator(schema)
    data = json.loads(sent(event_type))["data"]
    validator.validate(data)
    required = schema["required"][0]
    assert not validator.is_valid({name: one for name, one in data.items() if name != required})


@types
def test_money_and_times_are_text(event_type: str) -> None:
    def floats(value: Any) -> list[float]:
        nested = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [value] if isinstance(value, float) else [found for one in nested for found in floats(one)]

    assert floats(json.loads(sent(event_type))) == []


def test_every_event_of_the_contract_is_there() -> None:
    assert set(EVENTS) == {
        *("document.received", "document.findings", "document.approved"),
        *("delivery.exported", "delivery.booked", "delivery.problem"),
        *("connection.state_changed", "receipts.period_closed", "statement.gap"),
    }
    assert {path.name.removesuffix(".json") for path in FROZEN.glob("*.json") if ".schema." not in path.name} == set(
        ALL_TYPES
    )


def test_the_asyncapi_document_is_what_the_models_say_and_names_every_event() -> None:
    made = to_yaml(asyncapi.document())
    assert (ROOT / "docs/webhooks.asyncapi.yaml").read_text() == made, "run `make asyncapi`"
    assert yaml.safe_load(made) == asyncapi.document()
    assert {one["name"] for one in asyncapi.document()["components"]["messages"].values()} == set(ALL_TYPES)
    assert "$ref" in json.dumps(asyncapi.document()) and set(Envelope.model_fields) >= {"id", "sequence", "firmid"}


def test_the_envelope_in_the_document_holds_for_what_is_sent() -> None:
    document = asyncapi.document()
    for event_type, event in ALL_TYPES.items():
        schema = {"$ref": f"#/components/schemas/{event.__name__}Event", "components": document["components"]}
        jsonschema_rs.Draft202012Validator(schema).validate(json.loads(sent(event_type)))
