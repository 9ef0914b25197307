"""Points 46, 47 and 50: notifications that are signed and repeated; faults that are real at the socket and act first."""

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx2
import pytest

from koppel_sandbox.exact.seed import BAKERY, WEBHOOK_SECRET
from koppel_sandbox.exact.webhooks import sign

from .conftest import Login, message, sale

ENTRIES = "salesentry/SalesEntries"


class Receiver(HTTPServer):
    bodies: list[bytes]
    status: int


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert isinstance(self.server, Receiver)
            self.server.bodies.append(self.rfile.read(int(self.headers.get("content-length") or 0)))
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = Receiver(("127.0.0.1", 0), Handler)
    server.bodies, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join(5)


def until(condition: object) -> None:
    assert callable(condition)
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "a notification does not come"
        time.sleep(0.02)


def subscribe(exact: Login, receiver: Receiver) -> httpx2.Response:
    body = {"CallbackURL": f"http://127.0.0.1:{receiver.server_port}/hook", "Topic": "SalesEntries"}
    return exact.post("webhooks/WebhookSubscriptions", body)


def test_point_46_a_subscription_is_proven_by_an_empty_post(exact: Login, receiver: Receiver) -> None:
    assert subscribe(exact, receiver).status_code == 201
    until(lambda: receiver.bodies == [b""])
    again = subscribe(exact, receiver)
    assert (again.status_code, message(again)) == (500, "Gegeven bestaat reeds")


def test_point_47_notifications_are_signed_and_repeated(exact: Login, receiver: Receiver) -> None:
    subscribe(exact, receiver)
    until(lambda: len(receiver.bodies) == 1)
    receiver.status = 500
    assert exact.post(ENTRIES, sale()).status_code == 201
    until(lambda: len(receiver.bodies) == 2)
    body = receiver.bodies[1]
    raw = body[len(b'{"Content":') : body.index(b',"HashCode"')]
    digest = hmac.new(WEBHOOK_SECRET.encode(), raw, hashlib.sha256).hexdigest().upper()
    assert json.loads(body)["HashCode"] == digest
    assert json.loads(raw)["Topic"] == "SalesEntries"
    receiver.status = 200
    exact.server.control("clock", advance_s=130)
    until(lambda: len(receiver.bodies) == 3)
    assert receiver.bodies[2] == body


def test_point_47_a_deletion_is_notified_too(exact: Login, receiver: Receiver) -> None:
    subscribe(exact, receiver)
    until(lambda: len(receiver.bodies) == 1)
    made = exact.post(ENTRIES, sale()).json()["d"]["EntryID"]
    until(lambda: len(receiver.bodies) == 2)
    assert exact.call("DELETE", f"{ENTRIES}(guid'{made}')").status_code == 204
    until(lambda: len(receiver.bodies) == 3)
    content = json.loads(receiver.bodies[2])["Content"]
    assert (content["Action"], content["Key"]) == ("Delete", made)


def test_point_46_an_address_that_gave_no_proof_gets_nothing(exact: Login, receiver: Receiver) -> None:
    receiver.status = 404
    subscribe(exact, receiver)
    until(lambda: len(receiver.bodies) == 1)
    exact.post(ENTRIES, sale())
    time.sleep(0.3)
    assert receiver.bodies == [b""]


def test_point_47_the_vector_of_the_vendor() -> None:
    content = {
        "Topic": "PurchaseEntries",
        "ClientId": "11111111-2222-3333-4444-555555555555",
        "Division": 3090901,
        "Action": "Update",
        "Key": "0b0f8d0e-7a55-4a3f-9b58-3f1f6a0c2d11",
        "ExactOnlineEndpoint": "https://start.exactonline.be/api/v1/3090901/purchaseentry/PurchaseEntries"
        "(guid'0b0f8d0e-7a55-4a3f-9b58-3f1f6a0c2d11')",
        "EventCreatedOn": "2026-01-15T10:22:31.123",
    }
    signed = json.loads(sign(content, "demo-webhook-secret"))
    assert signed["HashCode"] == "D33AB07D0CE5F9074A68EBD932691DE4CCE8C9D336B8496BCF8D5F08C44A2AEF"


