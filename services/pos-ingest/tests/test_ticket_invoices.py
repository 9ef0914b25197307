"""Tickets that ask for an invoice become one of the dossier; what cannot is a problem that a person solves."""

from typing import Any

import pytest

import koppel_ubl
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


def finish(till: Till, book: str) -> None:
    answer = till.call("POST", f"{book}/days/2026-03-19/finish")
    assert answer.status_code in (200, 201), answer.text


def kinds(till: Till, book: str) -> set[str]:
    return {line["kind"] for entry in till.chain(book) for line in entry["content"]["lines"]}


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


def test_a_code_is_reason_enough(till: Till) -> None:
    registered(till)
    send(till, ticket(line("50.00", 0, vatType=54), convertToInvoice=True, customer=CUSTOMER))
    (invoice,) = built(till)
    (exempt,) = invoice.vat_breakdown
    assert (exempt.exemption_code, exempt.exemption_reason) == ("VATEX-EU-F", None)


def test_what_is_exempt_says_why(till: Till) -> None:
    registered(till)
    invoice_book(till)
    sold = [line("50.00", 0, vatType=vat_type, vatPercentage=0) for vat_type in (52, 54, 3)]
    send(till, *(ticket(one, convertToInvoice=True, customer=CUSTOMER) for one in sold))
    work(till)
    assert till.call("GET", "/ticket-problems").json()["items"] == []
    assert len(made(till)) == 3


def built(till: Till) -> list[koppel_ubl.Invoice | koppel_ubl.CreditNote]:
    """Make the invoices that are due and return them as UBL, the latest first; nothing waits for a person."""
    work(till)
    assert till.call("GET", "/ticket-problems").json()["items"] == []
    of = [each["id"] for each in till.call("GET", "/sales-invoices").json()["items"]]
    kept = {str(row["id"]): bytes(row["ubl"]) for row in till.sql("SELECT id, ubl FROM external_invoice")}
    return [koppel_ubl.read(kept[each]) for each in of]


def test_a_ticket_loses_the_vat_that_the_book_had_of_it(till: Till) -> None:
    registered(till)
    send(till, ticket(line("100.00"), convertToInvoice=True, customer=CUSTOMER))
    (invoice,) = built(till)
    assert (str(invoice.vat_total), invoice.totals.rounding) == ("17.36", None)


@pytest.mark.parametrize(("sold", "paid", "rounding"), [("10.02", "10.00", "-0.02"), ("-10.03", "-10.05", "0.02")])
def test_what_cash_was_rounded_by_leaves_nothing_to_be_paid(till: Till, sold: str, paid: str, rounding: str) -> None:
    registered(till)
    send(till, ticket(line(sold), payments=[payment(paid)], convertToInvoice=True, customer=CUSTOMER))
    (invoice,) = built(till)
    assert str(invoice.totals.rounding) == rounding
    assert invoice.totals.payable == 0


def test_what_is_outside_the_scope_of_vat_stands_as_exempt_beside_the_rest(till: Till) -> None:
    registered(till)
    deposit = line("4.50", 0, vatType=99, itemName="Leeggoed")
    discount = line("-1.00", 0, vatType=51, quantity=-1, itemInclVat=1)
    exempt = [line("50.00", 0, vatType=vat_type) for vat_type in (52, 54)]
    send(
        till,
        ticket(line("12.10"), deposit, discount, *exempt, convertToInvoice=True, customer=CUSTOMER),
        ticket(deposit, convertToInvoice=True, customer=CUSTOMER),
    )
    alone, beside = built(till)
    assert [(each.category, str(each.taxable)) for each in beside.vat_breakdown] == [("S", "10.00"), ("E", "103.50")]
    assert all(word in (beside.vat_breakdown[1].exemption_reason or "") for word in ("44", "Marge", "Buiten"))
    assert [(each.category, str(each.taxable)) for each in alone.vat_breakdown] == [("E", "4.50")]


def test_lines_as_tills_make_them_are_lines_of_an_invoice(till: Till) -> None:
    registered(till)
    cut_off = line("0.99", quantity=0.333, itemInclVat=2.99, itemName="Kaas\n" * 100)
    returned = line("-8.00", quantity=-1, itemInclVat=10, totalDiscountInclVat=-2)
    dearer = line("12.00", itemInclVat=10, totalDiscountInclVat=-2)
    sold = ticket(cut_off, returned, dearer, line("30.00"), note="Dank u\x01", convertToInvoice=True, customer=CUSTOMER)
    send(till, sold | {"payments": [payment("34.99", 5)]})
    (invoice,) = built(till)
    assert str(invoice.totals.with_vat) == "34.99"
    assert invoice.lines[0].item.description == "0.333 × 2.99"


