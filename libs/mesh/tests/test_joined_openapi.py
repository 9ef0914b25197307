"""The document of all services: paths as callers see them, no name with two meanings, and the page that shows it."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from koppel_mesh.http.client import HttpClient
from koppel_mesh.http.docs_page import installed_document
from koppel_mesh.http.joined_openapi import join_documents, operations_of
from koppel_mesh.runtime import running
from koppel_mesh.service import Service, installed_services
from koppel_mesh.settings import MeshSettings

SERVICE = Service(name="test-service", settings=MeshSettings)


def document(schemas: dict[str, Any], answers: str = "Thing", *, schemes: Any = None) -> dict[str, Any]:
    answer = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{answers}"}}}}
    operation = {"operationId": "read_thing", "tags": ["things"], "responses": {"200": answer}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "A service"},
        "paths": {"/v1/things": {"get": operation}},
        "components": {"schemas": schemas} | ({"securitySchemes": schemes} if schemes else {}),
    }


def schema_of(joined: dict[str, Any], path: str) -> Any:
    answer = joined["paths"][path]["get"]["responses"]["200"]
    return answer["content"]["application/json"]["schema"]["$ref"].removeprefix("#/components/schemas/")


def test_what_two_services_share_appears_once() -> None:
    thing = {"Thing": {"type": "string"}}
    joined = join_documents({"a-b": document(thing), "c": document(thing)})
    assert joined["components"]["schemas"] == thing
    assert [*joined["paths"]] == ["/a-b/v1/things", "/c/v1/things"]
    assert [one["operationId"] for one in operations_of(joined)] == ["a_b_read_thing", "c_read_thing"]
    assert [one["tags"] for one in operations_of(joined)] == [["a-b"], ["c"]]


def test_one_name_with_two_contents_is_kept_apart() -> None:
    text, number = {"type": "string"}, {"type": "integer"}
    given = {"a-b": document({"Thing": number}), "c": document({"Thing": text}), "d": document({"Thing": text})}
    joined = join_documents(given)
    assert joined["components"]["schemas"] == {"Thing": text, "ABThing": number}
    assert [schema_of(joined, f"/{name}/v1/things") for name in given] == ["ABThing", "Thing", "Thing"]
    assert schema_of(given["a-b"], "/v1/things") == "Thing", "the given document was changed"


def test_the_same_words_about_different_things_are_two_schemas() -> None:
    outer = {"properties": {"inner": {"$ref": "#/components/schemas/Inner"}}}
    given = {
        name: document({"Outer": outer, "Inner": {"type": kind}}, "Outer")
        for name, kind in (("a", "string"), ("b", "integer"))
    }
    joined = join_documents(given)
    inner = joined["components"]["schemas"][schema_of(joined, "/b/v1/things")]["properties"]["inner"]["$ref"]
    assert joined["components"]["schemas"][inner.rpartition("/")[2]] == {"type": "integer"}


def test_schemas_that_lead_to_themselves_are_joined() -> None:
    tree = {"Thing": {"properties": {"under": {"$ref": "#/components/schemas/Thing"}}}}
    assert join_documents({"a": document(tree), "b": document(tree)})["components"]["schemas"] == tree


def test_two_meanings_of_a_security_scheme_are_refused() -> None:
    thing = {"Thing": {"type": "string"}}
    schemes = [{"OAuth2": {"type": kind}} for kind in ("oauth2", "http")]
    with pytest.raises(ValueError, match="securitySchemes OAuth2"):
        join_documents({"a": document(thing, schemes=schemes[0]), "b": document(thing, schemes=schemes[1])})


def test_every_call_of_every_service_is_in_it() -> None:
    joined = installed_document()
    assert {path.split("/")[1] for path in joined["paths"]} == set(installed_services())
    ids = [operation["operationId"] for operation in operations_of(joined)]
    assert len(ids) == len(set(ids)) > 100
    assert [*joined["components"]["securitySchemes"]] == ["OAuth2"]
    text = str(joined)
    references = set(re.findall(r"#/components/schemas/([\w.-]+)", text))
    assert references <= joined["components"]["schemas"].keys()


@pytest.fixture
async def base(free_port: int) -> AsyncIterator[str]:
    given = {"database_url": "postgresql://127.0.0.1:9/none", "amqp_url": "amqp://127.0.0.1:9/", "port": free_port}
    async with running([SERVICE], {SERVICE.name: MeshSettings.model_validate(given)}):
        yield f"http://127.0.0.1:{free_port}"


class Links(HTMLParser):
    """What a page loads or leads to, and whether it has a script or a style of its own."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [value for name in ("src", "href") if (value := given.get(name)) is not None]
        if tag == "style" or (tag == "script" and "src" not in given) or any(name.startswith("on") for name in given):
            self.inline.append(tag)


async def test_the_page_is_served_by_us_alone(base: str) -> None:
    async with HttpClient() as http:
        page = await http.request("GET", f"{base}/docs", deadline_s=20)
        assert page.status == 200
        policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
        assert policy.pop("img-src") == "'self' data:"
        assert policy["default-src"] == "'none'"
        assert set(policy.values()) <= {"'none'", "'self'"}, "something may come from elsewhere, or stand in the page"
        links = Links(page.content.decode())
        assert links.inline == []
        addresses = {urljoin(f"{base}/docs", link) for link in links.found if link != "data:,"}
        assert {urlsplit(address).netloc for address in addresses} == {urlsplit(base).netloc}
        assert len(addresses) == 4
        for address in addresses:
            answer = await http.request("GET", address, deadline_s=20)
            assert answer.status == 200, address
            assert len(answer.content) > 100
            assert answer.headers["x-content-type-options"] == "nosniff"
            if address.endswith(".css"):
                loaded = re.findall(rb"url\(\s*[\"']?([^\"')]{5})", answer.content)
                assert set(loaded) == {b"data:"} and b"@import" not in answer.content
            known = await http.request("GET", address, headers={"if-none-match": answer.headers["etag"]}, deadline_s=20)
            assert (known.status, known.content) == (304, b"")


async def test_what_the_page_has_not_is_a_problem(base: str) -> None:
    async with HttpClient() as http:
        for path in ("/docs/favicon.png", "/docs/..%2Fserver.py", "/docs/%00"):
            answer = await http.request("GET", base + path, deadline_s=20)
            assert answer.status == 404, path
            assert answer.headers["content-type"].startswith("application/problem+json")
