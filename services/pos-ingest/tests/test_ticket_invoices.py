"""Tickets that ask for an invoice become one of the dossier; what cannot is a problem that a person solves."""

from typing import Any

from pos_ingest.tickets import invoices

from .conftest import Till
from .test_tickets import registered, send
from .ticket_samples import line, payment, ticket

CUSTOMER = {
    "name": "Bakker NV",
    "vatNumber": "BE0831797467",
    "address": {"street": "Markt", "streetNumber": "1", "zipCode": "9000", "city": "Gent"},
}
SOLD = (line("106.00", 6), line("242.00", 21))


def work(till: Till) -> None:
    while till.run(invoices.make_due_invoice(till.context)):
        pass


def made(till: Till) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = till.call("GET", "/sales-invoices").json()["items"]
    return [{name: each[name] for name in ("number", "total", "customer_name", "issue_date")} for each in found]


def invoice_book(till: Till) -> None:
    answer = till.call("POST", "/invoice-books", json={"name": "Kassa", "number_format": "F-{InvoiceNumber:4}"})
    assert answer.status_code == 201, answer.text


def test_a_ticket_becomes_one_invoice_with_its_totals(till: Till) -> None:
    registered(till)
    invoice_book(till)
    asks = ticket(*SOLD, convertToInvoice=True, customer=CUSTOMER, totalTip=2, payments=[payment("350.00", 5)])
    send(till, asks, asks)
    work(till)
    send(till, asks)
    work(till)
    expected = {"number": "F-0001", "customer_name": "Bakker NV", "issue_date": "2026-03-19"}
    assert [{**each, "total": str(each["total"])} for each in made(till)] == [expected | {"total": "348.00"}]
    assert till.call("GET", "/ticket-problems").json()["items"] == []


def test_what_is_exempt_says_why(till: Till) -> None:
    registered(till)
    invoice_book(till)
    sold = [line("50.00", 0, vatType=vat_type, vatPercentage=0) for vat_type in (52, 54, 3)]
    send(till, *(ticket(one, convertToInvoice=True, customer=CUSTOMER) for one in sold))
    work(till)
    assert till.call("GET", "/ticket-problems").json()["items"] == []
    assert len(made(till)) == 3


def test_a_refused_invoice_is_made_of_the_corrected_ticket(till: Till) -> None:
    registered(till)
    invoice_book(till)
    wrong = ticket(*SOLD, convertToInvoice=True, customer=CUSTOMER | {"vatNumber": "nonsense"})
    send(till, wrong)
    work(till)
    (problem,) = till.call("GET", "/ticket-problems").json()["items"]
    assert (problem["code"], problem["register_id"]) == ("ticket_invoice_refused", "K1")
    assert all(problem["message"][language] for language in ("nl", "fr", "en"))
    assert made(till) == []
    assert send(till, wrong | {"customer": CUSTOMER})[0]["status"] == "converted"
    work(till)
    assert till.call("GET", "/ticket-problems").json()["items"] == []
    assert [each["number"] for each in made(till)] == ["F-0001"]


def test_without_a_book_that_numbers_it_waits(till: Till) -> None:
    registered(till)
    send(till, ticket(*SOLD, convertToInvoice=True, customer=CUSTOMER))
    work(till)
    (problem,) = till.call("GET", "/ticket-problems").json()["items"]
    assert "invoice book" in problem["message"]["en"]
    invoice_book(till)
    till.sql("UPDATE ticket_invoice SET due_at = clock_timestamp()")
    work(till)
    assert [each["number"] for each in made(till)] == ["F-0001"]
