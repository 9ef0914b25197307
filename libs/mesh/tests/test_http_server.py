"""Bad input over a real server: always a problem with a code, never a 5xx, whatever the bytes."""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy import text

from koppel_mesh.auth import Caller
from koppel_mesh.http.client import HttpClient
from koppel_mesh.http.client import Response as Answer
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.paging import PageParams, encode_cursor, uuid_cursor
from koppel_mesh.http.problems import MEDIA_TYPE, HttpProblem
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.migrations import MESH
from koppel_mesh.runtime import running
from koppel_mesh.service import Service
from koppel_mesh.settings import MeshSettings

BODY_LIMIT = 20_000
router = APIRouter(prefix="/v1")
effects: list[str] = []


def _is_no_placeholder(name: str) -> str:
    if name.startswith("?"):
        raise ValueError(f"{name} is no name")
    return name


class Thing(BaseModel):
    name: Annotated[str, AfterValidator(_is_no_placeholder)]
    count: int = 0


@router.post("/things", status_code=201)
async def make_thing(body: Thing, context: CurrentContext, request: Request, key: IdempotencyKey) -> Response:
    request.state.caller = Caller(request.headers.get("x-caller", "a"), None, frozenset())
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        await tx.execute(text("SELECT CAST(:name AS text), CAST(:count AS integer)"), body.model_dump())
        effects.append(body.name)
        if body.name == "fails":
            raise HttpProblem(409, "refused", "Refused.")
        return await key.remember(tx, status=201, body=body, headers={"X-Kept": "yes"})


@router.get("/things")
async def list_things(page: PageParams) -> dict[str, Any]:
    return {"after": str(uuid_cursor(page)), "limit": page.limit}


@router.get("/things/{thing_id}")
async def show_thing(thing_id: UUID, size: Annotated[int, Field(ge=0)] = 0) -> dict[str, Any]:
    return {"id": thing_id, "size": size}


@router.post("/raw")
async def take_raw(request: Request) -> dict[str, int]:
    return {"size": len(await request.body())}


@router.post("/keyed", status_code=204)
async def keep_by_name(body: Thing, context: CurrentContext) -> None:
    async with context.database.transaction() as tx:
        await tx.execute(text("CREATE TEMPORARY TABLE named (name text PRIMARY KEY) ON COMMIT DROP"))
        await tx.execute(text("INSERT INTO named VALUES (:name)"), {"name": body.name})


@router.get("/broken")
async def broken() -> None:
    raise RuntimeError("the password is hunter2")


SERVICE = Service(name="test-service", settings=MeshSettings, routers=(router,), lineages=(MESH,))


@pytest.fixture
async def base(make_database: Callable[..., str], free_port: int) -> AsyncIterator[str]:
    effects.clear()
    url = make_database(SERVICE)
    settings = MeshSettings.model_validate(
        {"database_url": url, "amqp_url": "amqp://127.0.0.1:9/", "port": free_port, "body_limit_bytes": BODY_LIMIT}
    )
    async with running([SERVICE], {SERVICE.name: settings}):
        yield f"http://127.0.0.1:{free_port}/test-service"


async def ask(method: str, url: str, **arguments: Any) -> Answer:
    async with HttpClient() as http:
        return await http.request(method, url, deadline_s=15, **arguments)


def is_problem(answer: Answer, status: int | set[int], code: str | None = None) -> dict[str, Any]:
    allowed = {status} if isinstance(status, int) else status
    assert answer.status in allowed, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    problem: dict[str, Any] = json.loads(answer.content)
    assert problem["status"] == answer.status
    assert problem["title"] and problem["code"] and problem["type"]
    assert code is None or problem["code"] == code, problem
    return problem


JSON = {"Content-Type": "application/json"}


BAD_BODIES: list[tuple[bytes, dict[str, Any], set[int]]] = [
    (b"", JSON, {422}),
    (b"{", JSON, {422}),
    (b'{"name": "\xff\xfe"}', JSON, {422}),
    (b'{"name": "a", "count": ' + b"9" * 6000 + b"}", JSON, {422}),
    (b'{"name": "a", "count": 99999999999999999999}', JSON, {422}),
    (b'{"name": "a", "count": 4294967296}', JSON, {422}),
    (b'{"name": "a\\u0000b"}', JSON, {422}),
    (b'{"name": "\\ud800"}', JSON, {422}),
    (b'{"name": "?\\ud800"}', JSON, {422}),
    (b'{"\\ud800": 1, "name": 3}', JSON, {422}),
    (b'{"name": 1e999}', JSON, {422}),
    (b"[" * 9000, JSON, {422}),
    (b"null", JSON, {422}),
    (b"[1]", JSON, {422}),
    (b'{"name": "a"}', {"Content-Type": "text/plain"}, {415, 422}),
    (b'{"name": "a"}', {"Content-Type": b"application/xml; charset=\xff"}, {400, 415, 422}),
    (b'{"name": "a"}', {}, {415, 422}),
]


