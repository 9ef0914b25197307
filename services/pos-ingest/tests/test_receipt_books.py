"""Receipt books: what is kept, what is refused, and that another firm sees none."""

import asyncio
from typing import Any

import httpx2
import pytest

from koppel_mesh.ids import new_id

from .conftest import OTHER_FIRM, Till

GENT = {"name": "Gent", "number_format": "G-{InvoiceNumber:5}"}


def test_a_book_is_kept_as_it_was_given(till: Till) -> None:
    given = {
        **GENT,
        "place_of_business": "Veldstraat 1, 9000 Gent",
        "customer_code": "DR-G",
        "customer_name": "Dagontvangsten Gent",
        "number_prefix": "SCRADA-DR-",
        "period": "week",
        "week_starts_on": 0,
        "forward": False,
        "journal": "720",
        "vat_rates": ["6", "21.00"],
    }
    made = till.call("POST", "/receipt-books", json=given).json()
    assert made | given == made | {"vat_rates": ["6", "21.00"]}
    assert (made["vat_rates"], made["key"], made["last_entry_on"]) == (["6", "21"], "B1", None)
    assert till.call("GET", f"/receipt-books/{made['id']}").json() == made
    assert till.call("GET", "/receipt-books").json() == {"items": [made], "next": None}


def test_what_is_not_said_has_a_default(till: Till) -> None:
    made = till.call("POST", "/receipt-books", json=GENT).json()
    assert (made["period"], made["week_starts_on"], made["forward"], made["number_prefix"]) == ("month", 1, True, "DR-")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number_format": "G-0001"}, "number_format"),
        ({"number_format": "G-{InvoiceNumber:99}"}, "number_format"),
        ({"number_prefix": "é"}, "number_format"),
        ({"name": ""}, "body.name"),
        ({"period": "quarter"}, "body.period"),
        ({"week_starts_on": 7}, "body.week_starts_on"),
        ({"vat_rates": ["19"]}, "body.vat_rates.0"),
        ({"vat_rates": ["a lot"]}, "body.vat_rates.0"),
        ({"vat_rates": ["sNaN"]}, "body.vat_rates.0"),
        ({"vat_rates": ["Infinity"]}, "body.vat_rates.0"),
        ({"key": "too long a key"}, "body.key"),
        ({"ends_on": "2026-02-30"}, "body.ends_on"),
        ({"colour": "red"}, "body.colour"),
    ],
)
def test_a_book_that_cannot_be_is_refused(till: Till, changes: dict[str, Any], field: str) -> None:
    answer = till.call("POST", "/receipt-books", json={**GENT, **changes})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
    assert till.call("GET", "/receipt-books").json()["items"] == []


def test_a_name_or_key_is_used_once_in_a_dossier(till: Till) -> None:
    assert till.call("POST", "/receipt-books", json=GENT | {"key": "G"}).status_code == 201
    for same in ({"name": "Gent", "key": "X"}, {"name": "Brussel", "key": "G"}):
        answer = till.call("POST", "/receipt-books", json={"number_format": "B-{InvoiceNumber:5}", **same})
        assert (answer.status_code, answer.json()["code"]) == (422, "already_used"), answer.text
    till.dossier()
    assert till.call("POST", "/receipt-books", json=GENT | {"key": "G"}).status_code == 201


def test_settings_change_and_null_takes_one_away(till: Till) -> None:
    book = till.book(journal="720", customer_code="DR")
    changed = till.call("PATCH", book, json={"period": "day", "journal": None}).json()
    assert (changed["period"], changed["journal"], changed["customer_code"]) == ("day", None, "DR")
    assert till.call("PATCH", book, json={"name": None}).status_code == 422
    assert till.call("PATCH", book, json={"key": "NEW"}).status_code == 422


def test_a_book_does_not_end_before_its_last_entry(till: Till) -> None:
    book = till.book()
    till.entered(book, "2026-03-19")
    answer = till.call("PATCH", book, json={"ends_on": "2026-03-18"})
    assert (answer.status_code, answer.json()["code"]) == (422, "before_last_entry")
    assert till.call("PATCH", book, json={"ends_on": "2026-03-19"}).status_code == 200
    assert till.enter(book, "2026-03-20").json()["code"] == "book_ended"


