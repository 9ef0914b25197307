"""The settings of a connection as a JSON Schema: what a form is made from, and what the OpenAPI document shows."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from koppel_connector.contract import Connector
from koppel_mesh.auth import Caller, require

_REF = "#/$defs/"
_OF_THE_FIELD = ("chooses_from", "writeOnly")


@cache
def settings_schema(model: type[BaseModel]) -> Mapping[str, Any]:
    """Return the JSON Schema of a settings model, whole in itself: every reference is replaced by what it names.

    A field that takes the code of a journal, a VAT code or another line of the master data says so (``chooses_from``: the
    ``kind`` of ``MasterRecord``, or ``remote_dossier``); a secret is ``writeOnly``.
    """
    schema = model.model_json_schema()
    resolved: dict[str, Any] = _resolved(schema, schema.pop("$defs", {}))
    return resolved


def _resolved(part: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_resolved(each, definitions) for each in part]
    if not isinstance(part, Mapping):
        return part
    # What describes a class, its docstring, is for those who read the code.
    dropped = {"$ref", "description"} if "properties" in part else {"$ref"}
    own = {name: _resolved(value, definitions) for name, value in part.items() if name not in dropped}
    if "$ref" in part:
        own = {**_resolved(definitions[part["$ref"].removeprefix(_REF)], definitions), **own}
    # What may be left out is ``anyOf`` the type and null; what the type says of the choice is the field's to say.
    for choice in own.get("anyOf", ()):
        own |= {name: choice[name] for name in _OF_THE_FIELD if name in choice}
    return own


def router(connector: Connector) -> APIRouter:
    """Return the route that tells what the connections of ``connector`` are set with."""
    routes = APIRouter(prefix="/v1", tags=["connections"])
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **settings_schema(connector.settings_model)}

    @routes.get("/settings-schema")
    async def read_settings_schema(_: Annotated[Caller, Depends(require("connections:read"))]) -> dict[str, Any]:
        """Read the JSON Schema of a connection's settings; ``chooses_from`` names the master data a field chooses from."""
        return schema

    return routes
