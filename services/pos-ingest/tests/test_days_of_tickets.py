"""What tickets put in the book: the day's entry, the same in any order; late ones and later invoices as corrections."""

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pos_ingest.tickets import finishing

from .conftest import Till
from .test_tickets import registered, send
from .ticket_samples import line, payment, ticket


def finish(till: Till, book: str, on: str = "2026-03-19") -> dict[str, Any]:
    answer = till.call("POST", f"{book}/days/{on}/finish")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def contents(till: Till, book: str) -> list[dict[str, Any]]:
    """Return the entries of a book without what is made anew each time."""
    return [
        {
            "date": entry["date"],
            "lines": [
                {name: value for name, value in each.items() if name != "id"} for each in entry["content"]["lines"]
            ],
            "payments": entry["content"]["payments"],
        }
        for entry in till.chain(book)
    ]


def lines_of(till: Till, book: str) -> list[tuple[str, str, str, str, str]]:
    """Return date, kind, category, rate and amount of every line of a book."""
    names = ("kind", "vat_category", "vat_rate", "amount")
    return [(each["date"], *(one[name] for name in names)) for each in contents(till, book) for one in each["lines"]]


AMOUNTS = st.integers(min_value=5, max_value=40_000).map(lambda cents: f"{Decimal(cents) / 100:.2f}")
LINES = st.builds(line, AMOUNTS, st.sampled_from([6, 12, 21, 0]))
METHODS = st.sampled_from([2, 5, 6, 7])


@st.composite
def tickets_of_a_day(draw: Any) -> list[dict[str, Any]]:
    made = []
    for number in range(draw(st.integers(1, 12))):
        given_lines = draw(st.lists(LINES, min_size=1, max_size=4))
        total = sum((Decimal(str(each["totalInclVat"])) for each in given_lines), Decimal(0))
        tip = draw(st.sampled_from([Decimal(0), Decimal("1.50")]))
        paid = [payment(str(total + tip), draw(METHODS))]
        made.append(ticket(*given_lines, receiptID=f"H{number}", totalTip=float(tip), payments=paid))
    return made


@given(tickets=tickets_of_a_day(), seed=st.integers(0, 2**32))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_repetition_and_split_gives_the_same_day(till: Till, tickets: list[Any], seed: int) -> None:
    draw = random.Random(seed)
    till.dossier()
    plain, mixed = registered(till), ""
    send(till, *tickets)
    finish(till, plain)
    expected = contents(till, plain)
    till.dossier()
    mixed = registered(till)
    again = tickets + draw.choices(tickets, k=len(tickets))
    draw.shuffle(again)
    while again:
        cut = draw.randint(1, len(again))
        send(till, *again[:cut])
        again = again[cut:]
    finish(till, mixed)
    assert contents(till, mixed) == expected
    taken = sum((Decimal(each["amount"]) for entry in expected for each in entry["lines"]), Decimal(0))
    handed_in = sum(
        (Decimal(str(each["totalInclVat"])) + Decimal(str(each["totalTip"])) for each in tickets), Decimal(0)
    )
    assert taken == handed_in


def test_a_day_is_totals_by_rate_and_payments_by_method(till: Till) -> None:
    book = registered(till, "K1", "K2")
    send(
        till,
        ticket(line("12.10"), line("10.60", 6)),
        ticket(line("24.20"), register="K2", payments=[payment("24.20", 5)]),
        ticket(line("-12.10", quantity=-1, itemInclVat=12.1)),
        ticket(line("25.00", 0, vatType=99, itemType=2, itemName="Cadeaubon")),
        ticket(line("50.00"), payments=[payment("30.00", 7), payment("20.00")]),
        ticket(line("302.50", itemName="Taart"), line("0.01", 6), totalTip=2, payments=[payment("304.50")]),
    )
    finish(till, book)
    lines = contents(till, book)[0]["lines"]
    assert [(each["kind"], each["item"], each["vat_category"], each["vat_rate"], each["amount"]) for each in lines] == [
        ("normal", "cash_rounding", "O", "0", "-0.01"),
        ("normal", "multi_purpose_voucher", "O", "0", "25.00"),
        ("normal", "tip", "O", "0", "2.00"),
        ("normal", "sale", "S", "6", "10.60"),
        ("normal", "refund", "S", "21", "-12.10"),
        ("normal", "sale", "S", "21", "86.30"),
        ("single", "sale", "S", "6", "0.01"),
        ("single", "sale", "S", "21", "302.50"),
    ]
    paid = {each["method"]: each["amount"] for each in contents(till, book)[0]["payments"]}
    assert paid == {"Bancontact": "24.20", "cash": "360.10", "gift_card": "30.00"}
    assert all("Taart" in each["description"] for each in lines if each["kind"] == "single")