@pytest.mark.parametrize(
    "collides", ["G-{InvoiceNumber:5}", "g/{InvoiceNumber:4}", "G1{InvoiceNumber:5}", "{BookKey}-{InvoiceNumber}"]
)
def test_no_book_can_give_the_number_of_another(till: Till, collides: str) -> None:
    """R123: also once a number has outgrown its width, and however it is spelled."""
    assert till.call("POST", "/receipt-books", json=GENT).status_code == 201
    brussels = {"name": "Brussel", "key": "G", "number_format": collides}
    answer = till.call("POST", "/receipt-books", json=brussels)
    assert (answer.status_code, answer.json()["code"]) == (422, "number_collision"), answer.text
    assert "Gent" in answer.json()["detail"] and "DRG" in answer.json()["detail"]
    made = till.call("POST", "/receipt-books", json=brussels | {"number_format": "B-{InvoiceNumber:5}"})
    assert made.status_code == 201
    path = f"/receipt-books/{made.json()['id']}"
    assert till.call("PATCH", path, json={"number_format": collides}).json()["code"] == "number_collision"
    assert till.call("PATCH", path, json={"number_format": collides, "number_prefix": "X"}).status_code == 200
    till.dossier()
    assert till.call("POST", "/receipt-books", json=brussels).status_code == 201


def test_of_two_changes_at_once_their_sum_is_proven_too(till: Till) -> None:
    """Each alone leaves the formats apart: the one that comes second sees what the first has set."""
    assert till.call("POST", "/receipt-books", json={**GENT, "number_prefix": "X"}).status_code == 201
    other = {"name": "Brussel", "number_format": "B-{InvoiceNumber:5}", "number_prefix": "Y"}
    path = f"/receipt-books/{till.call('POST', '/receipt-books', json=other).json()['id']}"
    both = [{"number_format": GENT["number_format"]}, {"number_prefix": "X"}]

    async def at_once() -> list[httpx2.Response]:
        return await asyncio.gather(*(till.acall("PATCH", path, json=each) for each in both))

    answers = till.run(at_once())
    assert sorted(answer.status_code for answer in answers) == [200, 422], [answer.text for answer in answers]


def test_the_same_request_twice_makes_one_book(till: Till) -> None:
    headers = {"Idempotency-Key": str(new_id())}
    first, again = (till.call("POST", "/receipt-books", json=GENT, headers=headers) for _ in range(2))
    assert first.json() == again.json()
    assert len(till.call("GET", "/receipt-books").json()["items"]) == 1


def test_another_firm_sees_no_book(till: Till) -> None:
    book = till.book()
    for method, path, body in (
        ("GET", book, None),
        ("PATCH", book, {"name": "Taken over"}),
        ("GET", f"{book}/chain", None),
        ("PUT", f"{book}/days/2026-03-20", {"external_reference": "x", "lines": [{"vat_rate": "6", "amount": "1.00"}]}),
        ("GET", "/receipt-books", None),
        ("POST", "/receipt-books", GENT),
    ):
        answer = till.call(method, path, json=body, firm=OTHER_FIRM)
        assert answer.status_code == 404, f"{method} {path}: {answer.text}"
    assert till.chain(book) == []


def test_a_dossier_not_heard_of_is_asked_for(till: Till) -> None:
    till.dossier_id = new_id()
    assert till.call("POST", "/receipt-books", json=GENT).status_code == 404
    known = {"firm_id": str(OTHER_FIRM), "name": "x", "enterprise_number": "0000000196", "language": "fr"}
    till.dossier_api.dossiers[str(till.dossier_id)] = known
    assert till.call("POST", "/receipt-books", json=GENT).status_code == 404
    assert till.call("POST", "/receipt-books", json=GENT, firm=OTHER_FIRM).status_code == 201
