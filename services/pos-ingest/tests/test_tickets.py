"""Tickets come in: each once, whatever the batches; what is wrong is said of its ticket alone."""

import asyncio
import json
import time
from typing import Any

import pytest

from .conftest import OTHER_FIRM, Till
from .ticket_samples import line, payment, ticket


@pytest.fixture
def book(till: Till) -> str:
    """Give a receipt book that register K1 writes to."""
    return registered(till)


def registered(till: Till, *names: str) -> str:
    """Make a book for these registers."""
    made = till.book()
    items = [{"name": name, "receipt_book_id": made.rpartition("/")[2]} for name in names or ("K1",)]
    answer = till.call("PUT", "/registers", json={"items": items})
    assert answer.status_code == 200, answer.text
    return made


def send(till: Till, *tickets: Any, **asked: Any) -> list[dict[str, Any]]:
    """Hand tickets in and return what became of each."""
    answer = till.call("POST", "/tickets", json=list(tickets), **asked)
    assert answer.status_code == 207, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def wrong(till: Till, given: dict[str, Any]) -> tuple[str, str]:
    """Return code and field of the error of a ticket, of which nothing was kept."""
    (result,) = send(till, given)
    assert result["status"] == "error" and result["message"], result
    assert till.sql("SELECT id FROM ticket WHERE dossier_id = :id", id=till.dossier_id) == []
    return result["code"], result["field"]


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        (ticket(registerID=None), "register_unnamed", "registerID"),
        (ticket(receiptID=None), "receipt_unnamed", "receiptID"),
        (ticket(line("10.00", 21, vatPercentage=20)), "unknown_rate", "lines.0.vatPercentage"),
        (ticket(line("10.00", 21, vatType=98)), "unknown_vat_type", "lines.0.vatType"),
        (ticket(line("10.00", 0, vatType=50)), "invoice_needed", "lines.0.vatType"),
        (ticket(line("10.00", 21, vatType=70)), "not_daily_receipts", "lines.0.vatType"),
        (ticket(line("10.00", 0, vatType=3, itemType=2)), "voucher_vat_type", "lines.0.vatType"),
        (ticket(line("10.00", 21, quantity=2)), "line_total_mismatch", "lines.0.totalInclVat"),
        (ticket(totalInclVat=12.11), "total_mismatch", "totalInclVat"),
        (ticket(payments=[]), "payments_mismatch", "payments"),
        (ticket(payments=[payment("12.09", 5)]), "payments_mismatch", "payments"),
        (ticket(payments=[payment("12.09")]), "cash_not_rounded", "payments"),
        (ticket(line("-10.00"), totalTip=10, payments=[]), "tip_unpaid", "totalTip"),
        (ticket(line("-10.00"), totalTip=10, payments=[payment("5.00"), payment("-5.00")]), "tip_unpaid", "totalTip"),
        (ticket(*[line("9999999.99"), line("-9999999.99")] * 6), "amounts_too_large", "lines"),
        (ticket(convertToInvoice=True), "customer_missing", "customer.name"),
        (ticket(at="2026-03-20T12:06:00Z"), "future_date", "receiptFinalizedOn"),
        (ticket(at="2026-03-19T12:00:00"), "timezone_aware", "receiptCreatedOn"),
        (ticket(at="0001-01-01T00:00:00Z"), "value_error", "receiptCreatedOn"),
        (ticket(receiptID="\x00"), "string_pattern_mismatch", "receiptID"),
        (ticket(line("10.00") | {"totalInclVat": 1e300}), "decimal_max_digits", "totalInclVat"),
        ([], "model_type", None),
    ],
)
def test_a_wrong_ticket_is_refused_with_its_field(till: Till, book: str, given: Any, code: str, field: str) -> None:
    assert wrong(till, given) == (code, field)


@pytest.mark.parametrize("number", ["1e999999999", "1e5000", "-1E+99999999999999999999", "9" * 5000, "1e-999999999"])
def test_a_number_without_end_spoils_its_ticket_alone(till: Till, book: str, number: str) -> None:
    good = json.dumps(ticket())
    places = {
        "lines.0.vatType": ("vatType", 1),
        "lines.0.unitType": ("itemType", 1),
        "lines.0.itemType": ("itemType", 1),
        "lines.0.quantity": ("quantity", 1),
        "payments.0.type": ("type", 1),
        "payments.0.paymentMethodType": ("paymentMethodType", 2),
    }
    wrong = [
        good.replace(f'"{name}": {value}', f'"{field.rpartition(".")[2]}": {number}', 1)
        for field, (name, value) in places.items()
    ]
    started = time.process_time()
    answer = till.call("POST", "/tickets", content=f"[{','.join([*wrong, good, number])}]")
    assert answer.status_code == 207 and time.process_time() - started < 5.0, answer.text[:300]
    results = answer.json()
    assert [each["field"] for each in results] == [*places, None, None]
    assert [each["status"] for each in results] == ["error"] * len(places) + ["accepted", "error"]