def payments_of(till: Till, book: str) -> list[list[tuple[str, str]]]:
    """Return the payments of every entry of a book."""
    return [[(each["method"], each["amount"]) for each in entry["payments"] or ()] for entry in contents(till, book)]


WRONG_METHOD = [payment("-40.00"), payment("40.00", 5)]
"""What was paid by card was rung up as cash."""


def test_a_wrong_method_of_payment_is_put_right_by_a_ticket_of_nothing(till: Till) -> None:
    book = registered(till)
    send(till, ticket(line("100.00")), ticket(totalInclVat=0, lines=[], payments=WRONG_METHOD))
    finish(till, book)
    assert lines_of(till, book) == [("2026-03-19", "normal", "S", "21", "100.00")]
    assert payments_of(till, book) == [[("Bancontact", "40.00"), ("cash", "60.00")]]


def test_methods_alone_have_a_line_of_nothing(till: Till) -> None:
    book = registered(till)
    send(till, ticket(totalInclVat=0, lines=[], payments=WRONG_METHOD))
    finish(till, book)
    send(till, ticket(totalInclVat=0, lines=[], payments=WRONG_METHOD))
    finish(till, book)
    assert lines_of(till, book) == [
        ("2026-03-19", "normal", "O", "0", "0.00"),
        ("2026-03-19", "correction", "O", "0", "0.00"),
    ]
    assert payments_of(till, book) == [[("Bancontact", "40.00"), ("cash", "-40.00")]] * 2
    till.close(book, "2026-03-19")
    assert [period["number"] for period in till.periods(book)] == [None], "nothing was taken"


def test_cash_that_was_all_given_back_leaves_what_it_was_rounded_by(till: Till) -> None:
    book = registered(till)
    send(
        till,
        ticket(line("10.02"), payments=[payment("10.00")]),
        ticket(line("-10.00", quantity=-1, itemInclVat=10), payments=[payment("-10.00")]),
    )
    finish(till, book)
    assert lines_of(till, book) == [
        ("2026-03-19", "normal", "O", "0", "-0.02"),
        ("2026-03-19", "normal", "S", "21", "-10.00"),
        ("2026-03-19", "normal", "S", "21", "10.02"),
    ]
    assert payments_of(till, book) == [[]]
    assert till.close(book, "2026-03-19")


def test_a_finished_day_is_finished_once(till: Till) -> None:
    book = registered(till)
    send(till, ticket(), ticket())
    assert finish(till, book)["tickets"] == 2
    assert finish(till, book) == {"tickets": 0, "entries": []}
    assert lines_of(till, book) == [("2026-03-19", "normal", "S", "21", "24.20")]


def test_a_till_that_was_away_for_three_days_is_corrected_on_the_open_day(till: Till) -> None:
    book = registered(till, "K1", "K2")
    for day in (17, 18, 19):
        send(till, ticket(at=f"2026-03-{day}T10:00:00+01:00"))
        finish(till, book, f"2026-03-{day}")
    late = [ticket(line("10.60", 6), at=f"2026-03-{day}T20:00:00+01:00", register="K2") for day in (19, 17, 18)]
    send(till, ticket(at="2026-03-20T10:00:00+01:00"), *late)
    finish(till, book, "2026-03-20")
    corrections = [
        (each["date"], one["corrects_date"], one["amount"])
        for each in contents(till, book)
        for one in each["lines"]
        if one["kind"] == "correction" and "K2" in one["description"]
    ]
    assert corrections == [("2026-03-20", f"2026-03-{day}", "10.60") for day in (17, 18, 19)]
    assert lines_of(till, book)[3] == ("2026-03-20", "normal", "S", "21", "12.10")


def test_days_that_were_not_finished_are_entered_as_themselves(till: Till) -> None:
    book = registered(till)
    send(till, *(ticket(at=f"2026-03-{day}T10:00:00+01:00") for day in (19, 16, 18)))
    finish(till, book, "2026-03-20")
    assert [(each[0], each[1]) for each in lines_of(till, book)] == [
        ("2026-03-16", "normal"),
        ("2026-03-17", "closed"),
        ("2026-03-18", "normal"),
        ("2026-03-19", "normal"),
    ]