@pytest.mark.parametrize(
    ("kind", "acts", "error"),
    [
        ("reset_before", False, httpx2.TransportError),
        ("reset_after_commit", True, httpx2.TransportError),
        ("half_answer_after_commit", True, httpx2.RemoteProtocolError),
        ("hang", False, httpx2.ReadTimeout),
        ("hang_after_commit", True, httpx2.ReadTimeout),
    ],
)
def test_point_50_lost_answers(exact: Login, kind: str, acts: bool, error: type[Exception]) -> None:
    exact.server.control("faults", kind=kind, path=ENTRIES, seconds=2)
    with pytest.raises(error):
        exact.call("POST", ENTRIES, json=sale(), timeout=0.5)
    assert len(exact.server.entries(BAKERY)) == int(acts), "after_commit acts first, the others never"
    assert exact.post(ENTRIES, sale("next")).status_code == 201, "one fault meets one request"


@pytest.mark.parametrize(
    ("kind", "status", "acts"),
    [("html_503", 503, False), ("timeout_408", 408, False), ("throttle", 429, False), ("html_after_commit", 200, True)],
)
def test_point_50_answers_that_are_none(exact: Login, kind: str, status: int, acts: bool) -> None:
    exact.server.control("faults", kind=kind, method="POST", path=ENTRIES)
    answer = exact.post(ENTRIES, sale())
    assert answer.status_code == status
    assert len(exact.server.entries(BAKERY)) == int(acts)


def test_point_50_an_index_that_is_late(exact: Login) -> None:
    exact.server.control("faults", kind="index_late", method="POST", path=ENTRIES, seconds=60)
    key = exact.post(ENTRIES, sale()).json()["d"]["EntryID"]
    assert exact.rows(ENTRIES, filter=f"EntryID eq guid'{key}'") == []
    exact.server.control("clock", advance_s=61)
    assert len(exact.rows(ENTRIES, filter=f"EntryID eq guid'{key}'")) == 1


def test_a_search_that_lags_shows_nothing_new_yet(exact: Login) -> None:
    exact.server.control("switches", search_lag_s=90)
    made = exact.post("documents/Documents", {"Subject": "late", "Type": 20}).json()["d"]["ID"]
    entry = exact.post(ENTRIES, sale(Document=made)).json()["d"]
    searches = [
        ("documents/Documents", f"ID eq guid'{made}'"),
        (ENTRIES, f"EntryID eq guid'{entry['EntryID']}'"),
        ("financialtransaction/TransactionLines", f"EntryID eq guid'{entry['EntryID']}'"),
    ]
    exact.server.control("clock", advance_s=89)
    assert [exact.rows(resource, filter=query) for resource, query in searches] == [[], [], []]
    exact.server.control("clock", advance_s=2)
    assert [len(exact.rows(resource, filter=query)) for resource, query in searches] == [1, 1, 2]


def test_an_id_of_the_clients_own_is_taken_once(exact: Login) -> None:
    document = {"ID": "5d1b2c7e-0000-4000-8000-000000000001", "Subject": "ours", "Type": 20}
    assert exact.post("documents/Documents", document).json()["d"]["ID"] == document["ID"]
    again = exact.post("documents/Documents", document)
    assert (again.status_code, message(again)) == (500, "Gegeven bestaat reeds")
    exact.server.control("switches", own_ids_kept="entries")
    given = exact.post("documents/Documents", document)
    assert (given.status_code, given.json()["d"]["ID"] != document["ID"]) == (201, True)


def test_a_fault_that_does_not_exist_is_refused(exact: Login) -> None:
    answer = exact.http.post("/_control/faults", json={"kind": "rain"})
    assert answer.status_code == 400


def test_the_request_log_counts(exact: Login) -> None:
    exact.post(ENTRIES, sale())
    lines = exact.http.get("/_control/requests", params={"resource": ENTRIES, "method": "POST"}).json()
    assert [(line["status"], line["division"]) for line in lines] == [(201, BAKERY)]
    assert lines[0]["key"]


def test_nonsense_never_becomes_an_unhandled_error(exact: Login) -> None:
    with socket.create_connection(("127.0.0.1", exact.server.port), timeout=5) as raw:
        raw.sendall(b"POST /api/v1/x/y HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n\xff\xfe\xfd")
        assert b" 404 " in raw.recv(200)
    for body in (
        {"EntryDate": "x"},
        {"SalesEntryLines": 3},
        {"SalesEntryLines": [3]},
        {"Rate": "NaN"},
        {"EntryNumber": 10**30},
    ):
        assert exact.post(ENTRIES, sale(**body)).status_code == 400
