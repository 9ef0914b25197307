"""Daily receipts stand in other journals than invoices, each book in its own, at every vendor that has journals (R140–R146)."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from koppel_sandbox import Sandbox

from .firm_client import SAMPLES
from .office import Office, open_office

RECEIPTS = (SAMPLES / "own__be-12-daily-receipts-endpoint-self.xml").read_text()
NOWHERE = "X9"


@pytest.fixture(scope="module")
def office(mesh: Any, sandbox: Sandbox) -> Iterator[Office]:
    with open_office(mesh, sandbox) as opened:
        yield opened


def take_in(office: Office, number: str, customer: str, **metadata: Any) -> Any:
    """Hand in the receipts of a book, whose customer has its name."""
    ubl = RECEIPTS.replace("DO-2026-01-15", number).replace("Diverse klanten (dagontvangsten)", customer)
    said = json.dumps({"kind": "daily_receipts", **metadata})
    parts: dict[str, Any] = {
        "ubl": (None, ubl.encode(), "application/xml"),
        "metadata": (None, said, "application/json"),
    }
    answer = office.firm.partner.post(f"/dossier-api/v1/dossiers/{office.dossier_id}/documents", files=parts)
    assert answer.status_code == 201, answer.text
    return answer.json()


def journals(office: Office) -> tuple[str, str]:
    """Return the journal of receipts that the settings name, and another that takes sales."""
    known = office.firm.vendor.journals
    return known["daily_receipts"], known["sales_invoice"]


def test_two_books_stand_in_two_journals(office: Office) -> None:
    default, other = journals(office)
    # Elsewhere the journal has another code: what is chosen for this connection comes first.
    chosen = {office.connection_id: other}
    gent = take_in(office, "DR-G-00001", "Dagontvangsten Gent", journal=NOWHERE, journals=chosen)
    brussels = take_in(office, "DR-B-00001", "Dagontvangsten Brussel")
    assert (office.booked(gent).journal, office.booked(brussels).journal) == (other, default)


def test_the_journal_of_the_book_wins_over_the_customer_s_and_a_changed_one_is_for_new_documents(
    office: Office,
) -> None:
    default, other = journals(office)
    base = f"/dossier-api/v1/dossiers/{office.dossier_id}/relations"
    item = {"code": "DR-A", "name": "Dagontvangsten Aalst", "is_customer": True, "journal": other}
    office.firm.partner.put(base, json={"source": "test", "items": [item]}).raise_for_status()
    of_customer = take_in(office, "DR-A-00001", "Dagontvangsten Aalst")
    of_book = take_in(office, "DR-A-00002", "Dagontvangsten Aalst", journal=default)
    [relation] = office.firm.get(base, code="DR-A")["items"]
    office.firm.partner.patch(f"{base}/{relation['id']}", json={"journal": NOWHERE}).raise_for_status()
    assert (office.booked(of_customer).journal, office.booked(of_book).journal) == (other, default)


def test_a_journal_that_is_not_there_is_a_problem_until_it_is_changed_on_the_document(office: Office) -> None:
    _, other = journals(office)
    document = take_in(office, "DR-C-00001", "Dagontvangsten Gent", journal=NOWHERE)
    problem = office.firm.until_problem(document["id"], "journal_unknown")
    assert set(problem["message"]) == {"nl", "fr", "en"} and problem["who_can_fix"] == "accountant"
    changed = office.firm.partner.patch(f"/dossier-api/v1/documents/{document['id']}", json={"journal": other})
    assert changed.status_code == 200, changed.text
    exports = f"/export-scheduler/v1/dossiers/{office.dossier_id}/exports"
    exporting = {"document_ids": [document["id"]], "include_exported": True}
    assert office.firm.partner.post(exports, json=exporting).status_code == 202
    office.firm.until_booked(document["id"])
    entries = office.firm.vendor.entries(office.company)
    assert [each.journal for each in entries if each.document_number == "DR-C-00001"] == [other]


def test_one_trace_leads_from_the_ticket_to_the_ledger(office: Office) -> None:
    firm, below = office.firm, f"/pos-ingest/v1/dossiers/{office.dossier_id}"
    book = made(
        firm.partner.post(f"{below}/receipt-books", json={"name": "Aalter", "number_format": "A-{InvoiceNumber:5}"})
    )
    made(firm.partner.put(f"{below}/registers", json={"items": [{"name": "K1", "receipt_book_id": book["id"]}]}))
    made(firm.partner.post(f"{below}/invoice-books", json={"name": "Kassa", "number_format": "KF-{InvoiceNumber:4}"}))
    ticket = {
        "receiptID": "R1",
        "receiptCreatedOn": "2026-01-15T12:00:00+01:00",
        "registerID": "K1",
        "totalInclVat": "348.00",
        "lines": [_sold("106.00", 6), _sold("242.00", 21)],
        "payments": [
            {"paymentID": "1", "type": 1, "amount": "348.00", "paymentMethodType": 5, "paymentMethodName": "Bancontact"}
        ],
        "convertToInvoice": True,
        "customer": {
            "name": "Bakker NV",
            "vatNumber": "BE0831797467",
            "address": {"street": "Markt", "streetNumber": "1", "zipCode": "9000", "city": "Gent"},
        },
    }
    trace_id = uuid4().hex
    handed = firm.partner.post(
        f"{below}/tickets", json=[ticket], headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    )
    assert [one["status"] for one in made(handed)] == ["accepted"], handed.text
    asked = {"dossier_id": office.dossier_id, "kind": "sales_invoice"}
    (document,) = firm.until(
        lambda: firm.get("/dossier-api/v1/documents", **asked)["items"], "the invoice of the ticket"
    )
    entry = office.booked(document)
    assert (entry.document_number, entry.total) == ("KF-0001", Decimal("348.00"))
    log = firm.get(f"{firm.connections}/{office.connection_id}/sync-log", document_id=document["id"])
    sent = [one for one in log["items"] if one["phase"] == "send"]
    assert sent and {one["trace_id"] for one in sent} == {trace_id}


def _sold(total: str, rate: int) -> dict[str, Any]:
    return {
        "itemName": "Brood",
        "quantity": "1",
        "itemInclVat": total,
        "totalInclVat": total,
        "vatType": 1,
        "vatPercentage": str(rate),
    }


def made(answer: Any) -> Any:
    assert answer.is_success, answer.text
    return answer.json()
