"""Whatever a till or a program sends, however hostile, is a 4xx that says what is wrong, and nothing of it is kept.

Bodies that are right are taken, and one value after another is replaced by what no such field can be. All of them are tried with
``KOPPEL_FUZZ`` set, some of them without.
"""

import copy
import json
import os
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from .conftest import Till
from .scrada_client import Vendor, is_scradas
from .test_cash_books import made
from .test_scrada_books import INVOICE
from .ticket_samples import ticket

TRIED = 12 * int(os.environ.get("KOPPEL_FUZZ", "1"))
"""Of each body."""
DEEP: Any = []
for _ in range(900):
    DEEP = [DEEP]
HOSTILE: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**40,
    float("nan"),
    float("inf"),
    1e308,
    "1e999999999",
    "-0.001",
    "NaN",
    "",
    "\0",
    "\ud800",
    "x" * 20_000,
    "9999-12-31",
    "0001-01-01",
    "2026-02-30",
    "2026-03-09T25:61:00Z",
    "²",
    [],
    {},
    [None],
    {"a": {"b": None}},
    DEEP,
)
RAW: tuple[bytes, ...] = (
    b"",
    b"null",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"a": 1, "a": 2}',
    b"\xff\xfe\x00",
    b"\xef\xbb\xbf{}",
    b"[1e400]",
    b'{"week_starts_on": 1e999999999, "invoiceInfo": 1e999999999, "codaFileType": 1e999999999}',
    b'{"lines": [{"lineType": 1e999999999, "vatType": 1e5000, "amount": 1e99999999999999999999}]}',
    b"9" * 5000,
    b'{"date": "2026-03-09"',
    b"{} trailing",
)
NUMBERS = {
    "quantity",
    "itemInclVat",
    "vatType",
    "vatPercentage",
    "totalInclVat",
    "itemType",
    "type",
    "amount",
    "paymentMethodType",
}
"""Of a ticket."""
LINE = {"vat_rate": "6", "amount": "106.00", "kind": "normal", "item": "sale", "description": "brood", "sales": 3}
INVOICE_LINE = {"name": "Brood", "quantity": "2", "price": "1.00", "vat_rate": "6", "discount": "0.10", "unit": "C62"}
BODIES: dict[str, tuple[str, str, Any]] = {
    "day": (
        "PUT",
        "{book}/days/2026-03-19",
        {"external_reference": "a", "lines": [LINE], "payments": [{"method": "cash", "amount": "106.00"}]},
    ),
    "receipt book": (
        "POST",
        "/receipt-books",
        {
            "name": "Winkel",
            "number_format": "W-{InvoiceNumber:5}",
            "vat_rates": ["6"],
            "week_starts_on": 1,
            "journals": {},
        },
    ),
    "changed book": ("PATCH", "{book}", {"name": "Toog", "ends_on": "2026-12-31", "journal": "700"}),
    "cash book": (
        "POST",
        "/cash-books",
        {"name": "Kas", "start_date": "2026-03-01", "start_balance": "0.00", "coda": {"period": "week"}, "till": {}},
    ),
    "cash lines": (
        "PUT",
        "{drawer}/entries",
        {
            "date": "2026-03-10",
            "start_balance": "150.00",
            "end_balance": "160.00",
            "entries": [{"kind": "CLIE", "amount": "10.00", "party": "Jan", "remark": "x", "external_reference": "b"}],
        },
    ),
    "count": ("POST", "{drawer}/counts", {"date": "2026-03-10", "counted": "1.00", "remark": "avond"}),
    "invoice": (
        "POST",
        "/sales-invoices",
        {
            "number": "F-1",
            "issue_date": "2026-03-09",
            "customer": {"name": "Klant", "vat_number": "BE0793904121", "address": {"city": "Gent"}},
            "lines": [INVOICE_LINE],
            "paid": "0.50",
            "attachments": [{"file_name": "a.pdf", "media_type": "application/pdf", "content": "JVBERi0="}],
        },
    ),
    "invoice book": ("POST", "/invoice-books", {"name": "Web", "number_format": "F{InvoiceNumber:4}", "journals": {}}),
    "registers": ("PUT", "/registers", {"items": [{"kind": "register", "name": "K1", "receipt_book_id": "{id}"}]}),
    "Z totals": (
        "PUT",
        "/registers/K1/days/2026-03-09/z-totals",
        {"number": "1", "tickets": 2, "vat_totals": [{"vat_rate": "6", "amount": "1.00"}], "payments": []},
    ),
    "close": ("POST", "{book}/close", {"through": "2026-03-19"}),
    "key": ("POST", "/scrada-keys", {"name": "Kassa"}),
}
OF_SCRADA: dict[str, tuple[str, str, Any]] = {
    "company": ("PUT", "", {"name": "Bakkerij", "city": "Gent", "invoiceInfo": 1, "vatNumber": "BE0000000196"}),
    "cash book": ("PUT", "/cashBook/{drawer}", {"name": "Kas", "codaFileType": 1, "codaGenerationPeriodType": 2}),
    "cash lines": (
        "PUT",
        "/cashBook/{drawer}/lines",
        {
            "date": "2026-03-10",
            "startBalance": 150,
            "endBalance": 160,
            "lines": [{"lineType": 5, "amount": 10, "remark": "x", "externalReference": "a"}],
        },
    ),
    "journal lines": (
        "PUT",
        "/journal/{id}/lines",
        {
            "date": "2026-03-19",
            "lines": [{"lineType": 1, "vatPerc": 6, "amount": 106, "remark": "x"}],
            "cashBookTransactions": [{"lineType": 6, "amount": -5}],
        },
    ),
    "invoice": ("POST", "/salesInvoice", INVOICE),
    "receipts": ("POST", "/pos/receipts", [ticket(receiptID="R")]),
}


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the way to every value of a body."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in inner:
        yield (*way, step)
        yield from places(below, (*way, step))