CUSTOMER = {"name": "Bakker NV", "vatNumber": "BE0831797467"}
SOLD = (line("106.00", 6), line("242.00", 21))


def test_a_ticket_that_becomes_an_invoice_the_same_day_does_not_count(till: Till) -> None:
    book = registered(till)
    send(till, ticket(), ticket(*SOLD, convertToInvoice=True, customer=CUSTOMER))
    finish(till, book)
    assert lines_of(till, book) == [("2026-03-19", "normal", "S", "21", "12.10")]
    assert till.sql("SELECT state FROM ticket_invoice") != []


@pytest.mark.parametrize("again_first", [False, True])
def test_a_ticket_that_becomes_an_invoice_later_leaves_the_takings(till: Till, again_first: bool) -> None:
    book = registered(till)
    plain = ticket(*SOLD, totalTip=2, payments=[payment("350.00", 5)])
    asks = plain | {"convertToInvoice": True, "customer": CUSTOMER}
    send(till, plain)
    finish(till, book)
    order = (plain, asks) if again_first else (asks, plain)
    assert sorted(send(till, each)[0]["status"] for each in order) == ["converted", "duplicate"]
    finish(till, book, "2026-03-20")
    corrections = [each for each in contents(till, book) if each["lines"][0]["kind"] == "correction"]
    assert [(each["vat_rate"], each["amount"], each["corrects_date"]) for each in corrections[0]["lines"]] == [
        ("6", "-106.00", "2026-03-19"),
        ("21", "-242.00", "2026-03-19"),
    ]
    assert corrections[0]["payments"] == [{"method": "Bancontact", "amount": "-348.00"}]
    totals = till.chain(book)[-1]["running_totals"]
    assert {key: amount for key, amount in totals.items() if amount != "0.00"} == {"O": "2.00"}
    assert finish(till, book, "2026-03-20")["tickets"] == 0


def test_a_correction_names_the_invoice_that_a_ticket_became(till: Till) -> None:
    book = registered(till)
    sold = ticket(*SOLD)
    send(till, sold)
    finish(till, book)
    send(till, sold | {"convertToInvoice": True, "customer": CUSTOMER})
    till.loop("ticket invoices")
    finish(till, book, "2026-03-20")
    (invoice,) = till.call("GET", "/sales-invoices").json()["items"]
    assert [each.get("invoice_number") for each in contents(till, book)[-1]["lines"]] == [invoice["number"]] * 2


def test_the_day_of_a_ticket_is_that_of_brussels_when_clocks_change(till: Till) -> None:
    till.at("2026-03-30T12:00:00")
    book = registered(till)
    times = ("2026-03-28T23:30:00Z", "2026-03-29T00:59:00Z", "2026-03-29T01:01:00Z", "2026-03-29T21:59:00Z")
    results = send(
        till, ticket(at="2026-03-28T22:59:00Z"), *(ticket(at=at) for at in times), ticket(at="2026-03-29T22:00:00Z")
    )
    assert [each["sold_on"][-2:] for each in results] == ["28", "29", "29", "29", "29", "30"]
    finish(till, book, "2026-03-29")
    assert [(each[0], each[4]) for each in lines_of(till, book)] == [("2026-03-28", "12.10"), ("2026-03-29", "48.40")]


def test_a_day_is_entered_by_itself_after_midnight(till: Till) -> None:
    book = registered(till)
    send(till, ticket(at="2026-03-20T11:00:00Z"))
    for moment, entries in (("2026-03-20T23:30:00", 0), ("2026-03-21T00:30:00", 1)):
        till.at(moment)
        while till.run(finishing.finish_due_day(till.context)):
            pass
        assert len(till.chain(book)) == entries


def test_what_the_book_refuses_is_a_problem_until_it_is_changed(till: Till) -> None:
    book = registered(till)
    send(till, ticket())
    assert till.call("PATCH", book, json={"ends_on": "2026-03-18"}).status_code == 200
    till.at("2026-03-21T12:00:00")
    while till.run(finishing.finish_due_day(till.context)):
        pass
    (problem,) = till.call("GET", "/ticket-problems").json()["items"]
    assert (problem["code"], problem["detail"]) == ("tickets_not_entered", "book_ended")
    assert all(problem["message"][language] for language in ("nl", "fr", "en"))
    assert till.call("PATCH", book, json={"ends_on": None}).status_code == 200
    finish(till, book)
    assert till.call("GET", "/ticket-problems").json()["items"] == []