def test_what_says_that_it_is_something_else_than_json_is_refused(till: Till, book: str) -> None:
    content = json.dumps([ticket()])
    for media_type in ("text/plain", "application/xml", "text/csv; charset=utf-8"):
        answer = till.call("POST", "/tickets", content=content, headers={"content-type": media_type})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    # The last is what curl writes unasked.
    taken = (
        "application/json; charset=utf-8",
        "application/vnd.till+json",
        "text/json",
        "application/x-www-form-urlencoded",
    )
    for media_type in taken:
        answer = till.call("POST", "/tickets", content=content, headers={"content-type": media_type})
        assert answer.status_code == 207, answer.text
    assert till.call("POST", "/tickets", content=content).json()[0]["status"] == "duplicate"


def test_a_wrong_ticket_does_not_hold_up_its_neighbours(till: Till, book: str) -> None:
    results = send(till, ticket(), ticket(totalInclVat=1), ticket())
    assert [each["status"] for each in results] == ["accepted", "error", "accepted"]
    assert [each["sold_on"] for each in results] == ["2026-03-19", None, "2026-03-19"]


def test_a_ticket_counts_once(till: Till, book: str) -> None:
    one, other = ticket(), ticket()
    assert [each["status"] for each in send(till, one, other, one)] == ["accepted", "accepted", "duplicate"]
    assert [each["status"] for each in send(till, other, ticket())] == ["duplicate", "accepted"]
    changed = one | {"lines": [line("24.20")], "totalInclVat": 24.2, "payments": [payment("24.20")]}
    (result,) = send(till, changed)
    assert (result["status"], result["code"], result["field"]) == ("error", "receipt_conflict", "receiptID")
    assert till.sql("SELECT count(*) AS n FROM ticket WHERE dossier_id = :id", id=till.dossier_id) == [{"n": 3}]


def test_the_same_receipt_of_two_registers_is_two_tickets(till: Till) -> None:
    registered(till, "K1", "K2")
    one = ticket()
    assert [each["status"] for each in send(till, one, one | {"registerID": "K2"})] == ["accepted", "accepted"]


def test_a_register_is_known_by_its_name_or_its_location(till: Till) -> None:
    gent, brussel = till.book(), till.book()
    items = [
        {"kind": "location", "name": "Gent", "receipt_book_id": gent.rpartition("/")[2]},
        {"kind": "register", "name": "Terras", "receipt_book_id": brussel.rpartition("/")[2]},
    ]
    assert till.call("PUT", "/registers", json={"items": items}).status_code == 200
    results = send(
        till,
        ticket(locationID="Gent"),
        ticket(registerID=None, registerName="Terras", locationID="Gent"),
        ticket(registerID=None, locationName="Gent"),
    )
    books = [each["receipt_book_id"] for each in results]
    assert books == [gent.rpartition("/")[2], brussel.rpartition("/")[2], gent.rpartition("/")[2]]


def test_a_register_that_nobody_assigned_writes_to_the_only_book(till: Till) -> None:
    assert wrong(till, ticket()) == ("unknown_register", "registerID")
    only = till.book().rpartition("/")[2]
    assert [each["receipt_book_id"] for each in send(till, ticket(), ticket(registerID="K9"))] == [only, only]
    till.book()
    (result,) = send(till, ticket(registerID="K10"))
    assert (result["status"], result["code"]) == ("error", "unknown_register")


def test_a_book_that_ended_is_not_the_only_one(till: Till) -> None:
    ended, still_open = till.book(), till.book()
    assert till.call("PATCH", ended, json={"ends_on": "2026-03-18"}).status_code == 200
    results = send(till, ticket(), ticket(at="2026-03-18T18:30:00+01:00"))
    assert [each["receipt_book_id"] or each["code"] for each in results] == [
        still_open.rpartition("/")[2],
        "unknown_register",
    ]


