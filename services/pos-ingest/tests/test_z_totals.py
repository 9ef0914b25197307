"""A till's own totals beside its tickets: a difference stays a problem until tickets come or a person decides."""

from typing import Any

from .conftest import Till
from .test_tickets import registered, send
from .ticket_samples import line, payment, ticket

DAY = "/registers/K1/days/2026-03-19/z-totals"


def report(*totals: tuple[str, str], **changes: Any) -> dict[str, Any]:
    return {"vat_totals": [{"vat_rate": rate, "amount": amount} for rate, amount in totals]} | changes


def reconciled(till: Till, body: dict[str, Any]) -> dict[str, Any]:
    answer = till.call("PUT", DAY, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def codes(till: Till) -> list[str]:
    return [each["code"] for each in till.call("GET", "/ticket-problems").json()["items"]]


def test_equal_totals_are_no_problem(till: Till) -> None:
    registered(till)
    send(till, ticket(), ticket(line("10.60", 6), totalTip=1, payments=[payment("11.60", 5)]))
    paid = [{"method": "cash", "amount": "12.10"}, {"method": "Bancontact", "amount": "11.60"}]
    found = reconciled(till, report(("21", "12.10"), ("6", "10.60"), tickets=2, payments=paid))
    assert (found["state"], found["differences"]) == ("equal", [])
    assert codes(till) == []


def test_a_difference_has_both_figures_and_ends_with_the_missing_tickets(till: Till) -> None:
    registered(till)
    missing = ticket(line("24.20"))
    send(till, ticket())
    found = reconciled(till, report(("21", "36.30"), tickets=2))
    assert found["differences"] == [
        {"what": "tickets", "till": "2", "of_tickets": "1"},
        {"what": "S:21", "till": "36.30", "of_tickets": "12.10"},
    ]
    (problem,) = till.call("GET", "/ticket-problems").json()["items"]
    assert (problem["code"], problem["register_id"], problem["date"]) == ("z_totals_differ", "K1", "2026-03-19")
    for language in ("nl", "fr", "en"):
        assert "36.30" in problem["message"][language] and "12.10" in problem["message"][language]
    send(till, missing)
    assert till.call("GET", DAY).json()["state"] == "equal"
    assert codes(till) == []


def test_a_person_may_take_the_tickets_for_right(till: Till) -> None:
    registered(till)
    send(till, ticket())
    reconciled(till, report(("21", "12.20")))
    answer = till.call("POST", f"{DAY}/accept", json={"reason": "test ticket that was voided"})
    assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
    assert codes(till) == []
    send(till, ticket())
    assert till.call("GET", DAY).json()["state"] == "accepted"
    reconciled(till, report(("21", "12.20")))
    assert codes(till) == ["z_totals_differ"]


def test_the_reason_of_a_difference_goes_with_it(till: Till) -> None:
    registered(till)
    send(till, ticket())
    reconciled(till, report(("21", "24.20"), tickets=2))
    assert till.call("POST", f"{DAY}/accept", json={"reason": "one is missing"}).json()["reason"] == "one is missing"
    send(till, ticket())
    shown = till.call("GET", DAY).json()
    assert (shown["state"], shown["accepted_by"], shown["reason"]) == ("equal", None, None)


def test_what_does_not_differ_is_not_accepted(till: Till) -> None:
    registered(till)
    send(till, ticket())
    assert till.call("GET", DAY).status_code == 404
    reconciled(till, report(("21", "12.10")))
    answer = till.call("POST", f"{DAY}/accept", json={"reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_differs")
