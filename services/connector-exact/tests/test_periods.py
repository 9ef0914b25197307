"""Closed books: asked once, believed as long as it may be, and never found out by piling up errors (§3.5, §4.3)."""

from datetime import date
from typing import Any, Literal

import pytest

from connector_exact import periods
from koppel_bookkeeping.periods import Period, period_of
from koppel_connector.contract import ActionRequired, Booked, Call, RateLimited, VendorAnswer
from koppel_mesh.clock import utc_now
from koppel_sandbox.faults import Fault

from .direct_vendor import DirectVendor, asked_again, book, context_of, sample
from .harness import Sandbox

PERIODS, STATES = "financial/FinancialPeriods", "read/financial/JournalStatusList"


def of_day(day: str) -> Any:
    return sample("01-invoice-ogm-pdf", replace={"<cbc:IssueDate>2026-01-15": f"<cbc:IssueDate>{day}"})


async def problem_of(vendor: DirectVendor, context: Any) -> tuple[str, str | None]:
    with pytest.raises(ActionRequired) as caught:
        await book(vendor, context)
    assert caught.value.problem is not None
    return caught.value.problem.code, caught.value.problem.detail


def asked(vendor: DirectVendor) -> list[str]:
    calls = [call.operation for call in vendor.calls if call.operation in {PERIODS, STATES}]
    vendor.calls.clear()
    return calls


async def test_open_periods_are_asked_once(vendor: DirectVendor) -> None:
    await book(vendor, context_of(vendor, of_day("2026-01-15")))
    assert asked(vendor) == [PERIODS, STATES]
    await book(vendor, context_of(vendor, of_day("2026-01-28")))
    assert asked(vendor) == []
    await book(vendor, context_of(vendor, of_day("2026-02-01")))
    assert asked(vendor) == [STATES]


async def test_a_box_of_old_invoices_costs_no_error_and_makes_nothing(vendor: DirectVendor, sandbox: Sandbox) -> None:
    days = ["2011-06-30", "2013-04-10", "2015-04-01", "2024-05-15", "2024-05-31", "2024-12-31"]
    contexts = [context_of(vendor, of_day(day)) for day in days]
    problems = [await problem_of(vendor, context) for context in contexts]
    assert [code for code, _ in problems] == ["financial_year_missing"] * 3 + ["period_closed"] * 3
    assert [detail for _, detail in problems] == ["2011", "2013", "2015", *["700: 2024 - 5"] * 2, "700: 2024 - 12"]
    assert {call.status for call in vendor.calls} == {200}
    assert not sandbox.documents()


async def test_closed_is_believed_by_those_who_were_waiting_and_asked_anew_by_who_comes_later(
    vendor: DirectVendor, sandbox: Sandbox
) -> None:
    sandbox.close_period("700", 2026, 1)
    waiting = [context_of(vendor, of_day("2026-01-15")) for _ in range(3)]
    for context in waiting:
        await problem_of(vendor, context)
    assert asked(vendor) == [PERIODS, STATES]
    sandbox.open_periods()
    again = [asked_again(context) for context in waiting]
    for context in again:
        assert isinstance((await book(vendor, context))[1], Booked)
    assert asked(vendor) == [STATES]


async def test_a_year_that_was_made_since_is_found(vendor: DirectVendor, sandbox: Sandbox) -> None:
    context = context_of(vendor, of_day("2019-03-01"))
    assert await problem_of(vendor, context) == ("financial_year_missing", "2019")
    sandbox.division.years.add(2019)
    assert isinstance((await book(vendor, asked_again(context)))[1], Booked)


async def test_a_refusal_makes_what_was_remembered_doubtful(vendor: DirectVendor, sandbox: Sandbox) -> None:
    await book(vendor, context_of(vendor, of_day("2026-01-15")))
    sandbox.close_period("700", 2026, 1)
    await problem_of(vendor, context_of(vendor, of_day("2026-01-16")))
    vendor.calls.clear()
    await problem_of(vendor, context_of(vendor, of_day("2026-01-17")))
    assert {call.method for call in vendor.calls} == {"GET"}, "Exact is asked, not tried again"