def test_a_register_that_nobody_assigned_keeps_its_book_until_that_ends(till: Till) -> None:
    def book_of(given: dict[str, Any]) -> str:
        (result,) = send(till, given)
        return str(result["receipt_book_id"] or result["code"])

    old = till.book()
    sold = ticket(at="2026-03-17T18:30:00+01:00")
    assert book_of(sold) == old.rpartition("/")[2]
    new = till.book()
    assert till.call("PATCH", old, json={"ends_on": "2026-03-18"}).status_code == 200
    assert book_of(ticket(at="2026-03-18T18:30:00+01:00")) == old.rpartition("/")[2]
    assert book_of(ticket()) == new.rpartition("/")[2]
    assert book_of(ticket(at="2026-03-18T19:30:00+01:00")) == old.rpartition("/")[2], "a late one, of the day before"
    assert book_of(ticket(at="2026-03-16T18:30:00+01:00")) == old.rpartition("/")[2], "of before its first"
    assert book_of(ticket(at="2026-03-18T18:30:00+01:00", register="K9")) == "unknown_register"
    till.book()
    assert book_of(ticket()) == new.rpartition("/")[2]


def test_a_ticket_that_came_before_is_a_duplicate_whatever_became_of_its_register(till: Till) -> None:
    first = till.book()
    sold = ticket()
    assert send(till, sold)[0]["status"] == "accepted"
    other = till.book().rpartition("/")[2]
    for items in ([], [{"name": "K1", "receipt_book_id": other}]):
        assert till.call("PUT", "/registers", json={"items": items}).status_code == 200
        (result,) = send(till, sold)
        assert (result["status"], result["receipt_book_id"]) == ("duplicate", first.rpartition("/")[2])
    assert till.call("PATCH", first, json={"ends_on": "2026-03-18"}).status_code == 200
    assert send(till, sold)[0]["status"] == "duplicate"


def test_a_register_that_nobody_assigned_writes_to_the_book_of_its_place(till: Till) -> None:
    gent, brussel = till.book(name="Gent"), till.book(place_of_business="Markt 1, Brussel")
    results = send(
        till,
        ticket(locationName="Gent"),
        ticket(locationName="Markt 1, Brussel"),
        ticket(locationName="Antwerpen"),
    )
    books = [each["receipt_book_id"] or each["code"] for each in results]
    assert books == [gent.rpartition("/")[2], brussel.rpartition("/")[2], "unknown_register"]


def test_fifty_of_the_same_batch_at_once_have_one_effect(till: Till, book: str) -> None:
    batch = [ticket() for _ in range(15)]

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(
            *(till.acall("POST", "/tickets", json=batch[turn:] + batch[:turn]) for turn in range(50))
        )

    answers = till.run(all_at_once())
    assert {answer.status_code for answer in answers} == {207}
    statuses = [each["status"] for answer in answers for each in answer.json()]
    assert (statuses.count("accepted"), statuses.count("duplicate")) == (15, 49 * 15)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"receiptID": "1"}', "array_expected"),
        (b"", "array_expected"),
        (b"nonsense", "array_expected"),
        (b"[%s, {]", "malformed_json"),
        (b"[%s", "malformed_json"),
        (b"[%s]]", "malformed_json"),
        (b'[%s, "\xff"]', "malformed_json"),
    ],
)
def test_of_what_is_no_array_nothing_is_kept(till: Till, book: str, body: bytes, code: str) -> None:
    content = body.replace(b"%s", b", ".join(json.dumps(ticket()).encode() for _ in range(300)))
    answer = till.call("POST", "/tickets", content=content)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert till.sql("SELECT id FROM ticket WHERE dossier_id = :id", id=till.dossier_id) == []


def test_more_than_five_thousand_are_refused(till: Till, book: str) -> None:
    answer = till.call("POST", "/tickets", content=b"[" + b",".join([b"0"] * 5001) + b"]")
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_tickets")


def test_ten_megabytes_are_too_large(till: Till, book: str) -> None:
    answer = till.call("POST", "/tickets", content=b"[" + b" " * 10_000_000 + b"]")
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_another_firm_reaches_nothing(till: Till, book: str) -> None:
    day = "/registers/K1/days/2026-03-19/z-totals"
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/tickets", [ticket()]),
        ("PUT", "/registers", {"items": []}),
        ("GET", "/registers", None),
        ("POST", f"{book}/days/2026-03-19/finish", None),
        ("PUT", day, {"vat_totals": []}),
        ("GET", day, None),
        ("POST", f"{day}/accept", {"reason": "x"}),
        ("GET", "/ticket-problems", None),
    ]
    for method, path, body in calls:
        answer = till.call(method, path, json=body, firm=OTHER_FIRM)
        assert answer.status_code == 404, f"{method} {path}: {answer.text}"


def test_a_register_writes_to_a_book_of_its_own_dossier(till: Till, book: str) -> None:
    till.dossier()
    items = [{"name": "K1", "receipt_book_id": book.rpartition("/")[2]}]
    answer = till.call("PUT", "/registers", json={"items": items})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_book")
