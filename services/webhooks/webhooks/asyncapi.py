"""The AsyncAPI 3 document of what partners receive, made from the models; ``make asyncapi`` writes it."""

import sys
from typing import Any

from koppel_mesh.messages.asyncapi import to_yaml

from .event_types import ALL_TYPES, CloudEvent, Data
from .sending.attempts import MEDIA_TYPE

_REF = "#/components/schemas/{model}"


def document() -> dict[str, Any]:
    """Return the whole document."""
    schemas: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for event_type, event in ALL_TYPES.items():
        name = event.__name__
        schemas |= _schemas(event)
        schemas[f"{name}Event"] = _envelope(event_type, name)
        messages[name] = {
            "name": event_type,
            "title": (event.__doc__ or "").splitlines()[0],
            "contentType": MEDIA_TYPE,
            "headers": {"$ref": "#/components/schemas/Headers"},
            "payload": {"$ref": f"#/components/schemas/{name}Event"},
        }
    schemas["Headers"] = _headers()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Koppel webhooks",
            "version": "1.0.0",
            "description": "What Koppel posts to the endpoints of partners: CloudEvents 1.0, signed as Standard Webhooks says.",
        },
        "defaultContentType": MEDIA_TYPE,
        "channels": {
            "endpoint": {
                "address": None,
                "description": "The url that a partner has registered.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"http": {"bindingVersion": "0.3.0"}},
            }
        },
        "operations": {
            "deliver": {
                "action": "send",
                "channel": {"$ref": "#/channels/endpoint"},
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
            }
        },
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def schema_of(event: type[Data]) -> dict[str, Any]:
    """Return the JSON Schema of an event's data, as it is served and frozen."""
    return event.model_json_schema(mode="serialization")


def _schemas(event: type[Data]) -> dict[str, Any]:
    schema = event.model_json_schema(mode="serialization", ref_template=_REF)
    nested = schema.pop("$defs", {})
    return {**nested, event.__name__: schema}


def _envelope(event_type: str, name: str) -> dict[str, Any]:
    schema = CloudEvent.model_json_schema(mode="serialization", ref_template=_REF)
    properties = {**schema["properties"], "type": {"const": event_type}, "data": {"$ref": _REF.format(model=name)}}
    return {"type": "object", "properties": properties, "required": schema["required"]}


def _headers() -> dict[str, Any]:
    described = {
        "webhook-id": "The same at every repetition: remember it, and do nothing twice.",
        "webhook-timestamp": "When it was sent, in seconds since 1970; refuse what is older than five minutes.",
        "webhook-signature": "Signatures with a space between: v1 (HMAC-SHA256) and v1a (Ed25519), of every secret that signs.",
        "webhook-key-id": "Ids of the public keys of the v1a signatures, in their order.",
    }
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": text} for name, text in described.items()},
        "required": list(described),
    }


if __name__ == "__main__":
    sys.stdout.write(to_yaml(document()))
