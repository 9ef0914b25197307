"""What an OpenAPI document says beside types: an example of every call, and the problems that it may answer, by code.

An example stands beside the routes, in ``examples/{operation id}.json`` of their package: ``request`` is a body by media type,
``response`` the main answer. A service's own goes before that of a library whose routes it has. Problems are read from the code
behind the route.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from .problem_sources import Answerable, problems_behind
from .problems import CATALOGUE, MEDIA_TYPE
from .source_types import Instance, called

JSON = "application/json"
ALWAYS = (
    Answerable(503, "starting", "The service is starting."),
    Answerable(503, "try_again", "Not available right now."),
)
WITH_INPUT = (
    Answerable(422, "invalid_request", "The request is not what this route takes."),
    Answerable(422, "invalid_value", "A value in the request cannot be stored."),
)
WITH_BODY = (Answerable(413, "body_too_large", "The body has more bytes than it may have."),)
WITH_JSON = (Answerable(422, "malformed_json", "The body is not JSON."),)
NOT_LISTED = frozenset({"caller_gone", "internal_error", "method_not_allowed"})
"""Nobody is left to read the first; the second is our fault, whatever is called; the third is of no call."""
CATALOGUE_SCHEMA = "CatalogueCode"
_WHAT = {
    401: "No token, or one that is not valid.",
    403: "The token does not allow this.",
    404: "There is no such object, or it is another firm's.",
    409: "The object's state does not allow this.",
    413: "The body is too large.",
    415: "The body is not of a type that this call takes.",
    422: "The request is not what this call takes.",
    429: "Too many calls; `Retry-After` says when the next may come.",
    503: "Not available right now; `Retry-After` says when to try again.",
}


def describe(document: dict[str, Any], routes: Sequence[APIRoute], catalogue: Sequence[str], package: str) -> None:
    """Put examples and problems into the document of a service.

    Args:
        document: is changed.
        routes: those that the document tells of.
        catalogue: the codes of the service's own problems.
        package: that of the service.

    Raises:
        LookupError: what a route may answer cannot be told from its text.
    """
    if catalogue:
        about = "Why a document or a connection does not go on. The problem has a sentence and says who can fix it."
        schemas = document["components"]["schemas"]
        schemas[CATALOGUE_SCHEMA] = {"type": "string", "enum": sorted({*catalogue}), "description": about}
    for route in routes:
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            _put_examples(
                operation, _example(operation["operationId"], (package, route.endpoint.__module__.partition(".")[0]))
            )
            _put_problems(operation, route, bool(catalogue))


def _example(operation_id: str, packages: Sequence[str]) -> Mapping[str, Any]:
    """Return the example of a call: ``request`` by media type, and ``response``; of the first package that has one."""
    return next((found for each in packages if (found := _examples_in(each).get(f"{operation_id}.json"))), {})


@cache
def _examples_in(package: str) -> Mapping[str, Mapping[str, Any]]:
    folder = files(package) / "examples"
    if not folder.is_dir():
        return {}
    return {each.name: json.loads(each.read_text("utf-8")) for each in folder.iterdir() if each.name.endswith(".json")}


def _put_examples(operation: dict[str, Any], example: Mapping[str, Any]) -> None:
    given = operation.get("requestBody", {}).get("content", {})
    for media_type, body in example.get("request", {}).items():
        if media_type in given:
            given[media_type] = {**given[media_type], "example": body}
    if "response" in example:
        content = main_answer(operation).get("content", {})
        for media_type in content:
            content[media_type] = {**content[media_type], "example": example["response"]}


def main_answer(operation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of an operation that makes or shows something, where all went well."""
    made = [status for status in operation["responses"] if status.startswith("2")]
    answer: dict[str, Any] = (
        operation["responses"][max(made, key=lambda status: status in ("201", "202", "207"))] if made else {}
    )
    return answer


def _put_problems(operation: dict[str, Any], route: APIRoute, has_catalogue: bool) -> None:
    by_status: dict[int, dict[str, str]] = defaultdict(dict)
    for one in sorted({*problems_behind(list(_functions_behind(route.dependant))), *_general(operation)}, key=_order):
        by_status[one.status].setdefault(one.code, one.title)
    own = {str(status) for status in (*route.responses, *(route.openapi_extra or {}).get("responses", ()))}
    for status in [each for each in operation["responses"] if each[0] in "45" and each not in own]:
        del operation["responses"][status]
    for status, titles in sorted(by_status.items()):
        if CATALOGUE in titles and not has_catalogue:
            raise LookupError(f"{route.path} answers a code of a catalogue, and the service has none")
        if str(status) not in own:
            operation["responses"][str(status)] = _response(status, titles)


def _order(one: Answerable) -> tuple[int, str, str]:
    return (one.status, one.code, one.title)


def _general(operation: Mapping[str, Any]) -> Iterator[Answerable]:
    yield from ALWAYS
    taken = operation.get("requestBody", {}).get("content", {})
    if taken or operation.get("parameters"):
        yield from WITH_INPUT
    if taken:
        yield from WITH_BODY
    if JSON in taken:
        yield from WITH_JSON


def _functions_behind(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    call = dependant.call
    found = called(call) or called(Instance(type(call)))
    if found is not None:
        yield found
    for each in dependant.dependencies:
        yield from _functions_behind(each)


def _response(status: int, titles: Mapping[str, str]) -> dict[str, Any]:
    codes = [code for code in titles if code != CATALOGUE]
    lines = [f"* `{code}`: {titles[code]}".rstrip(": ") for code in codes]
    known: dict[str, Any] = {"enum": codes}
    if CATALOGUE in titles:
        lines.append(f"* any of `{CATALOGUE_SCHEMA}`")
        catalogue = {"$ref": f"#/components/schemas/{CATALOGUE_SCHEMA}"}
        known = {"anyOf": [known, catalogue]} if codes else catalogue
    body = {"$ref": "#/components/schemas/ProblemBody"}
    content: dict[str, Any] = {"schema": {"allOf": [body, {"properties": {"code": known}}]}}
    if codes:
        code = codes[0]
        title = titles[code] or HTTPStatus(status).phrase
        shown = {"type": f"urn:koppel:problem:{code}", "title": title, "status": status, "detail": "", "code": code}
        content["example"] = shown
    what = _WHAT.get(status, HTTPStatus(status).phrase)
    return {"description": "\n".join([what, "", *lines]), "content": {MEDIA_TYPE: content}}
