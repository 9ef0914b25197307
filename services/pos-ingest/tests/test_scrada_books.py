"""Scrada's API for cash books and sales invoices: read, set, filled, refused by the caller's own field names."""

import asyncio
import base64
from typing import Any

import pytest

import koppel_ubl
from koppel_mesh.ids import new_id

from .conftest import Till
from .scrada_client import Vendor
from .test_cash_books import balance, made

VAT_6 = "7befe0fc-7131-4b15-9fe6-ca4b9280b63c"


@pytest.fixture
def vendor(till: Till) -> Vendor:
    return Vendor(till)


@pytest.fixture
def drawer(till: Till, vendor: Vendor) -> str:
    """Give the path of a drawer with 150.00 in it, below the company."""
    return f"/cashBook/{made(till, name='Kas').rpartition('/')[2]}"


def lines(start: float, end: float, *given: dict[str, Any], date: str = "2026-03-10") -> dict[str, Any]:
    return {"date": date, "startBalance": start, "endBalance": end, "lines": list(given)}


def fields(error: dict[str, Any]) -> list[str]:
    return [inner["parameters"][0] for inner in error["innerErrors"]]


def test_a_cash_book_is_shown_and_set_in_scradas_spellings(till: Till, vendor: Vendor, drawer: str) -> None:
    shown = vendor.call("GET", drawer).json()
    assert vendor.call("GET", "/cashBook").json() == [shown]
    assert (shown["name"], shown["currentBalance"], shown["codaFileType"]) == ("Kas", 150.0, 2)
    assert (shown["minimumPossibleLineDate"][:10], shown["maximumPossibleLineDate"][:10]) == (
        "2026-03-01",
        "2026-03-20",
    )
    changes = {"name": "Toog", "codaFileType": 1, "codaGenerationPeriodType": 2, "codaGenerationStartWeekDay": 0}
    assert vendor.call("PUT", drawer, json=shown | changes).status_code == 200
    assert vendor.call("GET", drawer).json() == shown | changes
    assert vendor.call("PUT", drawer, json={"name": None}).status_code == 200
    refused: list[dict[str, Any]] = [
        {"startBalance": 1},
        {"startDate": "2026-03-02"},
        {"endDate": "2026-03-31"},
        {"codaFileType": 3},
    ]
    refused += [{"allowEntryAfterCoda": True}, {"active": False}, {"name": ""}, {"name": "\x00"}]
    for wrong in refused:
        error = vendor.error("PUT", drawer, 400, json=wrong)
        assert list(wrong) == ([error["parameters"][0]] if error["errorCode"] == 2002 else fields(error))
    assert vendor.call("GET", drawer).json() == shown | changes


def test_lines_go_under_the_balance_that_the_till_knows(till: Till, vendor: Vendor, drawer: str) -> None:
    types = {each["lineType"]: each["id"] for each in vendor.call("GET", f"{drawer}/transactionType").json()}
    given = lines(
        150,
        119.5,
        {"lineType": 1, "transactionTypeID": types[5], "amount": 20, "remark": "wisselgeld", "externalReference": "a"},
        {"lineType": 1, "amount": -50.50, "externalData": "{}", "externalReference": "b"},
    )
    answer = vendor.call("PUT", f"{drawer}/lines", json=given)
    assert answer.status_code == 200, answer.text
    entries = till.call("GET", f"/cash-books/{drawer.rpartition('/')[2]}/entries").json()["items"]
    assert answer.json() == [each["id"] for each in reversed(entries)]
    assert [each["message"] for each in reversed(entries)] == ["CB/BACA/wisselgeld", "CB/PRTA/"]
    assert vendor.call("PUT", f"{drawer}/lines", json=given).json() == answer.json()
    other = lines(150, 160, {"lineType": 5, "amount": 10})
    assert "119.50" in vendor.error("PUT", f"{drawer}/lines", 409, json=other)["parameters"][0]
    assert vendor.call("GET", drawer).json()["currentBalance"] == 119.5


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (lines(150, 161, {"lineType": 5, "amount": 10}), "endBalance"),
        (lines(150, -1, {"lineType": 6, "amount": -151}), "lines"),
        (lines(150, 140, {"lineType": 5, "amount": -10}), "lines.0.amount"),
        (lines(150, 160, {"lineType": 7, "amount": 10}), "lines.0.lineType"),
        (lines(150, 160, {"lineType": 14, "amount": 10}), "lines.0.lineType"),
        (lines(150, 160, {"amount": 10}), "lines.0.transactionTypeID"),
        (lines(150, 160, {"transactionTypeID": VAT_6, "amount": 10}), "lines.0.transactionTypeID"),
        (lines(150, 160, {"lineType": 5, "amount": 10}, date="2026-03-21"), "date"),
        (lines(150, 160, {"lineType": 5, "amount": 10}, date="2026-02-30"), "date"),
        (lines(150, 160, {"lineType": 5, "amount": 1e300}), "lines.0.amount"),
        (lines(150, 150), "lines"),
    ],
)
def test_what_no_drawer_does_names_the_callers_field(
    till: Till, vendor: Vendor, drawer: str, body: Any, field: str
) -> None:
    error = vendor.error("PUT", f"{drawer}/lines", 400, json=body)
    assert field in ([error["parameters"][0]] if error["errorCode"] == 2002 else fields(error))
    assert balance(till, f"/cash-books/{drawer.rpartition('/')[2]}") == "150.00"