async def test_a_bad_body_is_a_problem(base: str) -> None:
    for body, headers, status in BAD_BODIES:
        is_problem(await ask("POST", f"{base}/v1/things", content=body, headers=headers), status)
    assert effects == []


async def test_a_key_that_no_index_holds_is_a_problem(base: str) -> None:
    for name, status in (("a", 204), (random.Random(7).randbytes(9_000).hex(), 422)):
        answer = await ask("POST", f"{base}/v1/keyed", json={"name": name})
        assert answer.status == status, answer.text
    is_problem(answer, 422, "invalid_value")


THINGS = "/test-service/v1/things"
NOBODY = "0199a000-0000-7000-8000-00000000d0e0"
BAD_ADDRESSES = [
    ("GET", "/v1/nowhere", 404, "not_found"),
    ("GET", "/v1/%ff%00%zz", 404, "not_found"),
    ("GET", "/v1/things/", 404, "not_found"),
    ("POST", "/v1/things/", 404, "not_found"),
    ("GET", "", 404, "not_found"),
    ("DELETE", "/v1/things", 405, "method_not_allowed"),
    ("GET", "/v1/things/not-a-uuid", 422, "invalid_request"),
    ("GET", "/v1/things/%00", 422, "invalid_request"),
    ("GET", "/v1/things?limit=0", 422, "invalid_request"),
    ("GET", "/v1/things?limit=201", 422, "invalid_request"),
    ("GET", "/v1/things?limit=" + "9" * 5000, 422, "invalid_request"),
    ("GET", "/v1/things?after=!!", 422, "invalid_cursor"),
    ("GET", "/v1/things?after=%ff", 422, "invalid_cursor"),
    ("GET", "/v1/things?after=bnVsbA", 422, "invalid_cursor"),
    ("GET", "/v1/things?after=" + encode_cursor(["x"], THINGS), 422, "invalid_cursor"),
    ("GET", "/v1/things?after=" + encode_cursor(["a\0b"], THINGS), 422, "invalid_cursor"),
    ("GET", "/v1/things?after=" + encode_cursor([NOBODY], "/test-service/v1/others"), 422, "invalid_cursor"),
]


async def test_a_bad_address_is_a_problem(base: str) -> None:
    for method, path, status, code in BAD_ADDRESSES:
        is_problem(await ask(method, base + path), status, code)


async def test_a_cursor_continues_its_own_list(base: str) -> None:
    answer = await ask("GET", f"{base}/v1/things?after={encode_cursor([NOBODY], THINGS)}")
    assert json.loads(answer.content) == {"after": NOBODY, "limit": 50}


async def test_what_is_not_allowed_comes_with_everything_that_is(base: str) -> None:
    for path, allowed in (("/v1/things", "GET, HEAD, POST"), ("/v1/raw", "POST")):
        for method in ("DELETE", "OPTIONS"):
            answer = await ask(method, base + path)
            is_problem(answer, 405, "method_not_allowed")
            assert answer.headers["allow"] == allowed


async def test_head_answers_as_get_does_without_the_content(base: str) -> None:
    for path in ("/v1/things", "/v1/things/not-a-uuid", "/v1/nowhere", "/v1/broken", "/health/ready", "/openapi.json"):
        whole, head = await ask("GET", base + path), await ask("HEAD", base + path)
        assert (head.status, head.content) == (whole.status, b"")
        for name in ("content-type", "content-length"):
            assert head.headers[name] == whole.headers[name], path
    answer = await ask("HEAD", f"{base}/v1/raw")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_validation_names_the_field_and_the_rule(base: str) -> None:
    problem = is_problem(await ask("POST", f"{base}/v1/things", json={"count": "x"}), 422, "invalid_request")
    assert {(error["field"], error["rule"]) for error in problem["errors"]} == {
        ("body.name", "missing"),
        ("body.count", "int_parsing"),
    }


async def test_an_unexpected_error_leaks_nothing(base: str) -> None:
    answer = await ask("GET", f"{base}/v1/broken")
    is_problem(answer, 500, "internal_error")
    assert "hunter2" not in answer.text


