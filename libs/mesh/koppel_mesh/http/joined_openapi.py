"""One OpenAPI document of many services: what each answers, at the paths that callers see.

A schema that services share by name and content appears once. Where one name has several contents, that of most services
keeps it; each other takes the name of its service in front.
"""

import copy
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Document = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
DESCRIPTION = """\
Koppel carries an entrepreneur's documents into the accountant's bookkeeping software, and proves that each was booked once.

Ids are UUIDs, times RFC 3339 in UTC, days `YYYY-MM-DD`, amounts decimal strings. A list has `items` and `next`, which is the
`after` of its next page. A `POST` that makes something takes an `Idempotency-Key`: the same key with the same body gets the first
answer again. Errors are problems (RFC 9457) with a stable `code`; every call names those that it may answer.
"""
_SCHEMAS = "#/components/schemas/"


def join_documents(documents: Mapping[str, Document]) -> Document:
    """Return the document of all services, of theirs by name; the given ones stay as they are.

    Raises:
        ValueError: two services mean different things by one component that is no schema.
    """
    names = _schema_names(documents)
    schemas: dict[str, Any] = {}
    others: dict[str, dict[str, Any]] = defaultdict(dict)
    paths: dict[str, Any] = {}
    for service, document in documents.items():
        own = _renamed(copy.deepcopy(document), names[service])
        for name, schema in own.get("components", {}).get("schemas", {}).items():
            schemas[names[service][name]] = schema
        for kind, components in own.get("components", {}).items():
            for name, component in components.items() if kind != "schemas" else ():
                if others[kind].setdefault(name, component) != component:
                    raise ValueError(f"services mean different things by {kind} {name}")
        for path, item in own["paths"].items():
            paths[f"/{service}{path}"] = item
        for operation in operations_of(own):
            operation["operationId"] = f"{service.replace('-', '_')}_{operation['operationId']}"
            operation["tags"] = [service]
    versions = {document["openapi"] for document in documents.values()}
    return {
        "openapi": max(versions, default="3.1.0"),
        "info": {"title": "Koppel", "version": "1", "description": DESCRIPTION, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": document["info"]["title"]} for name, document in documents.items()],
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items())), **others},
    }


def operations_of(document: Document) -> Iterator[dict[str, Any]]:
    """Yield every operation of a document."""
    for item in document["paths"].values():
        yield from (item[method] for method in METHODS if method in item)


def _schema_names(documents: Mapping[str, Document]) -> dict[str, dict[str, str]]:
    """Return the name in the joined document of each schema, by its service and by its name there."""
    contents: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for service, document in documents.items():
        schemas = document.get("components", {}).get("schemas", {})
        for name in schemas:
            contents[name][_content(name, schemas)].append(service)
    names: dict[str, dict[str, str]] = {service: {} for service in documents}
    for name, by_content in contents.items():
        groups = sorted(by_content.values(), key=lambda services: -len(services))
        for place, services in enumerate(groups):
            prefix = "".join(word.capitalize() for word in services[0].split("-")) if place else ""
            for service in services:
                names[service][name] = prefix + name
    return names


def _content(name: str, schemas: Mapping[str, Any]) -> str:
    """Return what a schema says with all that it leads to: two that refer to different things by one name differ."""
    reached: dict[str, Any] = {}
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in reached:
            reached[one] = schemas[one]
            waiting += _references(schemas[one])
    return json.dumps(reached, sort_keys=True)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "$ref" and isinstance(each, str):
                yield each.removeprefix(_SCHEMAS)
            else:
                yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _SCHEMAS + names[each.removeprefix(_SCHEMAS)]
        if key == "$ref" and isinstance(each, str) and each.startswith(_SCHEMAS)
        else _renamed(each, names)
        for key, each in value.items()
    }