def test_a_supply_within_the_union_says_when_and_where(till: Till) -> None:
    registered(till)
    dutch = {"name": "Kaas BV", "vatNumber": "NL123456789B01", "address": {"countryCode": "NL", "city": "Breda"}}
    send(till, ticket(line("50.00", 0, vatType=5), convertToInvoice=True, customer=dutch))
    (invoice,) = built(till)
    assert invoice.delivery is not None and str(invoice.delivery.actual_date) == "2026-03-19"


WRONG = [
    (CUSTOMER | {"vatNumber": "nonsense"}, "customer.vatNumber"),
    (CUSTOMER | {"taxNumber": "1234567895"}, "customer.taxNumber"),
    (CUSTOMER | {"name": "x" * 201}, "customer.name"),
    (CUSTOMER | {"name": "Jan\ufffe"}, "customer"),
]


@pytest.mark.parametrize(("customer", "field"), WRONG)
def test_a_ticket_that_can_be_no_invoice_is_kept_in_the_book(till: Till, customer: dict[str, Any], field: str) -> None:
    book = registered(till)
    asks = ticket(*SOLD, convertToInvoice=True, customer=customer)
    (result,) = send(till, asks)
    assert (result["status"], result["field"]) == ("accepted", field), result
    assert [each["status"] for each in send(till, asks, asks | {"convertToInvoice": False})] == ["duplicate"] * 2
    (problem,) = till.call("GET", "/ticket-problems").json()["items"]
    assert problem["code"] == "ticket_invoice_refused" and result["message"] in problem["message"]["en"]
    finish(till, book)
    work(till)
    assert made(till) == []
    assert kinds(till, book) == {"single"}, "its takings stand in the book"
    (still,) = send(till, asks | {"customer": CUSTOMER | {"vatNumber": "BE1"}})
    assert (still["status"], still["field"]) == ("error", "customer.vatNumber")
    assert send(till, asks | {"customer": CUSTOMER})[0]["status"] == "converted"
    work(till)
    finish(till, book)
    assert till.call("GET", "/ticket-problems").json()["items"] == []
    assert [str(each["total"]) for each in made(till)] == ["348.00"]
    assert kinds(till, book) == {"single", "correction"}, "and leave it for the invoice"


def test_a_ticket_that_was_kept_leaves_the_book_once_its_invoice_can_be_made(till: Till) -> None:
    book = registered(till)
    send(till, ticket(*SOLD, convertToInvoice=True, customer=CUSTOMER | {"name": " "}))
    # As a release that reads such a name would.
    of_later = "UPDATE ticket SET content = jsonb_set(content, '{customer,name}', '\"Jan\"') WHERE dossier_id = :id"
    till.sql(of_later, id=till.dossier_id)
    finish(till, book)
    work(till)
    assert made(till) == [], "not before an hour has passed"
    till.sql("UPDATE ticket_invoice SET due_at = clock_timestamp()")
    work(till)
    finish(till, book)
    assert till.call("GET", "/ticket-problems").json()["items"] == []
    assert [str(each["total"]) for each in made(till)] == ["348.00"]
    assert kinds(till, book) == {"single", "correction"}


@pytest.mark.parametrize(("customer", "field"), WRONG)
def test_a_ticket_in_the_book_that_can_be_no_invoice_stays_in_it(
    till: Till, customer: dict[str, Any], field: str
) -> None:
    registered(till)
    sold = ticket(*SOLD)
    send(till, sold)
    (result,) = send(till, sold | {"convertToInvoice": True, "customer": customer})
    assert (result["status"], result["field"]) == ("error", field), result
    kept = till.sql("SELECT is_invoice FROM ticket WHERE dossier_id = :id", id=till.dossier_id)
    assert kept == [{"is_invoice": False}]


def test_what_is_no_daily_receipts_waits_for_its_invoice_outside_the_book(till: Till) -> None:
    book = registered(till)
    asks = ticket(line("348.00", 0, vatType=50), convertToInvoice=True, customer={"name": "Jan"})
    (result,) = send(till, asks)
    assert (result["status"], result["field"]) == ("accepted", "customer.vatNumber"), result
    finish(till, book)
    assert till.chain(book) == []
    assert send(till, asks | {"customer": CUSTOMER})[0]["status"] == "converted"
    work(till)
    assert till.call("GET", "/ticket-problems").json()["items"] == [] and len(made(till)) == 1


def test_an_invoice_of_nothing_is_an_error_of_the_till(till: Till) -> None:
    registered(till)
    nothing = {"lines": [], "totalInclVat": 0, "payments": []}
    (result,) = send(till, ticket(convertToInvoice=True, customer=CUSTOMER) | nothing)
    assert (result["status"], result["code"], result["field"]) == ("error", "lines_missing", "lines")