async def test_a_database_that_is_away_is_no_fault_of_ours(free_port: int) -> None:
    away = {"database_url": "postgresql://127.0.0.1:9/none", "amqp_url": "amqp://127.0.0.1:9/", "port": free_port}
    base = f"http://127.0.0.1:{free_port}/test-service"
    async with running([SERVICE], {SERVICE.name: MeshSettings.model_validate(away)}):
        answer = await ask("POST", f"{base}/v1/things", json={"name": "a"})
        is_problem(answer, 503, "try_again")
        assert answer.headers["retry-after"] and answer.headers["x-request-id"]
        metrics = (await ask("GET", f"{base}/metrics")).text
    counted = re.findall(r'http_request_seconds_count{method="POST",route="/v1/things",.*status="(5..)"} ', metrics)
    assert counted == ["503"], "a 500 is a fault of ours, and somebody is woken for it"


async def test_a_body_over_the_limit_is_refused_announced_or_not(base: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 1000

    is_problem(await ask("POST", f"{base}/v1/raw", content=b"x" * (BODY_LIMIT + 1)), 413, "body_too_large")
    is_problem(await ask("POST", f"{base}/v1/raw", content=chunks()), 413, "body_too_large")
    fits = await ask("POST", f"{base}/v1/raw", content=b"x" * BODY_LIMIT)
    assert json.loads(fits.content) == {"size": BODY_LIMIT}


async def test_an_unusable_idempotency_key_is_a_problem(base: str) -> None:
    for key in (b"", b"x" * 256, "café".encode(), b"a\tb"):
        answer = await ask("POST", f"{base}/v1/things", json={"name": "a"}, headers={"Idempotency-Key": key})
        is_problem(answer, 422, "invalid_idempotency_key")


async def test_equal_requests_at_once_have_one_effect_and_one_answer(base: str) -> None:
    async def post(name: str, caller: str = "a") -> Answer:
        headers = {"Idempotency-Key": "k", "x-caller": caller}
        return await ask("POST", f"{base}/v1/things", json={"name": name}, headers=headers)

    answers = await asyncio.gather(*(post("once") for _ in range(8)))
    assert {(a.status, a.content, a.headers["x-kept"], a.headers["content-type"]) for a in answers} == {
        (201, b'{"name":"once","count":0}', "yes", "application/json")
    }
    assert effects == ["once"]
    is_problem(await post("other"), 409, "idempotency_key_reused")
    assert (await post("other", caller="b")).status == 201, "a key belongs to its caller"


async def test_a_refused_request_leaves_its_key_free(base: str) -> None:
    headers = {"Idempotency-Key": "k"}
    for _ in range(2):
        is_problem(await ask("POST", f"{base}/v1/things", json={"name": "fails"}, headers=headers), 409, "refused")
    assert (await ask("POST", f"{base}/v1/things", json={"name": "good"}, headers=headers)).status == 201


async def test_health_metrics_and_the_description_are_open(base: str) -> None:
    assert (await ask("GET", f"{base}/health/live")).status == 200
    assert (await ask("GET", f"{base}/health/ready")).status == 200
    await ask("GET", f"{base}/v1/things/0199a000-0000-7000-8000-00000000d0e0")
    metrics = (await ask("GET", f"{base}/metrics")).text
    assert 'route="/v1/things/{thing_id}"' in metrics, "the route is the label, never the address"
    assert "0199a000" not in metrics
    described = json.loads((await ask("GET", f"{base}/openapi.json")).content)
    assert described["openapi"].startswith("3.1")
    assert described["servers"] == [{"url": "/test-service"}]
    operation = described["paths"]["/v1/things"]["post"]
    assert operation["operationId"] == "make_thing"
    assert MEDIA_TYPE in operation["responses"]["422"]["content"]


async def test_every_answer_has_a_request_id_and_an_invented_method_no_metric(base: str) -> None:
    given = await ask("GET", f"{base}/v1/things", headers={"X-Request-ID": "mine-1"})
    assert given.headers["x-request-id"] == "mine-1"
    forged = await ask("GET", f"{base}/v1/nowhere", headers={"X-Request-ID": "a b\tc"})
    assert forged.headers["x-request-id"] != "a b\tc"
    invented = await ask("INVENTED", f"{base}/v1/things")
    assert 400 <= invented.status < 500
    assert "INVENTED" not in (await ask("GET", f"{base}/metrics")).text
