"""Cash books: the balance is the lock, no drawer holds less than nothing, receipts go through it, counts are confirmed (R133)."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from koppel_mesh.ids import new_id
from koppel_ubl.identifiers import is_iban
from pos_ingest.cash_books.ibans import fictitious_iban

from .conftest import OTHER_FIRM, Till


@pytest.fixture
def drawer(till: Till) -> str:
    return made(till)


def made(till: Till, /, **changes: Any) -> str:
    """Make a cash book with 150.00 in it and return its path below the dossier."""
    given = {"name": f"Kas {new_id()}", "start_date": "2026-03-01", "start_balance": "150.00", **changes}
    answer = till.call("POST", "/cash-books", json=given)
    assert answer.status_code == 201, answer.text
    return f"/cash-books/{answer.json()['id']}"


def body(start: str, end: str, *entries: dict[str, Any], date: str = "2026-03-10") -> dict[str, Any]:
    return {"date": date, "start_balance": start, "end_balance": end, "entries": list(entries)}


def line(kind: str, amount: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "amount": amount, **more}


def put(till: Till, drawer: str, *args: Any, **more: Any) -> Any:
    return till.call("PUT", f"{drawer}/entries", json=body(*args, **more))


def balance(till: Till, drawer: str) -> str:
    found: str = till.call("GET", drawer).json()["balance"]
    return found


def rules(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return [(each["field"], each["rule"]) for each in answer.json()["errors"]]


def test_a_drawer_gets_an_account_number_that_no_bank_gives(till: Till, drawer: str) -> None:
    iban = till.call("GET", drawer).json()["iban"]
    assert is_iban(iban)
    assert iban[4:7] in {"985", "986", "987", "988"}
    assert till.call("GET", made(till, iban="be68 5390 0754 7034")).json()["iban"] == "BE68539007547034"
    given = {"name": "x", "start_date": "2026-03-01", "start_balance": "0.00", "iban": "BE68539007547035"}
    assert rules(till.call("POST", "/cash-books", json=given)) == [("body.iban", "value_error")]
    again = till.call("POST", "/cash-books", json={**given, "iban": "BE68539007547034"})
    assert rules(again) == [("iban", "already_used")]
    assert fictitious_iban(new_id()) != fictitious_iban(new_id())


def test_a_change_leaves_what_it_does_not_name(till: Till) -> None:
    coda = {"period": "week", "week_starts_on": 0, "lines": "one"}
    kinds = {"cash_in": "BACA", "cash_out": "PRTA"}
    book = made(till, coda=coda, till=kinds)
    changed = till.call("PATCH", book, json={"coda": {"period": "day"}, "till": {"cash_in": None}}).json()
    assert changed["coda"] == coda | {"period": "day"}
    assert changed["till"] == kinds | {"cash_in": None}
    assert till.call("PATCH", book, json={"name": "Toog"}).json() == changed | {"name": "Toog"}


def test_lines_are_entered_with_the_message_that_packages_book_them_by(till: Till, drawer: str) -> None:
    given = (
        line("BACA", "100.00", remark="wisselgeld"),
        line("CLIE", "50.00", party="Jan Peeters", invoice_number="2026-17", remark="voorschot"),
        line("DRCA", "20.00"),
        line("PRTA", "-70.50", remark="privé"),
    )
    answer = put(till, drawer, "150.00", "249.50", *given)
    assert answer.status_code == 201
    assert [(each["message"], each["balance"]) for each in answer.json()["items"]] == [
        ("CB/BACA/wisselgeld", "250.00"),
        ("CB/CLIE/Jan Peeters/2026-17/voorschot", "300.00"),
        ("CB/DRCA/10.03.2026/", "320.00"),
        ("CB/PRTA/privé", "249.50"),
    ]
    assert answer.json()["balance"] == balance(till, drawer) == "249.50"
    listed = till.call("GET", f"{drawer}/entries?limit=3").json()
    assert [each["seq"] for each in listed["items"]] == [4, 3, 2]
    assert [e["seq"] for e in till.call("GET", f"{drawer}/entries?after={listed['next']}").json()["items"]] == [1]


def test_who_knows_another_balance_is_told_the_one_there_is(till: Till, drawer: str) -> None:
    answer = put(till, drawer, "149.99", "159.99", line("BACA", "10.00"))
    assert (answer.status_code, answer.json()["code"], answer.json()["balance"]) == (409, "balance_changed", "150.00")
    assert balance(till, drawer) == "150.00"


def test_of_many_at_once_one_enters_and_the_others_are_told(till: Till, drawer: str) -> None:
    async def all_at_once() -> list[int]:
        sent = [
            till.acall("PUT", f"{drawer}/entries", json=body("150.00", "160.00", line("BACA", "10.00")))
            for _ in range(8)
        ]
        return sorted(answer.status_code for answer in await asyncio.gather(*sent))

    assert till.run(all_at_once()) == [201, *[409] * 7]
    assert balance(till, drawer) == "160.00"


def test_the_same_references_again_change_nothing(till: Till, drawer: str) -> None:
    given = [line("BACA", "10.00", external_reference="a"), line("CABA", "-5.00", external_reference="b")]
    first = put(till, drawer, "150.00", "155.00", *given)
    again = put(till, drawer, "150.00", "155.00", *given)
    assert (again.status_code, again.json()) == (200, first.json())
    for other in (
        [line("BACA", "11.00", external_reference="a")],
        [given[0], line("BACA", "1.00", external_reference="c")],
    ):
        answer = put(till, drawer, "155.00", "166.00", *other)
        assert (answer.status_code, answer.json()["code"]) == (409, "reference_reused")
    assert balance(till, drawer) == "155.00"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("150.00", "-0.01", line("CABA", "-150.01")), ("entries", "drawer_below_zero")),
        (("150.00", "161.00", line("BACA", "10.00")), ("end_balance", "balance_wrong")),
        (("150.00", "140.00", line("BACA", "-10.00")), ("entries.0.amount", "wrong_sign")),
        (("150.00", "160.00", line("CABA", "10.00")), ("entries.0.amount", "wrong_sign")),
        (("150.00", "150.00", line("SUPP", "0.00")), ("entries.0.amount", "wrong_sign")),
        (("150.00", "160.00", line("DRIN", "10.00")), ("body.entries.0.kind", "value_error")),
        (("150.00", "160.00", line("CLIE", "10.00", party="A/B")), ("body.entries.0.party", "string_pattern_mismatch")),
    ],
)
def test_what_no_drawer_does_is_refused_by_field(
    till: Till, drawer: str, given: tuple[Any, ...], expected: tuple[str, str]
) -> None:
    assert expected in rules(put(till, drawer, *given))
    assert balance(till, drawer) == "150.00"


def test_there_is_no_way_back_and_none_into_the_future(till: Till, drawer: str) -> None:
    assert put(till, drawer, "150.00", "160.00", line("BACA", "10.00")).status_code == 201
    for date, rule in (("2026-03-09", "before_last_entry"), ("2026-03-21", "future_date")):
        assert rules(put(till, drawer, "160.00", "170.00", line("BACA", "10.00"), date=date)) == [("date", rule)]
    before_it_began = put(till, made(till), "150.00", "160.00", line("BACA", "10.00"), date="2026-02-28")
    assert rules(before_it_began) == [("date", "before_last_entry")]


def test_a_day_is_that_of_brussels(till: Till, drawer: str) -> None:
    """Summer time begins in the night of 29 March 2026: 22:30 UTC is half past midnight."""
    till.at("2026-03-29T21:59:00")
    ahead = ("150.00", "160.00", line("BACA", "10.00"))
    assert rules(put(till, drawer, *ahead, date="2026-03-30")) == [("date", "future_date")]
    till.at("2026-03-29T22:01:00")
    assert put(till, drawer, *ahead, date="2026-03-30").status_code == 201


def test_receipts_go_in_whole_and_out_again_where_they_were_not_cash(till: Till, drawer: str) -> None:
    book = till.book(cash_book_id=drawer.rpartition("/")[2])
    paid = [{"method": "cash", "amount": "6.00"}, {"method": "Bancontact", "amount": "100.00"}]
    till.entered(book, "2026-03-10", payments=paid)
    entries = till.call("GET", f"{drawer}/entries").json()["items"]
    assert [(each["kind"], each["amount"], each["message"]) for each in entries] == [
        ("DRPM", "-100.00", "DR/DRPM/10.03.2026/Bancontact"),
        ("DRIN", "106.00", "DR/DRIN/10.03.2026/cash=6/Bancontact=100"),
    ]
    assert balance(till, drawer) == "156.00"
    typed = put(till, drawer, "156.00", "166.00", line("DRCA", "10.00"))
    assert rules(typed) == [("entries.0.kind", "takings_are_linked")]
    # Monday's takings come after somebody entered a line of Wednesday: they stand on Wednesday and say of which day they are.
    assert put(till, drawer, "156.00", "146.00", line("CABA", "-10.00"), date="2026-03-18").status_code == 201
    till.entered(book, "2026-03-16", payments=[{"method": "cash", "amount": "106.00"}])
    (latest, *_) = till.call("GET", f"{drawer}/entries").json()["items"]
    assert (latest["date"], latest["message"]) == ("2026-03-18", "DR/DRIN/16.03.2026/cash=106")


def test_receipts_that_take_more_cash_than_there_is_are_not_entered(till: Till, drawer: str) -> None:
    book = till.book(cash_book_id=drawer.rpartition("/")[2])
    refund = {"item": "refund", "vat_rate": "6", "amount": "-150.01"}
    answer = till.enter(book, "2026-03-10", refund, payments=[{"method": "cash", "amount": "-150.01"}])
    assert rules(answer) == [("payments", "drawer_below_zero")]
    assert (balance(till, drawer), till.chain(book)) == ("150.00", [])


def test_a_receipt_book_is_linked_to_a_cash_book_of_its_dossier_only(till: Till, drawer: str) -> None:
    elsewhere = drawer.rpartition("/")[2]
    till.dossier()
    given = {"name": "x", "number_format": "X{InvoiceNumber:5}", "cash_book_id": elsewhere}
    assert rules(till.call("POST", "/receipt-books", json=given)) == [("cash_book_id", "unknown_cash_book")]


def test_a_difference_of_the_till_is_entered_once_a_person_confirms_it(till: Till, drawer: str) -> None:
    count = till.call(
        "POST", f"{drawer}/counts", json={"date": "2026-03-10", "counted": "147.50", "remark": "avond"}
    ).json()
    assert (count["difference"], count["state"], balance(till, drawer)) == ("-2.50", "open", "150.00")
    confirmed = till.call("POST", f"{drawer}/counts/{count['id']}/confirm").json()
    assert (confirmed["state"], confirmed["confirmed_by"], balance(till, drawer)) == ("confirmed", "tester", "147.50")
    assert till.call("POST", f"{drawer}/counts/{count['id']}/confirm").json() == confirmed
    (entry,) = till.call("GET", f"{drawer}/entries").json()["items"]
    assert (entry["kind"], entry["message"], entry["id"]) == ("DIFF", "CB/DIFF/10.03.2026/avond", confirmed["entry_id"])


def test_a_count_that_is_overtaken_is_made_again(till: Till, drawer: str) -> None:
    count = till.call("POST", f"{drawer}/counts", json={"date": "2026-03-10", "counted": "147.50"}).json()
    assert put(till, drawer, "150.00", "160.00", line("BACA", "10.00")).status_code == 201
    answer = till.call("POST", f"{drawer}/counts/{count['id']}/confirm")
    assert (answer.status_code, answer.json()["code"]) == (409, "book_moved_on")
    assert balance(till, drawer) == "160.00"


def test_another_firm_sees_nothing_of_it(till: Till, drawer: str) -> None:
    paths = [("GET", ""), ("GET", "/entries"), ("GET", "/statements"), ("GET", "/counts")]
    for method, path in paths:
        assert till.call(method, f"{drawer}{path}", firm=OTHER_FIRM).status_code == 404
    sent = till.call("PUT", f"{drawer}/entries", firm=OTHER_FIRM, json=body("150.00", "160.00", line("BACA", "10.00")))
    assert sent.status_code == 404
    assert Decimal(balance(till, drawer)) == 150
