"""The AsyncAPI 3 document of the six messages, made from the models: ``make asyncapi`` writes ``docs/asyncapi.yaml``.

The document is made from the models; a test fails when the file in ``docs/`` is not what this makes.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

from koppel_mesh.broker import EVENTS

from .envelope import CONTENT_TYPE, Envelope
from .events import EVENT_TYPES, EventData

_REF = "#/components/schemas/{model}"
_WAYS = {
    "dossier.changed.v1": (("dossier-api",), ("export-scheduler", "connectors")),
    "document.changed.v1": (("dossier-api",), ("export-scheduler", "connector-coda", "webhooks")),
    "document.ready.v1": (("export-scheduler", "connector-coda"), ("connectors",)),
    "delivery.changed.v1": (
        ("connectors", "pos-ingest"),
        ("dossier-api", "export-scheduler", "connector-coda", "webhooks"),
    ),
    "connection.changed.v1": (("connectors",), ("dossier-api", "export-scheduler", "connector-coda", "webhooks")),
    "receipts.period_closed.v1": (("pos-ingest",), ("webhooks",)),
}
"""From whom and to whom (contract §8)."""


def document() -> dict[str, Any]:
    """Return the whole document."""
    schemas: dict[str, Any] = {}
    messages, channels, operations = {}, {}, {}
    for type_, event in EVENT_TYPES.items():
        name = event.__name__
        senders, receivers = _WAYS[type_]
        schemas |= _schemas(event)
        schemas[f"{name}Envelope"] = _envelope(type_, name)
        messages[name] = {
            "name": type_,
            "title": _first_line(event),
            "contentType": CONTENT_TYPE,
            "payload": {"$ref": f"#/components/schemas/{name}Envelope"},
        }
        channels[name] = {
            "address": type_,
            "description": f"From {', '.join(senders)} to {', '.join(receivers)}; persistent, confirmed{_mandatory(event)}.",
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
            "bindings": {
                "amqp": {
                    "is": "routingKey",
                    "exchange": {"name": EVENTS, "type": "topic", "durable": True, "autoDelete": False, "vhost": "/"},
                    "bindingVersion": "0.3.0",
                }
            },
        }
        for action, who in (("send", senders), ("receive", receivers)):
            operations[f"{action}{name}"] = {
                "action": action,
                "title": f"{action} by {', '.join(who)}",
                "channel": {"$ref": f"#/channels/{name}"},
            }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Koppel messages",
            "version": "1.0.0",
            "description": "What Koppel's services tell each other, as CloudEvents 1.0 in structured JSON.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def _schemas(event: type[EventData]) -> dict[str, Any]:
    schema = event.model_json_schema(mode="serialization", ref_template=_REF)
    nested = schema.pop("$defs", {})
    return {**nested, event.__name__: schema}


def _envelope(type_: str, name: str) -> dict[str, Any]:
    schema = Envelope.model_json_schema(mode="validation", ref_template=_REF)
    properties = {**schema["properties"], "type": {"const": type_}, "data": {"$ref": _REF.format(model=name)}}
    return {"type": "object", "properties": properties, "required": [*schema["required"], "specversion"]}


def _mandatory(event: type[EventData]) -> str:
    return ", mandatory" if event.needs_listener else ""


def _first_line(event: type[EventData]) -> str:
    return (event.__doc__ or "").splitlines()[0]


def to_yaml(value: Any) -> str:
    """Return plain data as YAML that any reader takes: block style, every text that could mean something else quoted."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Any) -> Iterator[str]:
    items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for key, item in items:
        head = "-" if key is None else f"{_scalar(key)}:"
        if not isinstance(item, dict | list):
            yield f"{head} {_scalar(item)}"
        elif not item:
            yield f"{head} {'{}' if isinstance(item, dict) else '[]'}"
        else:
            yield head
            yield from (f"  {line}" for line in _lines(item))


def _scalar(value: Any) -> str:
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z _./-]*", value)
    if (
        plain
        and value.strip() == value
        and value.lower() not in {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
    ):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(to_yaml(document()))
