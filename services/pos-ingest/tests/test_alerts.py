"""Each alert of pos-ingest: something is the matter, it fires; what its runbook says is done, and it is over."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from .conftest import Till
from .test_failed_work import damaged, receipts
from .test_tickets import registered, send
from .ticket_samples import ticket

AN_HOUR_LATER = "UPDATE hand_in SET waits_since = waits_since - interval '1 hour', due_at = due_at - interval '1 hour'"
A_DAY_LATER = "UPDATE {table} SET first_seen_at = first_seen_at - interval '1 day', due_at = due_at - interval '1 hour'"


def fires(till: Till, alert: Any) -> bool:
    till.loop("backlog gauge")
    return bool(alert.fires(till.run(till.http.get("/metrics")).text))


def closed(till: Till) -> str:
    """Close a period and return its id."""
    book = till.book()
    till.entered(book, "2026-03-02")
    (period,) = till.close(book, "2026-03-15")["periods"]
    return str(period["id"])


@pytest.mark.alert("KoppelTakingsWait", service="pos-ingest")
def test_takings_that_nobody_hands_in_go_once_somebody_does(till: Till, alert: Any) -> None:
    assert not fires(till, alert)
    period = closed(till)
    assert not fires(till, alert)
    till.sql(AN_HOUR_LATER)
    assert fires(till, alert)
    alert.says("what waits of tills")
    (shown,) = till.sql(alert.query_beside("What was closed and is not in its dossier yet"))
    assert (str(shown["id"]), shown["attempts"], shown["problem"]) == (period, 0, None)
    alert.says("or the loop of pos-ingest does not run: bring it back")
    assert len(till.hand_in()) == 1
    assert not fires(till, alert)


@pytest.mark.alert("KoppelTakingsWait", service="pos-ingest")
def test_takings_wait_for_dossier_api_and_go_by_themselves_when_it_is_back(till: Till, alert: Any) -> None:
    assert not fires(till, alert)
    till.dossier_api.refuses = (None, "no_answer")
    closed(till)
    for _ in range(12):  # each try sets the next moment, the last ones half an hour and an hour ahead
        assert till.hand_in() == []
        till.sql(AN_HOUR_LATER)
    till.hand_in()
    assert fires(till, alert)
    alert.says("mostly dossier-api is away", "They go by themselves within the hour afterwards.")
    till.dossier_api.refuses = None
    assert till.hand_in() == []
    till.sql(AN_HOUR_LATER)
    assert len(till.hand_in()) == 1
    assert not fires(till, alert)


def test_what_a_person_has_tried_again_has_not_waited_while_it_waited_for_them(till: Till) -> None:
    till.dossier_api.refuses = (409, "dossier_closed")
    period = closed(till)
    assert till.hand_in() == []
    till.sql(AN_HOUR_LATER)
    till.dossier_api.refuses = (None, "no_answer")
    assert till.call("POST", f"/v1/deliveries/{period}/retry").is_success
    till.loop("hand in")
    till.loop("backlog gauge")
    shown = till.run(till.http.get("/metrics")).text
    (line,) = [line for line in shown.splitlines() if line.startswith("koppel_hand_in_oldest_due_seconds{")]
    assert 0 <= float(line.split()[1]) < 60
    till.dossier_api.refuses = None
    till.sql(AN_HOUR_LATER)
    assert len(till.hand_in()) == 1


@pytest.mark.alert("KoppelBookFails", service="pos-ingest")
def test_a_book_that_a_fault_of_ours_keeps_open_is_tried_each_hour_beside_the_others(till: Till, alert: Any) -> None:
    broken = receipts(till)
    till.dossier()
    well = receipts(till)
    assert not fires(till, alert)
    till.at("2026-03-22T12:00:00")
    with damaged(till, "receipt_period", broken), capture_logs() as log:
        till.loop("close receipts")
        till.sql(A_DAY_LATER.format(table="failed_work"))
        assert fires(till, alert)
        alert.says("`rule` and `message` say why")
        (shown,) = till.sql(alert.query_beside("What waits of tills"))
        assert (str(shown["id"]), shown["rule"]) == (broken.rpartition("/")[2], "internal")
        assert "the page is damaged" in shown["message"]
        alert.says("`internal` is a fault of ours, with its traceback in the log")
        assert any(line["event"] == "work failed and is put off" and line["exc_info"] for line in log)
        alert.says("and the other books go on")
        assert len(till.periods(well)) == 1
    alert.says("It is tried again each hour")
    till.loop("close receipts")
    assert not fires(till, alert)


@pytest.mark.alert("KoppelBookFails", service="pos-ingest")
def test_tickets_that_a_rule_keeps_out_of_their_book_wait_for_its_owner(till: Till, alert: Any) -> None:
    assert not fires(till, alert)
    book = registered(till)
    send(till, ticket())
    assert till.call("PATCH", book, json={"ends_on": "2026-03-18"}).status_code == 200
    till.at("2026-03-21T12:00:00")
    till.loop("finish days")
    till.sql(A_DAY_LATER.format(table="unfinished_day"))
    assert fires(till, alert)
    (shown,) = till.sql(alert.query_beside("What waits of tills"))
    assert (str(shown["id"]), shown["rule"]) == (book.rpartition("/")[2], "book_ended")
    alert.says("a rule of the book is for its owner. Of tickets they see it as a problem")
    (problem,) = till.call("GET", "/ticket-problems").json()["items"]
    assert (problem["code"], problem["detail"]) == ("tickets_not_entered", "book_ended")
    assert till.call("PATCH", book, json={"ends_on": None}).status_code == 200
    alert.says("It is tried again each hour")
    till.loop("finish days")
    assert not fires(till, alert)


@pytest.mark.alert("KoppelBookFails", service="pos-ingest")
def test_a_book_that_its_owner_closes_has_failed_no_more(till: Till, alert: Any) -> None:
    assert not fires(till, alert)
    book = till.book(period="month")
    till.entered(book, "2000-01-01")
    till.loop("close receipts")
    till.sql(A_DAY_LATER.format(table="failed_work"))
    assert fires(till, alert)
    (shown,) = till.sql(alert.query_beside("What waits of tills"))
    assert (str(shown["id"]), shown["rule"]) == (book.rpartition("/")[2], "too_many_days")
    alert.says("of a close that nobody sees but you, tell them: it is over once they close the book by hand")
    assert till.call("GET", "/ticket-problems").json()["items"] == []
    till.close(book, "2000-01-03")
    assert not fires(till, alert)
