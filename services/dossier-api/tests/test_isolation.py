"""No route shows or changes another firm's objects; every route of the OpenAPI document is tried."""

import json
from collections.abc import Callable
from typing import Any

from koppel_mesh.messages import DeliveryChanged

from .conftest import OTHER_FIRM, PROBLEM, Desk
from .papers import invoice

BODIES: dict[str, Any] = {"put": {"items": [{"code": "1", "name": "x"}]}, "patch": {"reference": "x"}}


async def test_another_firms_objects_do_not_exist(desk: Desk, fact: Callable[..., DeliveryChanged]) -> None:
    dossier = await desk.dossier()
    filed = await desk.filed(dossier["id"], invoice())
    await desk.hear(fact(filed, "failed", 1, problem=PROBLEM))
    (found,) = (await desk.call("GET", "/problems")).json()["items"]
    ids = {"dossier_id": dossier["id"], "document_id": filed["id"], "problem_id": found["id"], "role": "ubl"}
    before = await _snapshot(desk)
    paths = (await desk.http.get("/dossier-api/openapi.json")).json()["paths"]
    tried = 0
    for path, methods in paths.items():
        for method in methods:
            url = path.removeprefix("/v1").format(**ids)
            if path.endswith("/documents") and method == "post":
                answer = await desk.hand_in(dossier["id"], invoice("new"), firm=OTHER_FIRM)
            elif method == "post" and path == "/v1/dossiers":
                continue
            else:
                answer = await desk.call(method.upper(), url, firm=OTHER_FIRM, json=BODIES.get(method))
            tried += 1
            if "{" in path:
                assert answer.status_code == 404, (method, path, answer.text)
            else:
                assert answer.json()["items"] == [], path
    assert tried >= 14
    for query in (f"?dossier_id={dossier['id']}", "?state=filed", "?from=2020-01-01"):
        assert (await desk.call("GET", f"/documents{query}", firm=OTHER_FIRM)).json()["items"] == []
    assert await _snapshot(desk) == before


async def _snapshot(desk: Desk) -> str:
    shown = [(await desk.call("GET", path)).json() for path in ("/dossiers", "/documents", "/problems")]
    return json.dumps(shown, sort_keys=True)


async def test_every_route_wants_a_token_and_its_scope_before_it_reads_a_body(desk: Desk) -> None:
    body: dict[str, Any] = {"content": b"{", "headers": {"Content-Type": "application/json"}}
    paths = (await desk.http.get("/dossier-api/openapi.json")).json()["paths"]
    ids = dict.fromkeys(("dossier_id", "document_id", "problem_id"), "0199a000-0000-7000-8000-000000000009")
    for path, methods in paths.items():
        for method in methods:
            url = "/dossier-api" + path.format(**ids, role="ubl")
            bare = await desk.http.request(method.upper(), url, **body)
            assert (bare.status_code, "www-authenticate" in bare.headers) == (401, True), (method, path)
            token = {"Authorization": f"Bearer {desk.neighbours.token(scope='receipts:write')}"}
            poor = await desk.http.request(method.upper(), url, **{**body, "headers": {**body["headers"], **token}})
            assert poor.status_code == 403, (method, path, poor.text)


async def test_an_unbound_token_sees_all(desk: Desk) -> None:
    dossier = await desk.dossier()
    filed = await desk.filed(dossier["id"], invoice())
    assert (await desk.call("GET", f"/documents/{filed['id']}", firm=None)).status_code == 200
