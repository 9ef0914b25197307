"""The operations of the document as methods."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from keyword import iskeyword
from textwrap import indent
from typing import Any

from .models import SCHEMAS

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_SCALARS = {"string": "str", "integer": "int", "boolean": "bool", "number": "float", "null": "None"}
_PATH_ARGUMENT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Argument:
    """A value that a caller gives."""

    name: str
    """Of HTTP."""
    type: str
    is_required: bool

    @property
    def python_name(self) -> str:
        """Return its name in Python."""
        return f"{self.name}_" if iskeyword(self.name) else self.name

    @property
    def text(self) -> str:
        """Return how a signature has it."""
        optional = self.type if self.type.endswith("| None") else f"{self.type} | None"
        return f"{self.python_name}: {self.type}" if self.is_required else f"{self.python_name}: {optional} = None"


@dataclass(frozen=True)
class Call:
    """An operation as a method of the class of its service."""

    name: str
    method: str
    path: str
    """Behind the service's name."""
    about: str
    query: tuple[Argument, ...]
    body: Argument | None
    is_raw: bool
    """Whether the body, or one of those that it may be, is no JSON."""
    takes_key: bool
    """Whether it takes an Idempotency-Key."""
    answer: str
    """The type."""
    item: str | None
    """The type of an item, where the answer is a page."""

    def text(self) -> str:
        """Return the method, and where it answers pages a second one that goes through them."""
        answered = "" if self.answer == "None" else f"answer: {self.answer} = "
        end = "" if self.answer == "None" else "\nreturn answer"
        made = _method(
            self.name, self._signature(self.query), self.answer, self.about, f"{answered}{self._call()}{end}"
        )
        if self.item is None:
            return made
        others = tuple(each for each in self.query if each.name not in ("after", "limit"))
        body = f"return self._koppel.items({self._path()}, {_query(others)})"
        name = "iterate_" + re.sub("^(list|read|get)_", "", self.name)
        about = f"Go through all pages of ``{self.name}``."
        return made + _method(name, self._signature(others), f"Iterator[{self.item}]", about, body)

    def _signature(self, query: tuple[Argument, ...]) -> str:
        of_path = [f"{name}: str" for name in _PATH_ARGUMENT.findall(self.path)]
        named = sorted(query, key=lambda each: not each.is_required)
        by_name = [each.text for each in named]
        if self.is_raw:
            by_name.append(
                'media_type: str = "application/json"' if "|" in (self.body or named[0]).type else "media_type: str"
            )
        if self.takes_key:
            by_name.append("idempotency_key: str | None = None")
        body = [self.body.text] if self.body else []
        return ", ".join(["self", *of_path, *body, *(["*", *by_name] if by_name else [])])

    def _path(self) -> str:
        return 'f"{self._base}' + _PATH_ARGUMENT.sub(r"{quote(\1, safe='')}", self.path) + '"'

    def _call(self) -> str:
        given = [f'"{self.method}"', self._path()]
        if self.query:
            given.append(f"query={_query(self.query)}")
        if self.body:
            given.append("body=body")
        given += ["media_type=media_type"] if self.is_raw else []
        given += ["idempotency_key=idempotency_key"] if self.takes_key else []
        return f"self._koppel.call({', '.join(given)})"


def calls_of(service: str, document: Mapping[str, Any]) -> Iterator[Call]:
    """Yield the calls of a service that programs make.

    Left out: what a browser or a vendor calls, and the endpoints of OAuth, which take a form.
    """
    for path, item in document["paths"].items():
        for method, operation in item.items():
            taken = operation.get("requestBody", {}).get("content", {})
            answer = _answer(operation)
            if path.startswith(f"/{service}/") and FORM not in taken and answer is not None and "/notices/" not in path:
                yield _call(service, method, path, operation, answer)


def _call(service: str, method: str, path: str, operation: Mapping[str, Any], answer: str) -> Call:
    taken = operation.get("requestBody", {}).get("content", {})
    kinds = ([type_of(taken[JSON]["schema"])] if JSON in taken else []) + (["bytes"] if set(taken) - {JSON} else [])
    required = operation.get("requestBody", {}).get("required", False)
    codes = operation["responses"].get("422", {}).get("description", "")
    query = [
        Argument(each["name"], type_of(each["schema"]), each.get("required", False))
        for each in operation.get("parameters", ())
        if each["in"] == "query"
    ]
    return Call(
        name=operation["operationId"].removeprefix(f"{service.replace('-', '_')}_"),
        method=method.upper(),
        path=path.removeprefix(f"/{service}"),
        about=operation.get("description") or operation["summary"],
        query=tuple(query),
        body=Argument("body", " | ".join(kinds), required) if kinds else None,
        is_raw="bytes" in kinds,
        takes_key="`invalid_idempotency_key`" in codes,
        answer=answer,
        item=_item(operation),
    )


def type_of(schema: Mapping[str, Any]) -> str:
    """Return the type of a value, as an annotation."""
    if "$ref" in schema:
        return f"models.{schema['$ref'].removeprefix(SCHEMAS)}"
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(type_of(each) for each in alternatives))
    if "enum" in schema or "const" in schema:
        values = schema.get("enum") or [schema["const"]]
        return f"Literal[{', '.join(repr(each) for each in values)}]"
    match schema.get("type"):
        case "array":
            return f"list[{type_of(schema.get('items', {}))}]"
        case "object":
            return f"dict[str, {type_of(extra) if isinstance(extra := schema.get('additionalProperties'), dict) else 'Any'}]"
        case str(name):
            return _SCALARS[name]
    return "Any"


def _answer(operation: Mapping[str, Any]) -> str | None:
    """Return the type of what a program gets; None where it is for a browser."""
    good = {status: each for status, each in operation["responses"].items() if status.startswith("2")}
    types = [_answer_type(status, each.get("content")) for status, each in good.items()]
    return " | ".join(dict.fromkeys(each for each in types if each)) or None


def _answer_type(status: str, content: Mapping[str, Any] | None) -> str | None:
    if status == "204":
        return "None"
    if not content:
        return "bytes" if status == "200" else None
    if JSON in content:
        return type_of(content[JSON]["schema"])
    return None if "text/html" in content else "bytes"


def _item(operation: Mapping[str, Any]) -> str | None:
    schema = operation["responses"].get("200", {}).get("content", {}).get(JSON, {}).get("schema", {})
    name = schema.get("$ref", "").removeprefix(SCHEMAS)
    pages = {each["name"] for each in operation.get("parameters", ())} >= {"after", "limit"}
    return f"models.{name.removeprefix('Page')}" if pages and name.startswith("Page") else None


def _query(arguments: tuple[Argument, ...]) -> str:
    return "{" + ", ".join(f'"{each.name}": {each.python_name}' for each in arguments) + "}"


def _method(name: str, signature: str, answer: str, about: str, body: str) -> str:
    docstring = '"""' + about.strip().replace("\\", "\\\\") + ('\n"""' if "\n" in about.strip() else '"""')
    return f"    def {name}({signature}) -> {answer}:\n{indent(docstring, ' ' * 8)}\n{indent(body, ' ' * 8)}\n\n"