def test_of_two_tills_at_once_one_has_the_balance_right(till: Till, vendor: Vendor, drawer: str) -> None:
    body = lines(150, 160, {"lineType": 5, "amount": 10})
    address = f"/scrada/v1/company/{vendor.key['company_id']}{drawer}/lines"

    async def at_once() -> list[int]:
        sent = (till.http.request("PUT", address, headers=vendor.headers, json=body) for _ in range(4))
        return sorted([answer.status_code for answer in await asyncio.gather(*sent)])

    assert till.run(at_once()) == [200, 409, 409, 409]


def test_what_moved_beside_the_takings_is_one_with_them(till: Till, vendor: Vendor, drawer: str) -> None:
    cash_book = drawer.rpartition("/")[2]
    journal = f"/journal/{till.book(cash_book_id=cash_book).rpartition('/')[2]}"
    cash = next(each["id"] for each in vendor.call("GET", f"{journal}/paymentMethod").json() if each["type"] == 2)
    day: dict[str, Any] = {
        "date": "2026-03-19",
        "lines": [{"lineType": 1, "vatTypeID": VAT_6, "amount": 106}],
        "paymentMethods": [{"paymentMethodID": cash, "amount": 106}],
        "externalReference": "Z19",
    }
    moved = day | {"cashBookTransactions": [{"lineType": 6, "amount": -200, "remark": "naar bank"}]}
    answer = vendor.call("PUT", f"{journal}/lines", json=moved)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["cashBookLines"]) == 1
    assert vendor.call("PUT", f"{journal}/lines", json=moved).json() == answer.json()
    assert balance(till, f"/cash-books/{cash_book}") == "56.00"
    below = moved | {"externalReference": "Z20"}
    error = vendor.error("PUT", f"{journal}/lines", 400, json=below | {"lines": [day["lines"][0] | {"amount": 100}]})
    assert error["errorType"] == 1
    typed = day | {"externalReference": "Z21", "cashBookTransactions": [{"lineType": 9, "amount": 5}]}
    assert fields(vendor.error("PUT", f"{journal}/lines", 400, json=typed)) == ["cashBookTransactions.0.lineType"]
    assert len(till.chain(f"/receipt-books/{journal.rpartition('/')[2]}")) == 1
    alone = f"/journal/{till.book().rpartition('/')[2]}"
    assert vendor.error("PUT", f"{alone}/lines", 400, json=moved)["parameters"][0] == "paymentMethods.0.paymentMethodID"
    del moved["paymentMethods"]
    assert vendor.error("PUT", f"{alone}/lines", 400, json=moved)["parameters"][0] == "cashBookTransactions"


INVOICE: dict[str, Any] = {
    "bookYear": "2026",
    "journal": "Store1",
    "number": "133",
    "externalReference": "DB_1|7",
    "creditInvoice": False,
    "invoiceDate": "2026-03-19",
    "invoiceExpiryDate": "2026-04-18",
    "customer": {
        "code": "CUST01",
        "name": "Klant 01",
        "address": {"street": "Markt", "streetNumber": "1", "city": "Gent", "zipCode": "9000", "countryCode": "BE"},
        "vatNumber": "BE0793904121",
    },
    "totalInclVat": 200.00,
    "totalExclVat": 165.29,
    "totalVat": 34.71,
    "lines": [
        {
            "lineNumber": "1",
            "itemName": "Taart",
            "quantity": 1,
            "unitType": 1,
            "itemExclVat": 165.29,
            "vatType": 1,
            "vatPercentage": 21,
            "totalDiscountExclVat": 0,
            "totalExclVat": 165.29,
        }
    ],
    "vatTotals": [
        {"vatType": 1, "vatPercentage": 21, "totalExclVat": 165.29, "totalVat": 34.71, "totalInclVat": 200.00}
    ],
    "alreadySendToCustomer": True,
}


