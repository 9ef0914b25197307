"""One caller of one Koppel: a token that ends, a limit that is reached, refusals in words, lists of several pages."""

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from koppel_client import Koppel, NoAnswerError, RefusedError


class Answers:
    """What a server answers, in turn, and what it was asked."""

    def __init__(self) -> None:
        self.next: list[tuple[int, Any, dict[str, str]]] = []
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.tokens = 0
        self.url = ""

    def add(self, status: int, body: Any = None, **headers: str) -> None:
        self.next.append((status, body, headers))

    def take(self, path: str) -> tuple[int, Any, dict[str, str]]:
        refuses = self.next and isinstance(self.next[0][1], dict) and "error" in self.next[0][1]
        if path != "/identity/oauth/token" or refuses:
            return self.next.pop(0)
        self.tokens += 1
        return 200, {"access_token": f"t{self.tokens}", "token_type": "Bearer"}, {}


@pytest.fixture
def server() -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            data = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path != "/identity/oauth/token":
                answers.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, data))
            status, body, headers = answers.take(self.path)
            content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"content-type": "application/json", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - names of the standard library

        def log_message(self, *_: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    answers.url = f"http://127.0.0.1:{listening.server_port}"
    yield answers
    listening.shutdown()
    listening.server_close()


@pytest.fixture
def koppel(server: Answers) -> Iterator[Koppel]:
    with Koppel(server.url, "kassa", "secret", wait_max_s=1) as made:
        yield made


def test_a_call_shows_a_token_and_reads_decimals(server: Answers, koppel: Koppel) -> None:
    server.add(200, b'{"id": "a b", "amount": 1.10}')
    found: Any = koppel.dossier_api.get_document("a b/c")
    assert found == {"id": "a b", "amount": Decimal("1.10")}
    method, path, headers, _ = server.asked[0]
    assert (method, path, headers["authorization"]) == ("GET", "/dossier-api/v1/documents/a%20b%2Fc", "Bearer t1")


def test_a_token_that_has_ended_is_fetched_anew_once(server: Answers, koppel: Koppel) -> None:
    server.add(200, {"items": [], "next": None})
    server.add(401, {"code": "invalid_token", "title": "The token is not valid."})
    server.add(200, {"items": [], "next": None})
    koppel.dossier_api.list_dossiers()
    koppel.dossier_api.list_dossiers(q="x")
    assert [each[2]["authorization"] for each in server.asked] == ["Bearer t1", "Bearer t1", "Bearer t2"]
    server.add(401, {"code": "invalid_token", "title": "The token is not valid."})
    server.add(401, {"code": "invalid_token", "title": "The token is not valid."})
    with pytest.raises(RefusedError, match="The token is not valid"):
        koppel.dossier_api.list_dossiers()
    assert server.next == []


def test_where_the_limit_is_reached_it_waits_but_not_for_ever(server: Answers, koppel: Koppel) -> None:
    server.add(429, {"code": "rate_limited", "title": "Too many requests."}, retry_after="0")
    server.add(204)
    koppel.webhooks.delete_endpoint("e")
    server.add(429, {"code": "rate_limited", "title": "Too many requests."}, retry_after="30")
    with pytest.raises(RefusedError) as refused:
        koppel.webhooks.delete_endpoint("e")
    assert (refused.value.status, refused.value.code) == (429, "rate_limited")


def test_a_refusal_is_a_sentence_that_names_the_field(server: Answers, koppel: Koppel) -> None:
    errors = [{"field": "body.name", "rule": "missing", "message": "Field required"}]
    server.add(422, {"code": "invalid_request", "title": "It is not right.", "detail": "", "errors": errors})
    with pytest.raises(RefusedError) as refused:
        koppel.dossier_api.create_dossier({"name": "x", "enterprise_number": "1"})
    assert str(refused.value) == "It is not right. (name: Field required)"
    server.add(502, b"<html>")
    with pytest.raises(RefusedError, match=r"^status 502$"):
        koppel.dossier_api.list_dossiers()


def test_a_client_that_is_not_known_gets_no_token(server: Answers, koppel: Koppel) -> None:
    server.add(401, {"error": "invalid_client"})
    with pytest.raises(RefusedError, match="Koppel gave no token to client kassa: invalid_client"):
        koppel.sign_in()


def test_nothing_answers() -> None:
    with (
        Koppel("http://127.0.0.1:9", "kassa", "secret") as koppel,
        pytest.raises(NoAnswerError, match="Nothing answers"),
    ):
        koppel.dossier_api.list_dossiers()


def test_a_document_is_bytes_with_a_key(server: Answers, koppel: Koppel) -> None:
    server.add(201, {"id": "d"})
    koppel.dossier_api.hand_in_document("1", b"<Invoice/>", media_type="application/xml", idempotency_key="k")
    _, path, headers, data = server.asked[0]
    assert (path, data) == ("/dossier-api/v1/dossiers/1/documents", b"<Invoice/>")
    assert (headers["content-type"], headers["idempotency-key"]) == ("application/xml", "k")


def test_every_page_of_a_list_is_read(server: Answers, koppel: Koppel) -> None:
    server.add(200, {"items": [{"id": "1"}], "next": "c"})
    server.add(200, {"items": [{"id": "2"}], "next": None})
    found = koppel.connector("connector-exact").iterate_deliveries(state="failed")
    assert [each["id"] for each in found] == ["1", "2"]
    assert server.asked[1][1] == "/connector-exact/v1/deliveries?limit=200&state=failed&after=c"


def test_a_file_is_bytes(server: Answers, koppel: Koppel) -> None:
    server.add(200, b"%PDF-1.7", content_type="application/pdf")
    assert koppel.dossier_api.get_content("d", "pdf") == b"%PDF-1.7"


def test_a_provider_of_ones_own_says_where_it_gives_tokens(server: Answers) -> None:
    server.add(200, {"token_endpoint": f"{server.url}/realms/office/token"})
    server.add(200, {"access_token": "of the provider", "token_type": "Bearer"})
    server.add(200, {"items": [], "next": None})
    with Koppel(server.url, "kassa", "secret", issuer=f"{server.url}/realms/office/") as koppel:
        koppel.dossier_api.list_dossiers()
    assert [each[:2] for each in server.asked[:2]] == [
        ("GET", "/realms/office/.well-known/openid-configuration"),
        ("POST", "/realms/office/token"),
    ]
    assert server.asked[2][2]["authorization"] == "Bearer of the provider"
    server.add(200, {"issuer": "x"})
    with (
        Koppel(server.url, "kassa", "secret", issuer=server.url) as koppel,
        pytest.raises(RefusedError, match="does not say where it gives tokens"),
    ):
        koppel.dossier_api.list_dossiers()


def test_inside_a_cluster_each_service_has_its_own_address(server: Answers) -> None:
    server.add(200, {"access_token": "t", "token_type": "Bearer"})
    server.add(204)
    with Koppel(server.url + "/at/{service}", "kassa", "secret") as koppel:
        koppel.webhooks.delete_endpoint("e")
    assert [each[1] for each in server.asked] == [
        "/at/identity/identity/oauth/token",
        "/at/webhooks/webhooks/v1/endpoints/e",
    ]
