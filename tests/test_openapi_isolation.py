"""P7: one firm never sees another's data, over every route that any service serves.

The routes come from the OpenAPI documents, so a new route is tried without anybody adding it here, with its example as the body.
Firm A has one of everything, made through the same routes; firm B, with every scope, calls every route with A's ids.
"""

import time
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx2
import pytest

from koppel_mesh.auth import SCOPES
from koppel_mesh.ids import new_id

UBL = Path(__file__).parents[1] / "libs/ubl/tests/samples/valid/own__be-01-invoice-ogm-pdf.xml"
CODA = Path(__file__).parents[1] / "services/dossier-api/tests/samples/bank.cod"
SELLER = "0000000196"
PATIENCE_S = 60
PUBLIC = {
    ("identity", "post", "/oauth/token"),
    ("identity", "post", "/oauth/introspect"),
    ("identity", "post", "/oauth/revoke"),
    ("identity", "get", "/.well-known/jwks.json"),
    ("identity", "get", "/.well-known/oauth-authorization-server"),
    ("identity", "get", "/.well-known/openid-configuration"),
    ("pos-ingest", "get", "/v1/seal-keys"),
    ("webhooks", "get", "/v1/schemas/{event_type}"),
    ("webhooks", "get", "/v1/endpoints/{endpoint_id}/keys"),
    ("connector-*", "get", "/oauth/start"),
    ("connector-*", "get", "/oauth/callback"),
    ("*", "post", "/v1/notices/{address}"),
}
"""Without a token: what takes a client's secret for it, what checks seals and signatures, what describes events, where a browser
begins a consent and where a vendor sends it back (with a link and a state of ours in hand), and where a vendor speaks back (with
proof by its own means)."""
OF_NOBODY = {("identity", "post", "/v1/signing-keys/rotate")}
"""Names no object; for administrators only."""
OF_EVERYBODY = {"/v1/settings-schema"}
"""Describes the connector; it says the same to everybody."""
OF_ITSELF = {"/v1/audit-log"}
"""Tells every firm of itself: here, that its own client was made."""
CASH_IN = {
    "receiptID": "1",
    "registerID": "K1",
    "receiptCreatedOn": "2026-03-09T10:00:00Z",
    "totalInclVat": 0,
    "payments": [{"type": 2, "amount": 5, "paymentMethodType": 2}],
}


class Route(NamedTuple):
    service: str
    method: str
    path: str
    parameters: list[str]
    is_open: bool
    body: dict[str, Any]
    """The example of a request, as an argument for the client; empty for a route without a body."""


class Firm(NamedTuple):
    id: UUID
    client: httpx2.Client
    objects: dict[str, str]
    of_connector: dict[str, dict[str, str]]
    """A connection and a delivery at each connector."""
    statement: dict[str, str]
    """A statement, its account and its document, which connector-coda knows."""

    of_till: dict[str, str]
    """A receipt book, and what else pos-ingest knows."""

    def known_to(self, service: str) -> dict[str, str]:
        """Return the ids that mean something to that service."""
        if service == "pos-ingest":
            return self.objects | self.of_till
        statement = self.statement if service == "connector-coda" else {}
        return self.objects | statement | self.of_connector.get(service, {})


@pytest.fixture(scope="module")
def routes(mesh: Any) -> list[Route]:
    found = []
    with mesh.anonymous() as client:
        for name in mesh.services:
            document = client.get(f"/{name}/openapi.json").json()
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    names = [parameter["name"] for parameter in operation.get("parameters", [])]
                    is_open = not operation.get("security")
                    found.append(Route(name, method, path, names, is_open, _body(operation)))
    assert len(found) > 35
    return found


