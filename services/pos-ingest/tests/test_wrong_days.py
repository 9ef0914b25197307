"""Days that can only be a slip are refused with their field: what they would make cannot be taken back."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from pos_ingest import rules

from .conftest import Till
from .scrada_client import Vendor
from .test_closing import drawer


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["field"]


@pytest.mark.parametrize("day", ["0001-01-01", "0500-01-01", "1999-12-31"])
def test_no_book_begins_before_there_were_any(till: Till, day: str) -> None:
    book, cash_book = till.book(), f"/cash-books/{drawer(till)}"
    assert refused(till.enter(book, day)) == (422, "path.date")
    assert refused(till.call("POST", f"{book}/days/{day}/finish")) == (422, "path.date")
    assert refused(till.call("POST", f"{book}/close", json={"through": day})) == (422, "body.through")
    given = {"name": "Kas", "start_date": day, "start_balance": "1.00"}
    assert refused(till.call("POST", "/cash-books", json=given)) == (422, "body.start_date")
    entry = {"date": day, "start_balance": "150.00", "end_balance": "151.00"}
    lines = {"entries": [{"kind": "BACA", "amount": "1.00"}]}
    assert refused(till.call("PUT", f"{cash_book}/entries", json=entry | lines)) == (422, "body.date")
    assert refused(till.call("POST", f"{cash_book}/counts", json={"date": day, "counted": "1.00"})) == (
        422,
        "body.date",
    )
    assert till.chain(book) == []


@pytest.mark.parametrize("day", ["0001-01-01", "1026-03-09", "1999-12-31", 0, 1_773_014_400, "2026-03-19T10:00:00Z"])
def test_no_till_of_scrada_begins_a_book_before_there_were_any(till: Till, day: Any) -> None:
    book, vendor = till.book(), Vendor(till)
    journal = f"/journal/{book.rpartition('/')[2]}"
    sold = {"lineType": 1, "vatPerc": 21, "amount": 12.1}
    error = vendor.error("PUT", f"{journal}/lines", 400, json={"date": day, "lines": [sold]})
    assert error["innerErrors"][0]["parameters"][0] == "date"
    corrected = sold | {"lineType": 3, "remark": "Tikfout", "correctionDate": day}
    error = vendor.error("PUT", f"{journal}/lines", 400, json={"date": "2026-03-19", "lines": [corrected]})
    assert error["innerErrors"][0]["parameters"][0] == "lines.0.correctionDate"
    assert till.chain(book) == []
    moved = {"date": day, "startBalance": 150, "endBalance": 160, "lines": [{"lineType": 5, "amount": 10}]}
    error = vendor.error("PUT", f"/cashBook/{drawer(till)}/lines", 400, json=moved)
    assert error["innerErrors"][0]["parameters"][0] == "date"


def test_a_till_of_scrada_may_send_back_the_day_that_it_read(till: Till) -> None:
    book, vendor = till.book(), Vendor(till)
    journal = f"/journal/{book.rpartition('/')[2]}"
    read = vendor.call("GET", journal).json()["maximumPossibleLineDate"]
    sold = {"date": read, "lines": [{"lineType": 1, "vatPerc": 21, "amount": 12.1}]}
    assert vendor.call("PUT", f"{journal}/lines", json=sold).status_code == 200
    assert [entry["date"] for entry in till.chain(book)] == ["2026-03-20"]


def test_no_caller_of_ours_begins_a_book_before_there_were_any() -> None:
    book = rules.Book(None, None, None, (), has_cash_book=False)
    found = rules.broken_by_day(book, date(1026, 3, 9), datetime(2026, 3, 20, tzinfo=UTC))
    assert [each.rule for each in found] == ["before_all_books"]


@pytest.mark.parametrize("period", ["day", "month"])
def test_closing_makes_no_more_closed_days_than_a_pause_has(till: Till, period: str) -> None:
    book = till.book(period=period)
    till.entered(book, "2000-01-01")
    answer = till.call("POST", f"{book}/close", json={"through": "2026-03-19"})
    assert (*refused(answer), answer.json()["code"]) == (422, "through", "too_many_days")
    till.loop("close receipts")
    assert (len(till.chain(book)), till.periods(book)) == (1, [])
    of_book = "SELECT rule FROM failed_work WHERE book_id = CAST(:id AS uuid)"
    assert till.sql(of_book, id=book.rpartition("/")[2]) == [{"rule": "too_many_days"}]
    till.close(book, "2000-01-03")
    assert len(till.chain(book)) == 3
