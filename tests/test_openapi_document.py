"""The OpenAPI document tells callers what they need: for every call the problems that it may answer, by their codes."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from jsonschema_rs import Draft202012Validator

from koppel_mesh.http.described import NOT_LISTED, main_answer
from koppel_mesh.http.docs_page import installed_document
from koppel_mesh.http.joined_openapi import METHODS

from .documented_problems import codes_of, undocumented

ROOT = Path(__file__).parents[1]
RAISED = re.compile(r'HttpProblem\(\s*\d+,\s*"(\w+)"')


class Operation(NamedTuple):
    name: str
    content: dict[str, Any]


@pytest.fixture(scope="module")
def operations() -> list[Operation]:
    paths = installed_document()["paths"]
    return [
        Operation(f"{method.upper()} {path}", item[method])
        for path, item in paths.items()
        for method in METHODS
        if method in item
    ]


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Return what checks a value by a schema of the joined document, formats included."""
    whole = {**schema, "components": installed_document()["components"]}
    return Draft202012Validator(whole, validate_formats=True)


def listed(operation: Operation) -> set[str]:
    return {code for status in operation.content["responses"] for code in codes_of(operation.content, status)}


def test_every_call_lists_its_problems(operations: list[Operation]) -> None:
    for name, content in operations:
        assert codes_of(content, "503") >= {"starting", "try_again"}, name
        if content.get("security"):
            assert codes_of(content, "401") >= {"missing_token", "invalid_token"}, name
            assert "missing_scope" in codes_of(content, "403"), name
        if "requestBody" in content:
            assert "body_too_large" in codes_of(content, "413"), name
        if "/oauth/" in name and "requestBody" in content:
            assert "`invalid_client`" in content["responses"]["401"]["description"], name
        if "{" in name and content.get("security"):
            assert "not_found" in codes_of(content, "404") or "notices" in name, name


def test_every_problem_has_a_sentence(operations: list[Operation]) -> None:
    of_catalogues = _of_catalogues()
    for operation in operations:
        for status, answer in operation.content["responses"].items():
            for code in codes_of(operation.content, status) - of_catalogues:
                assert f"`{code}`" in answer["description"], operation.name


def test_every_code_that_the_source_names_is_listed(operations: list[Operation]) -> None:
    """A code that no call lists is either raised by nobody, or by code whose way from a route the document does not see."""
    known = {code for operation in operations for code in listed(operation)}
    sources = [path for folder in ("libs", "services") for path in (ROOT / folder).glob("*/*/**/*.py")]
    shipped = [path for path in sources if not {"tests", "sandbox", "migrations"} & set(path.relative_to(ROOT).parts)]
    raised = {code: path for path in shipped for code in RAISED.findall(path.read_text("utf-8"))}
    assert len(raised) > 80
    assert {code: path for code, path in raised.items() if code not in known | NOT_LISTED} == {}


def test_every_call_has_examples(operations: list[Operation]) -> None:
    """Where one is missing: ``examples/{operation id}.json`` beside the routes; copy a real request and its answer."""
    for name, content in operations:
        asked = content.get("requestBody", {}).get("content", {})
        assert not asked or any("example" in each for each in asked.values()), f"{name}: no example of a request"
        assert "example" in asked.get("application/json", {"example": None}), f"{name}: no example of a request"
        answered = main_answer(content).get("content", {})
        is_empty = name == "POST /identity/oauth/revoke"  # RFC 7009 §2.2
        assert is_empty or all("example" in each for each in answered.values()), f"{name}: no example of an answer"


def test_every_example_is_what_its_schema_says(operations: list[Operation]) -> None:
    wrong = [
        f"{name}: {error.instance_path} {error.message[:200]}"
        for name, content in operations
        for part in (content.get("requestBody", {}), *content["responses"].values())
        for media in part.get("content", {}).values()
        if "example" in media and media.get("schema", {}).get("format") != "binary"
        for error in validator(media["schema"]).iter_errors(media["example"])
    ]
    assert wrong == []


def test_every_list_says_what_comes_next(operations: list[Operation]) -> None:
    schemas = installed_document()["components"]["schemas"]
    lists = {
        name: found["properties"]
        for name, content in operations
        if (answer := main_answer(content).get("content", {}).get("application/json")) and name.startswith("GET")
        if "items" in (found := _resolved(answer["schema"], schemas)).get("properties", {})
    }
    assert len(lists) > 30
    assert [name for name, properties in lists.items() if "next" not in properties] == []


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def test_a_wrong_example_is_noticed(operations: list[Operation]) -> None:
    (made,) = [one.content for one in operations if one.name == "POST /dossier-api/v1/dossiers"]
    body = made["requestBody"]["content"]["application/json"]
    for wrong in ({"name": 1}, {"language": "de"}, {"no_such_field": "x"}, {"email": 5}):
        assert list(validator(body["schema"]).iter_errors(body["example"] | wrong)), wrong


def test_an_answer_that_is_not_listed_is_noticed() -> None:
    path = "/dossier-api/v1/dossiers/x/documents?direction=sale"
    assert not undocumented("POST", path, 415, "unsupported_media_type")
    assert undocumented("POST", path, 409, "unsupported_media_type")
    assert undocumented("POST", path, 415, "some_code")
    assert not undocumented("POST", "/dossier-api/v1/nothing", 404, "not_found")


def _of_catalogues() -> set[str]:
    schemas = installed_document()["components"]["schemas"]
    return {code for name, schema in schemas.items() if name.endswith("CatalogueCode") for code in schema["enum"]}