def test_a_sales_invoice_becomes_one_of_the_dossier(till: Till, vendor: Vendor) -> None:
    pdf: dict[str, Any] = {"filename": "bijlage.pdf", "fileType": 1, "mimeType": "application/pdf"}
    pdf["base64Data"] = base64.b64encode(b"%PDF-1.4").decode()
    given = INVOICE | {"attachments": [pdf], "paymentMethods": [{"paymentType": 9, "totalPaid": 50, "totalToPay": 150}]}
    answer = vendor.call("POST", "/salesInvoice", json=given)
    assert answer.status_code == 200, answer.text
    assert vendor.call("POST", "/salesInvoice", json=given).json() == answer.json()
    (kept,) = till.call("GET", "/sales-invoices").json()["items"]
    assert (kept["id"], kept["number"], kept["total"]) == (answer.json(), "133", "200.00")
    assert [each["name"] for each in till.call("GET", "/invoice-books").json()["items"]] == ["Store1"]
    ubl = vendor.call("GET", f"/salesInvoice/{answer.json()}/ubl")
    assert (ubl.status_code, ubl.headers["content-type"]) == (200, "application/xml")
    document = koppel_ubl.read(ubl.content)
    assert (document.number, str(document.totals.payable), document.attachments[0].content) == (
        "133",
        "150.00",
        b"%PDF-1.4",
    )
    status = vendor.call("GET", f"/salesInvoice/{answer.json()}/sendStatus").json()
    assert (status["status"], status["sendMethod"], status["externalReference"]) == ("None", "None", "DB_1|7")
    assert len(till.hand_in()) == 1


def test_a_credit_note_with_vat_in_its_prices_and_rounded_cash(till: Till, vendor: Vendor) -> None:
    line = {"itemName": "Brood", "quantity": 3, "unitType": 2, "itemInclVat": 3.54, "vatType": 1, "vatPercentage": 6}
    given = {name: INVOICE[name] for name in ("bookYear", "customer", "invoiceDate")}
    given |= {
        "journal": "",
        "number": "CN-7",
        "creditInvoice": True,
        "isInclVat": True,
        "invoiceReference": "133",
        "totalExclVat": 10.02,
        "totalVat": 0.60,
        "totalInclVat": 10.62,
        "payableRoundingAmount": -0.02,
        "lines": [line | {"totalInclVat": 10.62}],
    }
    answer = vendor.call("POST", "/salesInvoice", json=given)
    assert answer.status_code == 200, answer.text
    (kept,) = till.call("GET", "/sales-invoices").json()["items"]
    assert (kept["is_credit_note"], kept["book_id"], kept["total"]) == (True, None, "10.60")


def test_what_is_outside_the_scope_of_vat_stands_as_exempt_beside_the_rest(till: Till, vendor: Vendor) -> None:
    none = {"vatPercentage": 0, "itemExclVat": 4.5, "totalExclVat": 4.5}
    outside = [INVOICE["lines"][0] | none | {"vatType": vat_type} for vat_type in (99, 52)]
    given = INVOICE | {"lines": [INVOICE["lines"][0], *outside], "totalExclVat": 174.29, "totalInclVat": 209.0}
    notes = [
        {"vatType": 99, "vatPercentage": 0, "totalExclVat": 4.5, "totalVat": 0, "totalInclVat": 4.5, "note": "Leeggoed"}
    ]
    notes.append(notes[0] | {"vatType": 52, "note": None})
    answer = vendor.call("POST", "/salesInvoice", json=given | {"vatTotals": [*INVOICE["vatTotals"], *notes]})
    assert answer.status_code == 200, answer.text
    document = koppel_ubl.read(vendor.call("GET", f"/salesInvoice/{answer.json()}/ubl").content)
    standard, exempt = document.vat_breakdown
    assert (standard.category, exempt.category, str(exempt.taxable)) == ("S", "E", "9.00")
    assert exempt.exemption_reason == "Leeggoed; Artikel 44 Btw-Wetboek - article 44 Code TVA"


def test_a_code_is_reason_enough_and_a_note_is_one_more(till: Till, vendor: Vendor) -> None:
    margin = INVOICE["lines"][0] | {"vatType": 54, "vatPercentage": 0, "itemExclVat": 4.5, "totalExclVat": 4.5}
    totals = {"totalExclVat": 4.5, "totalVat": 0, "totalInclVat": 4.5}
    for number, note, reason in (("54-1", None, None), ("54-2", "Tweedehands", "Tweedehands")):
        notes = [totals | {"vatType": 54, "vatPercentage": 0, "note": note}]
        given = INVOICE | totals | {"number": number, "lines": [margin], "vatTotals": notes}
        answer = vendor.call("POST", "/salesInvoice", json=given)
        assert answer.status_code == 200, answer.text
        document = koppel_ubl.read(vendor.call("GET", f"/salesInvoice/{answer.json()}/ubl").content)
        (exempt,) = document.vat_breakdown
        assert (exempt.exemption_code, exempt.exemption_reason) == ("VATEX-EU-F", reason)


