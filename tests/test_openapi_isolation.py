"""P7: one firm never sees another's data, over every route that any service serves.

The routes come from the OpenAPI documents, so a new route is tried without anybody adding it here; one whose body cannot be
made up from ``BODIES`` fails the test until somebody says what a right body is. Firm A has one of everything, made
through the same routes; firm B, with every scope, calls every route with A's ids.
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
PATIENCE_S = 30
PUBLIC = {
    ("identity", "post", "/oauth/token"),
    ("identity", "get", "/.well-known/jwks.json"),
    ("identity", "get", "/.well-known/oauth-authorization-server"),
    ("identity", "get", "/.well-known/openid-configuration"),
    ("pos-ingest", "get", "/v1/seal-keys"),
    ("connector-*", "get", "/oauth/start"),
    ("connector-*", "get", "/oauth/callback"),
    ("*", "post", "/v1/notices/{address}"),
}
"""Without a token: what gives tokens, what checks seals, where a browser begins a consent and where a vendor sends it back
(with a link and a state of ours in hand), and where a vendor speaks back (with proof by its own means)."""
OF_NOBODY = {("identity", "post", "/v1/signing-keys/rotate")}
"""Names no object; for administrators only."""
OF_EVERYBODY = {"/v1/settings-schema"}
"""Describes the connector; it says the same to everybody."""
BODIES: dict[str, Any] = {
    "/v1/documents/{document_id}/answers": {"question": "probable_duplicate", "answer": "drop"},
    "/v1/dossiers/{dossier_id}": {"name": "Taken over"},
    "/v1/dossiers/{dossier_id}/documents": UBL.read_bytes(),
    "/v1/dossiers/{dossier_id}/relations": {"source": "test", "items": []},
    "/v1/dossiers/{dossier_id}/relations/{relation_id}": {"journal": "700"},
    "/v1/dossiers/{dossier_id}/ledger-accounts": {"source": "test", "items": []},
    "/v1/dossiers/{dossier_id}/exports": {},
    "/v1/documents/{document_id}": {"ledger_account": "700000"},
    "/v1/connections/{connection_id}": {"settings": {}},
    "/v1/connections/{connection_id}/period-mails": {
        "from": "2026-01-01",
        "to": "2026-03-31",
        "address": "eve@evil.example",
    },
    "/v1/connections/{connection_id}/resolve-period-mail": {
        "period_mail_id": str(new_id()),
        "decision": "resend",
    },
    "/v1/connections/{connection_id}/confirm-company": {"reason": "taken over"},
    "/v1/dossiers/{dossier_id}/statements": CODA.read_bytes(),
    "/v1/dossiers/{dossier_id}/payment-keys": {"keys": ["CB/BACA/"]},
    "/v1/dossiers/{dossier_id}/accounts/{iban}/accept-gap": {"after": 1, "before": 3, "reason": "taken over"},
    "/v1/dossiers/{dossier_id}/accounts/{iban}/confirm": {"reason": "taken over"},
    "/v1/dossiers/{dossier_id}/accounts/{iban}/withdraw": {"reason": "taken over"},
    "/v1/dossiers/{dossier_id}/cash-books": {"name": "Taken over", "start_date": "2026-03-01", "start_balance": "0.00"},
    "/v1/dossiers/{dossier_id}/cash-books/{cash_book_id}/entries": {
        "date": "2026-03-09",
        "start_balance": "0.00",
        "end_balance": "1.00",
        "entries": [{"kind": "BACA", "amount": "1.00"}],
    },
    "/v1/dossiers/{dossier_id}/cash-books/{cash_book_id}/counts": {"date": "2026-03-09", "counted": "0.00"},
    "/v1/dossiers/{dossier_id}/receipt-books/{book_id}/close": {"through": "2026-03-09"},
    "/v1/dossiers/{dossier_id}/sales-invoices": {
        "number": "X-1",
        "issue_date": "2026-03-09",
        "customer": {"name": "Klant"},
        "lines": [{"name": "Brood", "price": "1.00", "vat_rate": "6"}],
    },
    "/v1/dossiers/{dossier_id}/invoice-books": {"name": "Taken over"},
    "/v1/dossiers/{dossier_id}/invoice-books/{invoice_book_id}": {"name": "Taken over"},
    "/v1/documents/{document_id}/release": {"reason": "taken over"},
    "/v1/dossiers/{dossier_id}/receipt-books": {"name": "Taken over", "number_format": "E-{InvoiceNumber}"},
    "/v1/dossiers/{dossier_id}/receipt-books/{book_id}": {"name": "Taken over"},
    "/v1/dossiers/{dossier_id}/registers": {"items": []},
    "/v1/dossiers/{dossier_id}/tickets": [],
    "/v1/dossiers/{dossier_id}/scrada-keys": {"name": "Taken over"},
    "/v1/dossiers/{dossier_id}/registers/{register}/days/{date}/z-totals": {"vat_totals": []},
    "/v1/dossiers/{dossier_id}/registers/{register}/days/{date}/z-totals/accept": {"reason": "taken over"},
    "/v1/dossiers/{dossier_id}/receipt-books/{book_id}/days/{date}": {
        "external_reference": "taken over",
        "lines": [{"vat_rate": "21", "amount": "1.00"}],
    },
    "/v1/deliveries/{delivery_id}/resolve": {"decision": "abandon"},
    "/v1/clients/{client_id}": {"name": "Taken over"},
    "/v1/clients/{client_id}/secrets": {},
}


class Route(NamedTuple):
    service: str
    method: str
    path: str
    parameters: list[str]
    is_open: bool
    takes_body: bool


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
                    found.append(Route(name, method, path, names, is_open, "requestBody" in operation))
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
    invoice = _made(client.post(f"{at}/sales-invoices", json=BODIES["/v1/dossiers/{dossier_id}/sales-invoices"]))
    invoice_book = _made(client.post(f"{at}/invoice-books", json={"name": "Web"}))
    keys = f"/pos-ingest/v1/dossiers/{dossier['id']}/scrada-keys"
    key = _made(client.post(keys, json={"name": "Kassa"}))
    z_totals = f"/pos-ingest/v1/dossiers/{dossier['id']}/registers/K1/days/2026-03-09/z-totals"
    client.put(z_totals, json={"vat_totals": []}).raise_for_status()
    problem = _once(lambda: client.get("/dossier-api/v1/problems"), 200, lambda body: body["items"])["items"][0]
    return Firm(
        firm_id,
        client,
        {
            "dossier_id": dossier["id"],
            "document_id": document["id"],
            "export_id": export["id"],
            "problem_id": problem["id"],
            "relation_id": client.get(relations).json()["items"][0]["id"],
            "client_id": str(new_id()),
            "role": "ubl",
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
    arguments: dict[str, Any] = {}
    if route.takes_body and route.path in BODIES:
        body = BODIES[route.path]
        arguments = (
            {"content": body, "headers": {"content-type": "application/xml"}}
            if isinstance(body, bytes)
            else {"json": body}
        )
    return client.request(route.method, f"/{route.service}{path}", params=query, **arguments)


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
        value for each in ids for name, value in each.items() if name not in ("role", "client_id", "date", "from", "to")
    }
    for route in routes:
        if route.is_open or route.path in OF_EVERYBODY or (route.service, route.method, route.path) in OF_NOBODY:
            continue
        if names_an_object(route):
            assert not route.takes_body or route.path in BODIES, f"{route}: what is a right body?"
            answer = _call(other, route, owner.known_to(route.service))
            assert answer.status_code in (403, 404), f"{route}: {answer.status_code} {answer.text}"
        elif route.method == "get":
            for objects in ({}, owner.known_to(route.service)):
                answer = _call(other, route, objects)
                empty = answer.status_code == 200 and answer.json()["items"] == []
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
    """For each route at least one scope opens it; a token with all the others does not."""
    scarce = {scope: mesh.client(owner.id, *(set(SCOPES) - {scope})) for scope in SCOPES}
    none = {True: mesh.client(owner.id, "exports:write"), False: mesh.client(owner.id, "receipts:write")}
    for route in routes:
        if route.is_open:
            continue
        objects = owner.known_to(route.service)
        answer = _call(none[route.service == "pos-ingest"], route, objects)
        assert answer.status_code == 403, f"{route}: {answer.status_code} {answer.text}"
        if route.method == "get":
            refused = [scope for scope, client in scarce.items() if _call(client, route, objects).status_code == 403]
            assert refused, f"{route} asks for no scope of its own"