def replaced(body: Any, way: tuple[Any, ...], value: Any) -> Any:
    made_anew = copy.deepcopy(body)
    at = made_anew
    for step in way[:-1]:
        at = at[step]
    at[way[-1]] = value
    return made_anew


def hostile(body: Any) -> list[bytes]:
    """Return bodies with one hostile value each, some of them the same in each run."""
    all_of_them = [(way, value) for way in places(body) for value in HOSTILE]
    some = random.Random(7).sample(all_of_them, min(TRIED, len(all_of_them)))
    return [json.dumps(replaced(body, *each)).encode() for each in some]


@pytest.fixture
def objects(till: Till) -> dict[str, str]:
    drawer = made(till)
    book = till.book(cash_book_id=drawer.rpartition("/")[2])
    return {"book": book, "id": book.rpartition("/")[2], "drawer": drawer}


def filled(text: str, objects: dict[str, str]) -> str:
    for name, value in objects.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def check(answer: Any, sent: bytes) -> None:
    assert answer.status_code < 500, f"{answer.status_code} {answer.text[:300]} for {sent[:300]!r}"
    if answer.status_code >= 400:
        assert answer.headers["content-type"].startswith("application/problem+json"), answer.text[:300]
        body = answer.json()
        assert body["code"] and body["title"], body
        if answer.status_code == 422:
            assert body["errors"], body


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_refused_and_says_where(till: Till, objects: dict[str, str], name: str) -> None:
    method, path, body = BODIES[name]
    path, body = filled(path, objects), json.loads(filled(json.dumps(body), objects))
    headers = {"content-type": "application/json"}
    for content in (*hostile(body), *RAW):
        check(till.call(method, path, content=content, headers=headers), content)
    for media_type in ("text/plain", "application/xml", "multipart/form-data", "application/json; charset=utf-16", "x"):
        content = json.dumps(body).encode()
        check(till.call(method, path, content=content, headers={"content-type": media_type}), content)


@pytest.mark.parametrize("name", OF_SCRADA)
def test_a_hostile_body_of_scradas_is_refused_in_its_form(till: Till, objects: dict[str, str], name: str) -> None:
    vendor = Vendor(till)
    method, path, body = OF_SCRADA[name]
    path = filled(path, objects | {"drawer": objects["drawer"].rpartition("/")[2]})
    for content in (*hostile(body), *RAW):
        answer = vendor.call(method, path, content=content)
        assert answer.status_code < 500, f"{answer.status_code} {answer.text[:300]} for {content[:300]!r}"
        if answer.status_code >= 400:
            is_scradas(answer.json())


def test_hostile_tickets_are_refused_one_by_one(till: Till, objects: dict[str, str]) -> None:
    items = [{"name": "K1", "receipt_book_id": objects["id"]}]
    assert till.call("PUT", "/registers", json={"items": items}).status_code == 200
    good = ticket(receiptID="R", customer={"name": "Klant", "address": {"city": "Gent"}}, totalTip=0, note="x")
    some = hostile(good)
    answer = till.call(
        "POST",
        "/tickets",
        content=b"[" + b",".join(each for each in some if b"NaN" not in each and b"Inf" not in each) + b"]",
    )
    assert answer.status_code == 207, answer.text[:300]
    assert all(each["message"] for each in answer.json() if each["status"] == "error")
    for content in (*RAW, *(b"[%s]" % each for each in some if b"NaN" in each or b"Inf" in each)):
        check(till.call("POST", "/tickets", content=content), content)