@pytest.fixture(scope="module")
def owner(mesh: Any) -> Firm:
    """Firm A with a dossier, a document, an export, a connection, a delivery and a problem."""
    firm_id = new_id()
    client = mesh.client(firm_id)
    rules = {"frequency": "never", "approval_required": False, "lock_after_export": False}
    asked = {"name": "Bakkerij Peeters", "enterprise_number": SELLER, "language": "nl", "export": rules}
    dossier = _made(client.post("/dossier-api/v1/dossiers", json=asked))
    connecting = {"dossier_id": dossier["id"], "settings": {}}
    connectors = [name for name, service in mesh.services.items() if service.kind == "connector"]
    connections = {
        name: _once(lambda at=f"/{name}/v1/connections": client.post(at, json=connecting), 201)["id"]
        for name in connectors
    }
    path = f"/dossier-api/v1/dossiers/{dossier['id']}/documents?direction=sale"
    document = _made(client.post(path, content=UBL.read_bytes(), headers={"content-type": "application/xml"}))
    relations = f"/dossier-api/v1/dossiers/{dossier['id']}/relations"
    client.put(relations, json={"source": "test", "items": [{"code": "C1", "name": "Klant"}]}).raise_for_status()
    exporting = {"document_ids": [document["id"]]}
    exports = f"/export-scheduler/v1/dossiers/{dossier['id']}/exports"
    export = _once(lambda: client.post(exports, json=exporting), 202)
    of_connector = {}
    for name, connection_id in connections.items():
        deliveries = f"/{name}/v1/deliveries?connection_id={connection_id}"
        delivery = _once(lambda at=deliveries: client.get(at), 200, lambda body: body["items"])["items"][0]
        of_connector[name] = {"connection_id": connection_id, "delivery_id": delivery["id"]}
    statement = _made(client.post(path, content=CODA.read_bytes(), headers={"content-type": "text/plain"}))
    accounts = f"/connector-coda/v1/dossiers/{dossier['id']}/accounts"
    iban = _once(lambda: client.get(accounts), 200, lambda body: body["items"])["items"][0]["iban"]
    statements = client.get(f"{accounts}/{iban}/statements").json()["items"]
    known = {"iban": iban, "statement_id": statements[0]["id"]}
    known |= {"document_id": statement["id"], "delivery_id": statement["id"]}
    books = f"/pos-ingest/v1/dossiers/{dossier['id']}/receipt-books"
    book = _made(client.post(books, json={"name": "Winkel", "number_format": "W-{InvoiceNumber:5}"}))
    books_of_cash = f"/pos-ingest/v1/dossiers/{dossier['id']}/cash-books"
    cash_book = _made(
        client.post(books_of_cash, json={"name": "Kas", "start_date": "2026-03-01", "start_balance": "0.00"})
    )
    count = _made(
        client.post(f"{books_of_cash}/{cash_book['id']}/counts", json={"date": "2026-03-09", "counted": "1.00"})
    )
    takings = {"external_reference": "a", "lines": [{"vat_rate": "6", "amount": "106.00"}]}
    _made(client.put(f"{books}/{book['id']}/days/2026-03-08", json=takings))
    closed = client.post(f"{books}/{book['id']}/close", json={"through": "2026-03-08"}).json()["periods"]
    at = f"/pos-ingest/v1/dossiers/{dossier['id']}"
    billed = {"number": "X-1", "issue_date": "2026-03-09", "customer": {"name": "Klant"}}
    line = {"name": "Brood", "price": "1.00", "vat_rate": "6"}
    invoice = _made(client.post(f"{at}/sales-invoices", json=billed | {"lines": [line]}))
    invoice_book = _made(client.post(f"{at}/invoice-books", json={"name": "Web"}))
    keys = f"/pos-ingest/v1/dossiers/{dossier['id']}/scrada-keys"
    key = _made(client.post(keys, json={"name": "Kassa"}))
    z_totals = f"/pos-ingest/v1/dossiers/{dossier['id']}/registers/K1/days/2026-03-09/z-totals"
    client.put(z_totals, json={"vat_totals": []}).raise_for_status()
    client.patch(f"{books}/{book['id']}", json={"cash_book_id": cash_book["id"]}).raise_for_status()
    registers = {"items": [{"name": "K1", "receipt_book_id": book["id"]}]}
    client.put(f"{at}/registers", json=registers).raise_for_status()
    client.post(f"{at}/tickets", json=[CASH_IN]).raise_for_status()
    movements = client.get(f"{at}/cash-movements").json()["items"]
    wanted = {"url": "http://127.0.0.1:9/hooks", "event_types": ["document.received"]}
    endpoint = _made(client.post("/webhooks/v1/endpoints", json=wanted))
    partner = {"client_id": f"partner-{firm_id}", "name": "Partner", "kind": "partner", "scopes": ["documents:read"]}
    _made(mesh.client(None).post("/identity/v1/clients", json=partner))
    consenting = {"client_id": partner["client_id"], "scopes": partner["scopes"]}
    consent = _made(client.post("/identity/v1/consents", json=consenting))
    problem = _once(lambda: client.get("/dossier-api/v1/problems"), 200, lambda body: body["items"])["items"][0]
    return Firm(
        firm_id,
        client,
        {
            "firm_id": str(firm_id),
            "dossier_id": dossier["id"],
            "document_id": document["id"],
            "export_id": export["id"],
            "problem_id": problem["id"],
            "relation_id": client.get(relations).json()["items"][0]["id"],
            "client_id": str(new_id()),
            "secret_id": str(new_id()),
            "role": "ubl",
            "endpoint_id": endpoint["id"],
            "consent_id": consent["id"],
            "event_type": "document.received",
        },
        of_connector,
        known,
        {
            "book_id": book["id"],
            "date": "2026-03-09",
            "from": "2026-01-01",
            "to": "2026-03-31",
            "cash_book_id": cash_book["id"],
            "count_id": count["id"],
            "delivery_id": closed[0]["id"],
            "sales_invoice_id": invoice["id"],
            "invoice_book_id": invoice_book["id"],
            "register": "K1",
            "key_id": key["id"],
            "cash_movement_id": movements[0]["id"],
        },
    )


