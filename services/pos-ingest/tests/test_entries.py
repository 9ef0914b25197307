"""A day's takings: what is entered, what is refused by which rule, and what a repeated request does."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from koppel_mesh.ids import new_id

from .conftest import Till

TODAY, YESTERDAY, TOMORROW = "2026-03-20", "2026-03-19", "2026-03-21"


def normal(amount: str, rate: str = "21", **more: Any) -> dict[str, Any]:
    return {"vat_rate": rate, "amount": amount, **more}


def outside(amount: str, item: str, **more: Any) -> dict[str, Any]:
    return {"vat_category": "O", "item": item, "amount": amount, **more}


def paid(**methods: str) -> list[dict[str, str]]:
    return [{"method": method, "amount": amount} for method, amount in methods.items()]


def test_a_day_is_entered_with_its_place_in_the_chain(till: Till) -> None:
    book = till.book()
    lines = [
        normal("106.00", "6"),
        normal("242.00"),
        {"kind": "single", "vat_rate": "21", "amount": "500.00", "description": "espresso machine"},
    ]
    (entry,) = till.entered(book, TODAY, *lines, payments=paid(cash="348.00", Bancontact="500.00"))
    assert (entry["seq"], entry["date"], entry["previous_hash"]) == (1, TODAY, "0" * 64)
    assert entry["running_totals"] == {"S:21": "742.00", "S:6": "106.00"}
    assert [line["kind"] for line in entry["content"]["lines"]] == ["normal", "normal", "single"]
    assert entry["content"]["payments"] == paid(cash="348.00", Bancontact="500.00")
    (after,) = till.entered(book, TODAY, normal("-42.00", item="refund"))
    assert (after["seq"], after["previous_hash"]) == (2, entry["hash"])
    assert after["running_totals"] == {"S:21": "700.00", "S:6": "106.00"}
    assert till.call("GET", book).json()["last_entry_on"] == TODAY


def test_what_is_outside_the_vat_base_is_received_and_no_takings(till: Till) -> None:
    book = till.book()
    lines = [
        normal("12.00", "12"),
        normal("100.00", item="single_purpose_voucher"),
        normal("50.00", item="down_payment"),
        outside("2.50", "tip"),
        outside("25.00", "gift_card"),
        outside("30.00", "multi_purpose_voucher"),
        outside("4.50", "returnable_packaging"),
        outside("-0.10", "returnable_packaging"),
        outside("-0.02", "cash_rounding"),
    ]
    (entry,) = till.entered(book, TODAY, *lines, payments=paid(cash="211.85", gift_card="12.03"))
    assert entry["running_totals"] == {"O": "61.88", "S:12": "12.00", "S:21": "150.00"}


def test_more_given_back_than_sold_is_a_refund(till: Till) -> None:
    book = till.book()
    returned = normal("-300.00", "6", kind="single", description="Ham terug")
    (entry,) = till.entered(book, TODAY, normal("-1.00"), returned, normal("10.00", "12"))
    assert [line["item"] for line in entry["content"]["lines"]] == ["refund", "refund", "sale"]


REFUSED: list[tuple[str, str, list[dict[str, Any]], dict[str, Any]]] = [
    ("unknown_rate", "lines.0.vat_rate", [normal("1.00", "19")], {}),
    ("unknown_rate", "lines.0.vat_rate", [normal("1.00", "0")], {}),
    ("unknown_rate", "lines.0.vat_rate", [normal("1.00", "21", vat_category="E")], {}),
    ("needs_invoice", "lines.0.vat_category", [normal("1.00", "0", vat_category="K")], {}),
    ("single_above_250", "lines.1.kind", [normal("1.00"), normal("300.00", sales=1)], {}),
    ("single_above_250", "lines.0.kind", [normal("900.00", largest_sale="250.01")], {}),
    ("description_needed", "lines.0.description", [normal("300.00", kind="single")], {}),
    ("single_is_one", "lines.0.sales", [normal("600.00", kind="single", description="two", sales=2)], {}),
    ("negative_takings", "lines.0.amount", [normal("-1.00", item="sale")], {}),
    ("refund_is_negative", "lines.0.amount", [normal("1.00", item="refund")], {}),
    ("outside_vat_base", "lines.0.vat_category", [normal("25.00", item="gift_card")], {}),
    ("outside_vat_base", "lines.0.vat_category", [normal("1.00", item="tip")], {}),
    ("taxed_at_payment", "lines.0.vat_category", [outside("25.00", "single_purpose_voucher")], {}),
    ("corrects_date_needed", "lines.0.corrects_date", [normal("1.00", kind="correction", description="why")], {}),
    ("only_corrections", "lines.0.corrects_date", [normal("1.00", corrects_date=YESTERDAY)], {}),
    ("closed_day_has_takings", "lines.0.amount", [{"kind": "closed", "amount": "1.00"}], {}),
    ("closed_day_alone", "lines", [{"kind": "closed", "amount": "0.00"}, normal("1.00")], {}),
    ("payments_differ", "payments", [normal("10.00")], {"payments": paid(cash="9.99")}),
    ("payments_differ", "payments", [normal("10.00")], {"payments": []}),
    ("method_twice", "payments", [normal("2.00")], {"payments": [*paid(cash="1.00"), *paid(cash="1.00")]}),
    ("taxed_when_sold", "payments", [normal("9.00")], {"payments": paid(single_purpose_voucher="9.00")}),
    (
        "cash_not_rounded",
        "payments",
        [normal("9.98"), outside("0.01", "cash_rounding")],
        {"payments": paid(cash="9.99")},
    ),
    (
        "cash_not_rounded",
        "payments",
        [normal("9.98"), outside("0.02", "cash_rounding")],
        {"payments": paid(card="10.00")},
    ),
]


@pytest.mark.parametrize(("rule", "field", "lines", "changes"), REFUSED)
def test_a_rule_that_is_broken_is_named_with_its_field(
    till: Till, rule: str, field: str, lines: list[dict[str, Any]], changes: dict[str, Any]
) -> None:
    book = till.book()
    answer = till.enter(book, TODAY, *lines, **changes)
    assert answer.status_code == 422, answer.text
    assert {"field": field, "rule": rule} in [
        {"field": each["field"], "rule": each["rule"]} for each in answer.json()["errors"]
    ]
    assert answer.headers["content-type"] == "application/problem+json"
    assert till.chain(book) == []


@pytest.mark.parametrize(
    "body",
    [
        {"lines": [normal("1.00")]},
        {"external_reference": "x", "lines": []},
        {"external_reference": "x", "lines": [normal("1.001")]},
        {"external_reference": "x", "lines": [{"vat_rate": "21", "amount": 1.5}]},
        {"external_reference": "x", "lines": [normal("NaN")]},
        {"external_reference": "x", "lines": [normal("1e9999999")]},
        {"external_reference": "x", "lines": [normal("99999999999.00")]},
        {"external_reference": "x", "lines": [normal("1.00", description="a\x00b")]},
        {"external_reference": "x", "lines": [normal("1.00")], "payments": [{"method": "a/b", "amount": "1.00"}]},
        {"external_reference": "x", "lines": [normal("1.00", kind="edit")]},
        {"external_reference": "x", "lines": [normal("1.00")] * 1001},
        {"external_reference": "\ud800", "lines": [normal("1.00")]},  # half of a pair: no text
    ],
)
def test_a_body_of_another_shape_is_refused(till: Till, body: dict[str, Any]) -> None:
    book = till.book()
    headers = {"content-type": "application/json"}
    answer = till.call("PUT", f"{book}/days/{TODAY}", content=json.dumps(body), headers=headers)
    assert answer.status_code == 422, answer.text
    assert till.chain(book) == []


@pytest.mark.parametrize("on", ["2026-02-30", "yesterday", "1773964800", "20260320"])
def test_a_day_that_is_none_is_refused(till: Till, on: str) -> None:
    assert till.enter(till.book(), on).status_code == 422


def test_days_go_forward_only(till: Till) -> None:
    book = till.book()
    assert till.enter(book, TOMORROW).json()["code"] == "future_date"
    till.entered(book, YESTERDAY)
    assert till.enter(book, "2026-03-18").json()["code"] == "before_last_entry"
    till.entered(book, TODAY)
    assert till.enter(book, YESTERDAY).json()["code"] == "before_last_entry"
    assert [entry["date"] for entry in till.chain(book)] == [YESTERDAY, TODAY]


def test_the_day_is_that_of_brussels(till: Till) -> None:
    book = till.book()
    till.at("2026-03-20T22:59:00")
    assert till.enter(book, TOMORROW).json()["code"] == "future_date"
    till.at("2026-03-20T23:00:00")
    till.entered(book, TOMORROW)
    summer = till.book()
    till.at("2026-06-20T21:59:00")
    assert till.enter(summer, "2026-06-21").json()["code"] == "future_date"
    till.at("2026-06-20T22:00:00")
    till.entered(summer, "2026-06-21")


def test_days_left_out_are_entered_as_closed(till: Till) -> None:
    book = till.book()
    till.entered(book, "2026-03-16")
    entries = till.entered(book, TODAY)
    assert [entry["date"] for entry in entries] == ["2026-03-17", "2026-03-18", YESTERDAY, TODAY]
    assert [entry["content"]["lines"][0]["kind"] for entry in entries] == ["closed"] * 3 + ["normal"]
    till.at("2028-03-20T12:00:00")
    assert till.enter(book, "2028-03-20").json()["code"] == "too_many_days"


def test_a_correction_is_a_line_of_a_later_day(till: Till) -> None:
    book = till.book()
    till.entered(book, YESTERDAY, normal("106.00", "6"), normal("242.00"))
    reason = {"kind": "correction", "corrects_date": YESTERDAY, "description": "invoiced", "invoice_number": "F-12"}
    lines = [normal("-106.00", "6", **reason), normal("-242.00", **reason)]
    (entry,) = till.entered(book, TODAY, *lines, payments=paid(cash="-348.00"))
    assert entry["running_totals"] == {}
    wrong_method = normal("0.00", **{**reason, "description": "was paid by card"})
    till.entered(book, TODAY, wrong_method, payments=paid(cash="-10.00", Bancontact="10.00"))
    for day in ("2026-03-18", TOMORROW):
        answer = till.enter(book, TODAY, normal("-1.00", **{**reason, "corrects_date": day}))
        assert answer.json()["code"] == "day_not_in_book"
    assert (
        till.enter(book, TODAY, normal("-1.00", kind="correction", corrects_date=TODAY)).json()["code"]
        == "reason_needed"
    )


def test_a_book_takes_the_rates_that_it_names(till: Till) -> None:
    book = till.book(vat_rates=["6"])
    till.entered(book, TODAY, normal("106.00", "6"), outside("25.00", "gift_card"))
    assert till.enter(book, TODAY, normal("1.00", "21")).json()["code"] == "rate_not_in_book"


def test_the_same_reference_is_entered_once(till: Till) -> None:
    book = till.book()
    said = {"external_reference": "Z-17", "payments": paid(cash="10.00")}
    first = till.enter(book, TODAY, normal("10.00"), **said)
    again = till.enter(book, TODAY, normal("10.0"), **said)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    for on, amount in ((TODAY, "11.00"), (YESTERDAY, "10.00")):
        other = till.enter(book, on, normal(amount), external_reference="Z-17", payments=paid(cash=amount))
        assert (other.status_code, other.json()["code"]) == (409, "reference_reused")
    till.at("2026-03-25T12:00:00")
    later = {"external_reference": "Z-18", "payments": paid(cash="10.00")}
    entries = till.enter(book, "2026-03-25", normal("10.00"), **later).json()["entries"]
    repeated = till.enter(book, "2026-03-25", normal("10.00"), **later)
    assert (len(entries), repeated.status_code, repeated.json()["entries"]) == (5, 200, entries[-1:])
    assert till.enter(book, TODAY, normal("10.00"), **said).status_code == 200
    assert len(till.chain(book)) == 6


def test_fifty_at_once_enter_one(till: Till) -> None:
    book = till.book()
    body = {"external_reference": "Z-1", "lines": [normal("10.00")]}

    async def all_at_once() -> list[int]:
        calls = (till.acall("PUT", f"{book}/days/{TODAY}", json=body) for _ in range(50))
        return [answer.status_code for answer in await asyncio.gather(*calls)]

    assert sorted(till.run(all_at_once())) == [200] * 49 + [201]
    assert len(till.chain(book)) == 1


def test_others_at_once_all_find_their_place(till: Till) -> None:
    book = till.book()

    async def all_at_once() -> list[int]:
        bodies = ({"external_reference": str(number), "lines": [normal("1.00")]} for number in range(20))
        calls = (till.acall("PUT", f"{book}/days/{TODAY}", json=body) for body in bodies)
        return [answer.status_code for answer in await asyncio.gather(*calls)]

    assert till.run(all_at_once()) == [201] * 20
    chain = till.chain(book)
    assert [entry["seq"] for entry in chain] == list(range(1, 21))
    assert chain[-1]["running_totals"] == {"S:21": "20.00"}


SALES = st.lists(st.tuples(st.integers(1, 25_000), st.sampled_from(["6", "12", "21"])), min_size=1, max_size=8)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(SALES, st.randoms(use_true_random=False), st.integers(1, 4))
def test_any_order_split_and_repetition_gives_the_same_totals(
    till: Till, sales: list[tuple[int, str]], random: Any, size: int
) -> None:
    lines = [normal(str(Decimal(cents) / 100), rate) for cents, rate in sales]
    at_once, split = till.book(), till.book()
    (whole,) = till.entered(at_once, TODAY, *lines)
    random.shuffle(lines)
    for start in range(0, len(lines), size):
        body = {"external_reference": str(start), "lines": lines[start : start + size]}
        statuses = [till.call("PUT", f"{split}/days/{TODAY}", json=body).status_code for _ in range(2)]
        assert statuses == [201, 200]
    assert till.chain(split)[-1]["running_totals"] == whole["running_totals"]


def test_a_book_that_is_not_there_is_404(till: Till) -> None:
    assert till.enter(f"/receipt-books/{new_id()}", TODAY).status_code == 404