@pytest.mark.parametrize(
    "path",
    [
        "{book}/days/2026-02-30",
        "{book}/days/9999999-01-01",
        "{book}/days/%00",
        "/receipt-books/%00",
        "/receipt-books/00000000-0000-0000-0000-00000000000g",
        "{book}/chain?after=%00",
        "{book}/chain?after=bm9uc2Vuc2U&limit=1e9",
        "{book}/periods?after=WyJ4Il0",
        "{drawer}/entries?after=WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkiXQ",
        "{drawer}/entries?limit=-1",
        "/cash-movements?after=WzFd",
        "/centralisation?from=2026-13-01&to=x&return_period=year",
        "/centralisation?from=2026-01-01&to=0001-01-01&return_period=month",
        "/registers/%00/days/2026-03-09/z-totals",
        "/sales-invoices?after=W10",
    ],
)
def test_a_hostile_address_is_refused(till: Till, objects: dict[str, str], path: str) -> None:
    for method in ("GET", "PUT", "POST", "PATCH", "DELETE"):
        answer = till.call(method, filled(path, objects), json={})
        assert answer.status_code < 500, f"{method}: {answer.status_code} {answer.text}"


def test_true_is_no_number_and_no_code(till: Till, objects: dict[str, str]) -> None:
    items = [{"name": "K1", "receipt_book_id": objects["id"]}]
    assert till.call("PUT", "/registers", json={"items": items}).status_code == 200
    good: dict[str, Any] = ticket(receiptID="R")
    ways = [way for way in places(good) if not isinstance(good.get(way[0]), str) and way[-1] in NUMBERS]
    assert {way[-1] for way in ways} == NUMBERS
    for way in ways:
        (result,) = till.call("POST", "/tickets", json=[replaced(good, way, True)]).json()
        assert result["status"] == "error" and result["field"].startswith(".".join(map(str, way))), result


KEPT: tuple[str, ...] = (
    "receipt_book",
    "entry",
    "cash_book",
    "cash_entry",
    "cash_count",
    "ticket",
    "cash_movement",
    "z_total",
    "invoice_book",
)
KEPT += (
    "external_invoice",
    "invoice_number",
    "receipt_period",
    "cash_statement",
    "hand_in",
    "scrada_company",
    "outbox",
)


def kept(till: Till) -> dict[str, int]:
    """Return how many rows each table holds."""
    return {table: till.sql(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in KEPT}


def test_of_bad_input_nothing_is_half_kept(till: Till, objects: dict[str, str]) -> None:
    items = [{"name": "K1", "receipt_book_id": objects["id"]}]
    assert till.call("PUT", "/registers", json={"items": items}).status_code == 200
    book, drawer = objects["book"], objects["drawer"]
    number_format = till.call("GET", book).json()["number_format"]
    cash = [{"method": "cash", "amount": "5.00"}]
    good = {"vat_rate": "6", "amount": "106.00"}
    before = kept(till)
    wrong: list[tuple[str, str, dict[str, Any], str]] = [
        ("PUT", f"{book}/days/2026-03-19", day(good, {"vat_rate": "20", "amount": "5.00"}), "lines.1.vat_rate"),
        ("PUT", f"{book}/days/2026-03-21", day(good), "date"),
        ("PUT", f"{book}/days/2026-03-19", day(good, payments=cash), "payments"),
        ("PUT", f"{book}/days/2026-03-19", day({**good, "amount": "NaN"}), "lines.0.amount"),
        ("PUT", f"{drawer}/entries", cash_lines("-10.00", "-160.00"), "entries"),
        ("PUT", f"{drawer}/entries", cash_lines("161.00", "10.00"), "end_balance"),
        ("POST", "/receipt-books", {"name": "x", "number_format": number_format}, "number_format"),
        ("POST", "/invoice-books", {"name": "x", "number_format": f"DR-{number_format}"}, "number_format"),
        ("POST", f"{book}/close", {"through": "2026-03-21"}, "through"),
    ]
    for method, path, body, field in wrong:
        answer = till.call(method, path, json=body)
        assert answer.status_code == 422, f"{path}: {answer.text}"
        assert field in [each.get("field", "").removeprefix("body.") for each in answer.json()["errors"]], answer.text
    tickets = [ticket(), ticket(totalInclVat=1), ticket(at="2026-03-20T13:00:00Z")]
    large = json.dumps([{**ticket(), "note": "x" * 1000} for _ in range(9_000)]).encode()
    assert len(large) > 10_000_000
    assert till.call("POST", "/tickets", content=large).status_code == 413
    assert kept(till) == before
    assert [each["status"] for each in till.call("POST", "/tickets", json=tickets).json()] == [
        "accepted",
        "error",
        "error",
    ]
    assert kept(till) == before | {"ticket": before["ticket"] + 1}


def day(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    total = sum((Decimal(each["amount"]) for each in lines), Decimal(0))
    return {"external_reference": "x", "lines": lines, "payments": [{"method": "cash", "amount": str(total)}], **more}


def cash_lines(end: str, amount: str) -> dict[str, Any]:
    line = {"kind": "CABA" if amount.startswith("-") else "BACA", "amount": amount}
    return {"date": "2026-03-10", "start_balance": "150.00", "end_balance": end, "entries": [line]}
