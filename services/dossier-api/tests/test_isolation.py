"""No route shows or changes another firm's objects; every route of the OpenAPI document is tried."""

import json
from collections.abc import Callable
from typing import Any

from koppel_mesh.messages import DeliveryChanged

from .conftest import FIRM, OTHER_FIRM, PROBLEM, DossierClient
from .document_samples import invoice

BODIES: dict[str, Any] = {"put": {"items": [{"code": "1", "name": "x"}]}, "patch": {"reference": "x"}}
ANSWER = {"question": "probable_duplicate", "answer": "release"}


async def test_another_firms_objects_do_not_exist(client: DossierClient, fact: Callable[..., DeliveryChanged]) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice())
    await client.deliver(fact(filed, "failed", 1, problem=PROBLEM))
    (found,) = (await client.call("GET", "/problems")).json()["items"]
    relations = f"/dossiers/{dossier['id']}/relations"
    await client.call("PUT", relations, json={"items": [{"code": "25", "name": "Houthandel Staal"}], "source": "exact"})
    (relation,) = (await client.call("GET", relations)).json()["items"]
    ids = {"dossier_id": dossier["id"], "document_id": filed["id"], "problem_id": found["id"], "role": "ubl"}
    ids |= {"relation_id": relation["id"], "firm_id": str(FIRM)}
    before = await _snapshot(client)
    paths = (await client.http.get("/dossier-api/openapi.json")).json()["paths"]
    tried = 0
    for path, methods in paths.items():
        for method in methods:
            url = path.removeprefix("/v1").format(**ids)
            if path.endswith("/documents") and method == "post":
                answer = await client.hand_in(dossier["id"], invoice("new"), firm=OTHER_FIRM)
            elif method == "post" and path == "/v1/dossiers":
                continue
            else:
                body = ANSWER if path.endswith("/answers") else BODIES.get(method)
                body = {"journal": "V1"} if path.endswith("{relation_id}") else body
                answer = await client.call(method.upper(), url, firm=OTHER_FIRM, json=body)
            tried += 1
            if "{" in path:
                assert answer.status_code == 404, (method, path, answer.text)
            else:
                assert answer.json()["items"] == [], path
    assert tried >= 14
    for query in (f"?dossier_id={dossier['id']}", "?state=filed", "?from=2020-01-01"):
        assert (await client.call("GET", f"/documents{query}", firm=OTHER_FIRM)).json()["items"] == []
    assert await _snapshot(client) == before


async def _snapshot(client: DossierClient) -> str:
    shown = [(await client.call("GET", path)).json() for path in ("/dossiers", "/documents", "/problems")]
    return json.dumps(shown, sort_keys=True)


async def test_every_route_wants_a_token_and_its_scope_before_it_reads_a_body(client: DossierClient) -> None:
    body: dict[str, Any] = {"content": b"{", "headers": {"Content-Type": "application/json"}}
    paths = (await client.http.get("/dossier-api/openapi.json")).json()["paths"]
    ids = dict.fromkeys(
        ("dossier_id", "document_id", "problem_id", "relation_id", "firm_id"), "0199a000-0000-7000-8000-000000000009"
    )
    for path, methods in paths.items():
        for method in methods:
            url = "/dossier-api" + path.format(**ids, role="ubl")
            bare = await client.http.request(method.upper(), url, **body)
            assert (bare.status_code, "www-authenticate" in bare.headers) == (401, True), (method, path)
            token = {"Authorization": f"Bearer {client.other_services.token(scope='receipts:write')}"}
            poor = await client.http.request(method.upper(), url, **{**body, "headers": {**body["headers"], **token}})
            assert poor.status_code == 403, (method, path, poor.text)


async def test_an_unbound_token_sees_all(client: DossierClient) -> None:
    dossier = await client.dossier()
    filed = await client.filed(dossier["id"], invoice())
    assert (await client.call("GET", f"/documents/{filed['id']}", firm=None)).status_code == 200