async def test_another_journal_may_be_open(vendor: DirectVendor, sandbox: Sandbox) -> None:
    sandbox.close_period("700", 2026, 1)
    await problem_of(vendor, context_of(vendor, of_day("2026-01-15")))
    document = sample("02-creditnote-ref", "sales_credit_note")
    assert isinstance((await book(vendor, context_of(vendor, document)))[1], Booked)


@pytest.mark.parametrize("resource", [PERIODS, STATES])
async def test_a_refused_question_is_not_asked_for_every_document(
    vendor: DirectVendor, sandbox: Sandbox, resource: str
) -> None:
    sandbox.state.faults.append(Fault("status", method="GET", path=resource, status=404, times=-1))
    for day in range(1, 9):
        assert isinstance((await book(vendor, context_of(vendor, of_day(f"2026-01-0{day}"))))[1], Booked)
    assert [call.operation for call in vendor.calls if call.status == 404] == [resource]


@pytest.mark.parametrize(("holds", "books"), [("operation", True), ("connection", False)])
async def test_questions_out_of_errors_hold_no_booking_back(
    vendor: DirectVendor, monkeypatch: pytest.MonkeyPatch, holds: Literal["connection", "operation"], books: bool
) -> None:
    really = vendor.call

    async def call(asked: Call) -> VendorAnswer:
        if asked.operation == PERIODS:
            raise RateLimited(utc_now(), holds=holds)
        return await really(asked)

    monkeypatch.setattr(vendor, "call", call)
    context = context_of(vendor, of_day("2026-01-15"))
    if books:
        assert isinstance((await book(vendor, context))[1], Booked)
    else:
        with pytest.raises(RateLimited):
            await book(vendor, context)


@pytest.mark.parametrize("resource", [PERIODS, STATES])
async def test_who_may_not_ask_books_all_the_same(vendor: DirectVendor, sandbox: Sandbox, resource: str) -> None:
    sandbox.deny(resource, "GET")
    assert isinstance((await book(vendor, context_of(vendor, of_day("2026-01-15"))))[1], Booked)


@pytest.mark.parametrize("resource", ["FinancialPeriods", "JournalStatusList"])
@pytest.mark.parametrize("fault", [{"kind": "html_503"}, {"kind": "status", "status": 404}, {"kind": "status"}])
async def test_an_exact_that_does_not_answer_is_not_waited_for(
    vendor: DirectVendor, sandbox: Sandbox, resource: str, fault: dict[str, Any]
) -> None:
    sandbox.state.faults.append(Fault(method="GET", path=resource, **fault))
    assert isinstance((await book(vendor, context_of(vendor, of_day("2026-01-15"))))[1], Booked)


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"FinYear": 2026, "FinPeriod": 7, "StartDate": None, "EndDate": "/Date(1769817600000)/"},
        {"FinYear": "x", "FinPeriod": 7, "StartDate": "/Date(1767225600000)/", "EndDate": "/Date(1769817600000)/"},
    ],
)
def test_a_period_that_cannot_be_read_is_none(row: dict[str, Any]) -> None:
    assert periods.period_in(row) is None


@pytest.mark.parametrize(
    ("row", "about"),
    [
        ({"Journal": "700", "Year": 2026, "Period": 7, "Status": 1}, True),
        ({"Journal": "700 ", "Year": "2026", "Period": "7", "Status": 1}, True),
        ({"Status": 1}, True),
        ({"Journal": "710", "Year": 2026, "Period": 7, "Status": 1}, False),
        ({"Journal": "700", "Year": 2025, "Period": 7, "Status": 1}, False),
        ({"Journal": "700", "Year": 2026, "Period": 8, "Status": 1}, False),
    ],
)
def test_a_state_of_another_journal_or_period_says_nothing(row: dict[str, Any], about: bool) -> None:
    period = Period(2026, 7, date(2026, 7, 1), date(2026, 7, 31))
    assert periods.is_about(row, "700", period) is about


def test_a_financial_year_may_cross_the_new_year() -> None:
    row = {"FinYear": 2026, "FinPeriod": 7, "StartDate": "/Date(1767225600000)/", "EndDate": "/Date(1769817600000)/"}
    period = periods.period_in(row)
    assert period is not None
    assert str(period) == "2026 - 7"
    assert period_of([period], date(2026, 1, 31)) is period
    assert period_of([period], date(2026, 2, 1)) is None