def _made(answer: httpx2.Response) -> Any:
    assert answer.status_code == 201, answer.text
    return answer.json()


def _once(ask: Any, status: int, enough: Any = lambda _: True) -> Any:
    """Ask until the answer is what facts on their way will make it."""
    end = time.monotonic() + PATIENCE_S
    while True:
        answer = ask()
        if answer.status_code == status and enough(answer.json()):
            return answer.json()
        assert time.monotonic() < end, f"{answer.request.url}: {answer.status_code} {answer.text}"
        time.sleep(0.1)


def _call(client: httpx2.Client, route: Route, objects: dict[str, str]) -> httpx2.Response:
    path = route.path
    for name, value in objects.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, f"{route}: say what to put there"
    query = {name: objects[name] for name in route.parameters if name in objects and f"{{{name}}}" not in route.path}
    return client.request(route.method, f"/{route.service}{path}", params=query, **route.body)


def _body(operation: dict[str, Any]) -> dict[str, Any]:
    taken = operation.get("requestBody", {}).get("content", {})
    examples = {media_type: each["example"] for media_type, each in taken.items() if "example" in each}
    assert bool(examples) == bool(taken), f"{operation['operationId']}: what is a right body?"
    for media_type, example in examples.items():
        if isinstance(example, str):
            return {"content": example.encode(), "headers": {"content-type": media_type}}
        return {"json": example} if media_type == "application/json" else {"data": example}
    return {}


def names_an_object(route: Route) -> bool:
    return "{" in route.path


def test_only_these_routes_are_open(routes: list[Route]) -> None:
    found = {(route.service, route.method, route.path) for route in routes if route.is_open}
    told = {each: [named for named in PUBLIC if fnmatch(each[0], named[0]) and each[1:] == named[1:]] for each in found}
    assert [each for each, named in told.items() if not named] == []
    assert {named for each in told.values() for named in each} == PUBLIC


def test_the_owner_sees_what_it_made(routes: list[Route], owner: Firm) -> None:
    """The proof that the ids of the next test are real: without it a wrong id would be "isolated" too."""
    for route in routes:
        if (
            route.method == "get"
            and names_an_object(route)
            and route.service != "identity"
            and "remote" not in route.path
        ):
            answer = _call(owner.client, route, owner.known_to(route.service))
            assert answer.status_code == 200, f"{route}: {answer.status_code} {answer.text}"


