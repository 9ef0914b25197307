"""A till's days through the whole mesh: closed, they are documents of the dossier and links in the chain of its drawer (R135)."""

import time
from collections.abc import Callable
from typing import Any

import httpx2

from koppel_mesh.ids import new_id

PATIENCE_S = 60
SELLER = "0000000196"


def until(ask: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:
    end = time.monotonic() + PATIENCE_S
    while not enough(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.2)
    return found


def made(answer: httpx2.Response) -> Any:
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def test_a_closed_week_is_filed_with_the_statement_of_its_drawer(mesh: Any) -> None:
    client = mesh.client(new_id())
    rules = {"frequency": "after_10_minutes", "approval_required": False, "lock_after_export": False}
    asked = {"name": "Bakkerij Peeters", "enterprise_number": SELLER, "language": "nl", "export": rules}
    dossier = made(client.post("/dossier-api/v1/dossiers", json=asked))["id"]
    below = f"/pos-ingest/v1/dossiers/{dossier}"
    drawer = {
        "name": "Kas",
        "start_date": "2026-03-01",
        "start_balance": "150.00",
        "coda": {"period": "week", "lines": "two"},
    }
    cash_book = made(client.post(f"{below}/cash-books", json=drawer))
    given = {"name": "Gent", "number_format": "G-{InvoiceNumber:5}", "period": "week", "cash_book_id": cash_book["id"]}
    book = (
        f"{below}/receipt-books/{made(client.post(f'{below}/receipt-books', json={**given, 'forward': False}))['id']}"
    )
    for day in ("2026-03-02", "2026-03-09"):
        takings = {"external_reference": day, "lines": [{"vat_rate": "21", "amount": "121.00"}]}
        paid = [{"method": "cash", "amount": "21.00"}, {"method": "Bancontact", "amount": "100.00"}]
        made(client.put(f"{book}/days/{day}", json={**takings, "payments": paid}))
    assert len(made(client.post(f"{book}/close", json={"through": "2026-03-15"}))["periods"]) == 2

    documents = f"/dossier-api/v1/documents?dossier_id={dossier}"
    filed = until(lambda: client.get(documents).json()["items"], lambda items: len(items) == 4)
    receipts = sorted((one["number"], one["total"]["amount"]) for one in filed if one["kind"] == "daily_receipts")
    assert receipts == [("DR-G-00001", "121.00"), ("DR-G-00002", "121.00")]
    assert {one["state"] for one in filed} == {"filed"}
    assert not [
        found
        for one in filed
        for found in client.get(f"/dossier-api/v1/documents/{one['id']}").json()["findings"]
        if found["severity"] in ("fatal", "error")
    ]
    (account,) = until(
        lambda: client.get(f"/connector-coda/v1/dossiers/{dossier}/accounts").json()["items"],
        lambda items: [one["last_sequence"] for one in items] == [2],
    )
    assert (account["iban"], account["kind"], account["gaps"]) == (cash_book["iban"], "cash", [])
    assert account["balance"]["amount"] == "192.00"
    schedule = until(
        lambda: client.get(f"/export-scheduler/v1/dossiers/{dossier}/schedule").json()["items"],
        lambda items: len(items) == 4,
    )
    assert {one["waits_for"] for one in schedule if one["kind"] == "daily_receipts"} == {"hand"}
    assert "hand" not in {one["waits_for"] for one in schedule if one["kind"] == "cash_statement"}
