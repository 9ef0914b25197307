"""Whether an answer is among the problems that the OpenAPI document lists for its call."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx2

from koppel_mesh.http.described import NOT_LISTED
from koppel_mesh.http.docs_page import installed_document

PROBLEM = "application/problem+json"


def insist(response: httpx2.Response) -> None:
    """Fail where an answer to a client of the mesh is a problem that its call does not list; a hook of the client."""
    if response.headers.get("content-type", "").startswith(PROBLEM):
        response.read()
        method, path = response.request.method, response.request.url.raw_path.decode()
        assert not (told := undocumented(method, path, response.status_code, response.json()["code"])), told


def undocumented(method: str, path: str, status: int, code: str) -> str:
    """Return what is wrong with such an answer; nothing for what is no call of ours."""
    for pattern, operations in _operations():
        if pattern.fullmatch(path.partition("?")[0]) and (operation := operations.get(method.lower())):
            # An address that leads to no call, such as one with a line feed in it, is answered like an object that is not there.
            if code in {*NOT_LISTED, "not_found"} or code in codes_of(operation, str(status)):
                return ""
            return f"{method} {path} answers {status} {code}, which {operation['operationId']} does not list"
    return ""


def codes_of(operation: Mapping[str, Any], status: str) -> set[str]:
    """Return the codes that a call may answer with that status."""
    content = operation["responses"].get(status, {}).get("content", {}).get(PROBLEM)
    return _codes(content["schema"]["allOf"][1]["properties"]["code"]) if content else set()


def _codes(schema: Mapping[str, Any]) -> set[str]:
    if "$ref" in schema:
        named = installed_document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return set(named["enum"])
    return set(schema.get("enum", ())) | {code for each in schema.get("anyOf", ()) for code in _codes(each)}


@cache
def _operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Return every path, those with fewer arguments first, as the services match them."""
    paths = sorted(installed_document()["paths"].items(), key=lambda item: item[0].count("{"))
    return [
        (
            re.compile(
                "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", path))
            ),
            item,
        )
        for path, item in paths
    ]
