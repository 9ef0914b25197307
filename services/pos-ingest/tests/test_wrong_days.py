"""Days that can only be a slip are refused with their field: what they would make cannot be taken back."""

from typing import Any

import pytest

from .conftest import Till
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