def test_another_firm_gets_nothing_from_any_route(mesh: Any, routes: list[Route], owner: Firm) -> None:
    other = mesh.client(new_id())
    ids = [owner.objects, owner.statement, owner.of_till, *owner.of_connector.values()]
    secrets = {
        value
        for each in ids
        for name, value in each.items()
        if name not in ("role", "client_id", "date", "from", "to", "event_type")
    }
    for route in routes:
        if route.is_open or route.path in OF_EVERYBODY or (route.service, route.method, route.path) in OF_NOBODY:
            continue
        if names_an_object(route):
            answer = _call(other, route, owner.known_to(route.service))
            assert answer.status_code in (403, 404), f"{route}: {answer.status_code} {answer.text}"
        elif route.method == "get":
            for objects in ({}, owner.known_to(route.service)):
                answer = _call(other, route, objects)
                empty = answer.status_code == 200 and (answer.json()["items"] == [] or route.path in OF_ITSELF)
                assert empty or answer.status_code in (403, 404), f"{route}: {answer.status_code} {answer.text}"
        else:
            continue
        told = answer.text.replace(str(answer.request.url), "")
        assert not {secret for secret in secrets if secret in told}, f"{route} tells of another firm's objects"


def test_another_firm_attaches_nothing_to_a_dossier(mesh: Any, owner: Firm) -> None:
    other = mesh.client(new_id())
    asked: dict[str, Any] = {"dossier_id": owner.objects["dossier_id"], "settings": {}}
    for name in owner.of_connector:
        assert other.post(f"/{name}/v1/connections", json=asked).status_code in (403, 404)
    asked = {"name": "x", "enterprise_number": SELLER, "firm_id": str(owner.id)}
    assert other.post("/dossier-api/v1/dossiers", json=asked).status_code in (403, 404, 422)


def test_nothing_of_the_owner_was_changed(routes: list[Route], owner: Firm) -> None:
    dossier = owner.client.get(f"/dossier-api/v1/dossiers/{owner.objects['dossier_id']}").json()
    assert dossier["name"] == "Bakkerij Peeters"
    for name, ids in owner.of_connector.items():
        assert owner.client.get(f"/{name}/v1/connections/{ids['connection_id']}").status_code == 200
    (consent,) = owner.client.get("/identity/v1/consents").json()["items"]
    assert consent["withdrawn_at"] is None


def test_no_token_is_401_everywhere(mesh: Any, routes: list[Route], owner: Firm) -> None:
    for authorization in (None, "Bearer", "Bearer x.y.z", "Basic eDp5"):
        headers = {} if authorization is None else {"authorization": authorization}
        with mesh.anonymous(headers) as nobody:
            for route in routes:
                if not route.is_open:
                    answer = _call(nobody, route, owner.known_to(route.service))
                    assert answer.status_code == 401, f"{route}: {answer.status_code} {answer.text}"
                    assert "Bearer" in answer.headers["www-authenticate"]
                    assert answer.json()["code"] in ("missing_token", "invalid_token")


def test_a_token_without_the_scope_is_403_everywhere(mesh: Any, routes: list[Route], owner: Firm) -> None:
    """For each route the scopes of one area open it; a token with all the others does not."""
    areas = {scope.partition(":")[0] for scope in SCOPES}
    scarce = {
        area: mesh.client(owner.id, *(scope for scope in SCOPES if scope.partition(":")[0] != area)) for area in areas
    }
    none = {True: mesh.client(owner.id, "exports:write"), False: mesh.client(owner.id, "receipts:write")}
    for route in routes:
        if route.is_open:
            continue
        objects = owner.known_to(route.service)
        answer = _call(none[route.service == "pos-ingest"], route, objects)
        assert answer.status_code == 403, f"{route}: {answer.status_code} {answer.text}"
        if route.method == "get":
            refused = [area for area, client in scarce.items() if _call(client, route, objects).status_code == 403]
            assert refused, f"{route} asks for no scope of its own"