@pytest.mark.parametrize(
    ("vat_number", "country", "expected"),
    [
        ("BE0440.966.354", "BE", "BE0440966354"),
        ("be0440966354", "be", "BE0440966354"),
        ("0440966354", None, "BE0440966354"),
        ("440.966.354", "", "BE0440966354"),
        ("BE 440 966 354", "BE", "BE0440966354"),
        ("BTW BE 0440.966.354", "BE", "BE0440966354"),
        ("nl 123456789 b01", "nl", "NL123456789B01"),
        ("FR-40.303.265.045", " fr ", "FR40303265045"),
        (" ", " ", None),
    ],
)
def test_numbers_and_countries_are_read_as_people_write_them(
    till: Till, vat_number: str, country: str | None, expected: str | None
) -> None:
    registered(till)
    customer = {"name": "Jan", "vatNumber": vat_number, "address": {"countryCode": country}}
    send(till, ticket(line("10.00"), convertToInvoice=True, customer=customer))
    (invoice,) = built(till)
    assert invoice.buyer.vat_number == expected
    assert invoice.buyer.address is not None and invoice.buyer.address.country == (expected or "BE")[:2]


def test_an_invoice_that_failed_is_made_of_the_ticket_that_comes_again(till: Till) -> None:
    registered(till)
    invoice_book(till)
    asks = ticket(*SOLD, convertToInvoice=True, customer=CUSTOMER)
    send(till, asks)
    # As a release before this one kept a ticket: it found out only here.
    of_before = (
        "UPDATE ticket SET content = jsonb_set(content, '{customer,vatNumber}', '\"nonsense\"') WHERE dossier_id = :id"
    )
    till.sql(of_before, id=till.dossier_id)
    work(till)
    (problem,) = till.call("GET", "/ticket-problems").json()["items"]
    assert (problem["code"], problem["register_id"]) == ("ticket_invoice_refused", "K1")
    assert all(problem["message"][language] for language in ("nl", "fr", "en"))
    assert made(till) == []
    assert send(till, asks | {"note": "Nieuw"})[0]["status"] == "converted"
    work(till)
    assert till.call("GET", "/ticket-problems").json()["items"] == []
    assert [each["number"] for each in made(till)] == ["F-0001"]


def test_where_no_book_numbers_it_one_is_made(till: Till) -> None:
    registered(till)
    till.book(number_format="K-{InvoiceNumber:4}", number_prefix="")
    answer = till.call("POST", "/invoice-books", json={"name": "Kassafacturen"})
    assert answer.status_code == 201, answer.text
    send(till, *(ticket(*SOLD, convertToInvoice=True, customer=CUSTOMER) for _ in range(2)))
    work(till)
    assert [each["number"] for each in made(till)] == ["T-00002", "T-00001"], "K-… is another book's"
    books = {each["name"]: each["number_format"] for each in till.call("GET", "/invoice-books").json()["items"]}
    assert books == {"Kassafacturen": None, "Kassafacturen 2": "T-{InvoiceNumber:5}"}


def test_a_book_that_makes_itself_gives_no_number_that_the_shop_uses(till: Till) -> None:
    registered(till)
    own: dict[str, Any] = {"issue_date": "2026-03-19", "customer": {"name": "Jan"}}
    own |= {"lines": [{"name": "Brood", "price": "100.00", "vat_rate": "6"}]}
    for number in ("K-00017", "TF1", "T/000018"):
        assert till.call("POST", "/sales-invoices", json=own | {"number": number}).status_code == 201
    send(till, ticket(*SOLD, convertToInvoice=True, customer=CUSTOMER))
    work(till)
    assert made(till)[0]["number"] == "KF-00001"
    assert till.call("POST", "/sales-invoices", json=own | {"number": "K-00018"}).status_code == 201


def test_of_several_books_the_one_named_as_the_receipt_book_numbers_it_else_the_oldest(till: Till) -> None:
    named = registered(till)
    for name in ("Web", till.call("GET", named).json()["name"]):
        given = {"name": name, "number_format": f"{name[:3]}-{{InvoiceNumber:3}}"}
        assert till.call("POST", "/invoice-books", json=given).status_code == 201
    send(till, ticket(*SOLD, convertToInvoice=True, customer=CUSTOMER))
    work(till)
    assert [each["number"] for each in made(till)] == ["Win-001"]
    assert till.call("PATCH", named, json={"name": "Anders"}).status_code == 200
    send(till, ticket(*SOLD, convertToInvoice=True, customer=CUSTOMER))
    work(till)
    assert [each["number"] for each in made(till)] == ["Web-001", "Win-001"]


def test_where_every_number_may_be_anothers_a_person_makes_the_book(till: Till) -> None:
    registered(till)
    for letters in ("K", "T", "KF", "TF", "KASSA"):
        till.book(number_format=f"{letters}{{InvoiceNumber:1}}", number_prefix="")
    send(till, ticket(*SOLD, convertToInvoice=True, customer=CUSTOMER))
    work(till)
    (problem,) = till.call("GET", "/ticket-problems").json()["items"]
    assert "invoice book" in problem["message"]["en"]
    invoice_book(till)
    till.sql("UPDATE ticket_invoice SET due_at = clock_timestamp()")
    work(till)
    assert [each["number"] for each in made(till)] == ["F-0001"]