@pytest.mark.parametrize(
    ("price", "rate", "totals"),
    [(100.00, 21, (82.64, 17.36)), (0.14, 12, (0.13, 0.01)), (0.14, 12, (0.12, 0.02))],
)
def test_vat_within_the_price_is_what_a_till_works_out(
    till: Till, vendor: Vendor, price: float, rate: int, totals: tuple[float, float]
) -> None:
    line = {"itemName": "Taart", "quantity": 1, "itemInclVat": price, "vatType": 1, "vatPercentage": rate}
    given = {name: INVOICE[name] for name in ("bookYear", "journal", "number", "customer", "invoiceDate")}
    given |= {"isInclVat": True, "totalExclVat": totals[0], "totalVat": totals[1], "totalInclVat": price}
    answer = vendor.call("POST", "/salesInvoice", json=given | {"lines": [line]})
    assert answer.status_code == 200, answer.text
    document = koppel_ubl.read(vendor.call("GET", f"/salesInvoice/{answer.json()}/ubl").content)
    assert (document.totals.rounding, float(document.totals.with_vat or 0)) == (None, price)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"totalInclVat": 200.01}, "totalInclVat"),
        ({"totalVat": 34.70, "totalExclVat": 165.30}, "vatTotals"),
        ({"vatTotals": None, "totalVat": 34.72, "totalInclVat": 200.01}, "totalInclVat"),
        ({"lines": [INVOICE["lines"][0] | {"vatPercentage": 20}]}, "lines.0.vatPercentage"),
        ({"lines": [INVOICE["lines"][0] | {"vatType": 98}]}, "lines.0.vatType"),
        ({"lines": [INVOICE["lines"][0] | {"unitType": 9}]}, "lines.0.unitType"),
        ({"lines": [INVOICE["lines"][0] | {"itemExclVat": None}]}, "lines.0.itemExclVat"),
        ({"lines": [INVOICE["lines"][0] | {"totalExclVat": 1}]}, "lines.0.totalExclVat"),
        ({"lines": [INVOICE["lines"][0] | {"itemName": ""}]}, "lines.0.itemName"),
        ({"lines": []}, "lines"),
        ({"customer": {"name": "x", "vatNumber": "nonsense"}}, "customer.vatNumber"),
        ({"customer": {"name": {"a": []}}}, "customer.name"),
        ({"invoiceDate": "2026-02-30"}, "invoiceDate"),
        ({"number": ""}, "number"),
        (
            {"attachments": [{"filename": "a.pdf", "mimeType": "application/pdf", "base64Data": "%%%%"}]},
            "attachments.0",
        ),
    ],
)
def test_an_invoice_that_breaks_a_rule_names_the_callers_field(
    till: Till, vendor: Vendor, changes: dict[str, Any], field: str
) -> None:
    error = vendor.error("POST", "/salesInvoice", 400, json=INVOICE | changes)
    named = [error["parameters"][0]] if error["errorCode"] == 2002 else fields(error)
    assert any(each.startswith(field) for each in named), error
    assert till.call("GET", "/sales-invoices").json()["items"] == []
    assert till.call("GET", "/invoice-books").json()["items"] == []


def test_a_number_is_used_once_and_another_company_sees_nothing(till: Till, vendor: Vendor) -> None:
    made_id = vendor.call("POST", "/salesInvoice", json=INVOICE).json()
    other = INVOICE | {"bookYear": "2027", "customer": {"name": "Klant 02"}}
    assert vendor.error("POST", "/salesInvoice", 409, json=other)["errorType"] == 5
    drawer = made(till).rpartition("/")[2]
    till.dossier()
    stranger = Vendor(till)
    for path in (f"/salesInvoice/{made_id}/ubl", f"/salesInvoice/{made_id}/sendStatus", f"/cashBook/{drawer}"):
        assert stranger.error("GET", path, 404)["errorType"] == 3
        assert vendor.call("GET", path).status_code == 200
    assert stranger.error("GET", f"/salesInvoice/{new_id()}/ubl", 404)["errorType"] == 3
    assert stranger.error("PUT", f"/cashBook/{drawer}/lines", 404, json=lines(150, 160, {"lineType": 5, "amount": 10}))