def test_a_close_by_hand_enters_the_tickets_first(till: Till) -> None:
    book = registered(till)
    send(till, ticket(), ticket(at="2026-03-18T10:00:00+01:00"))
    (period,) = till.close(book, "2026-03-19")["periods"]
    assert period["total"] == "24.20"
    assert lines_of(till, book) == [(f"2026-03-{day}", "normal", "S", "21", "12.10") for day in (18, 19)]


def test_tickets_of_a_closed_period_are_corrections_on_the_day_after(till: Till) -> None:
    book = registered(till)
    send(till, ticket(at="2026-03-18T10:00:00+01:00"))
    till.close(book, "2026-03-19")
    send(till, ticket(line("10.60", 6)))
    finish(till, book)
    assert lines_of(till, book)[-1] == ("2026-03-20", "correction", "S", "6", "10.60")
    assert contents(till, book)[-1]["lines"][0]["corrects_date"] == "2026-03-19"


def test_tickets_of_a_day_that_was_closed_wait_for_the_next(till: Till) -> None:
    book = registered(till)
    send(till, ticket(at="2026-03-20T10:00:00+01:00"))
    till.close(book, "2026-03-20")
    send(till, ticket(line("10.60", 6), at="2026-03-20T11:00:00+01:00"))
    assert till.close(book, "2026-03-20")["periods"] == []
    till.at("2026-03-21T00:59:00")
    till.loop("finish days")
    assert lines_of(till, book)[1:] == [("2026-03-21", "correction", "S", "6", "10.60")]


def test_the_night_closes_no_period_whose_tickets_are_not_entered_yet(till: Till) -> None:
    book = registered(till)
    assert till.call("PATCH", book, json={"period": "day"}).status_code == 200
    send(till, ticket(at="2026-03-17T10:00:00+01:00"))
    finish(till, book, "2026-03-17")
    send(till, ticket(at="2026-03-18T10:00:00+01:00"), ticket())
    till.loop("close receipts")
    assert till.periods(book) == []
    till.loop("finish days")
    till.loop("close receipts")
    assert [each["total"] for each in till.periods(book)] == ["12.10", "12.10", "12.10"]


def test_a_day_of_more_tickets_than_are_in_memory_at_a_time_is_one_entry(till: Till) -> None:
    book = registered(till)
    large = ticket(line("302.50", itemName="Taart"))
    assert len(send(till, large, *(ticket(line("0.05")) for _ in range(600)))) == 601
    assert finish(till, book)["tickets"] == 601
    assert [each[1:] for each in lines_of(till, book)] == [
        ("normal", "S", "21", "30.00"),
        ("single", "S", "21", "302.50"),
    ]
    (normal, _) = contents(till, book)[0]["lines"]
    assert (normal["sales"], normal["largest_sale"]) == (600, "0.05")


def test_large_tickets_of_many_rates_fill_as_many_entries_as_they_need(till: Till) -> None:
    book = registered(till)
    of_five = [line("300.00", rate) for rate in (6, 12, 21, 0)] + [line("300.00", 0, vatType=3)]
    send(till, *(ticket(*of_five) for _ in range(250)))
    finish(till, book)
    entries = contents(till, book)
    assert [len(each["lines"]) for each in entries] == [995, 255]
    assert sum(Decimal(one["amount"]) for each in entries for one in each["payments"]) == 375_000


def test_sums_of_more_digits_than_a_line_has_are_several_entries(till: Till) -> None:
    book = registered(till)
    vouchers = line("9999999.99", 0, vatType=99, itemType=2)
    send(till, *(ticket(one) for one in [vouchers, line("9999999.99")] for _ in range(101)))
    finish(till, book)
    entries = contents(till, book)
    taken = [sum(Decimal(one["amount"]) for one in each["lines"]) for each in entries]
    assert (len(entries), sum(taken)) == (3, 202 * Decimal("9999999.99"))
    assert [Decimal(one["amount"]) for each in entries for one in each["payments"]] == taken
