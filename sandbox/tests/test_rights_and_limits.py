"""Points 13 to 18 and 43 to 45: who may go where, and how often."""

import pytest

from koppel_sandbox.exact.seed import BAKERY, NO_RIGHTS, NOT_GRANTED, STUDIO, TILLS

from .conftest import Login, message, sale


def test_point_13_divisions_are_those_granted(exact: Login) -> None:
    codes = {row["Code"] for row in exact.rows("system/Divisions", select="Code")}
    assert codes == {BAKERY, STUDIO, TILLS, NO_RIGHTS}
    asked = exact.call("GET", "system/Divisions", division=NOT_GRANTED)
    assert asked.status_code == 403
    exact.server.control("switches", ignore_division_of_bootstrap=True)
    assert exact.call("GET", "system/Divisions", division=NOT_GRANTED).status_code == 200
    assert {row["Status"] for row in exact.rows("hrm/Divisions")} == {0}


def test_point_14_a_company_not_granted(exact: Login) -> None:
    answer = exact.call("GET", "financial/Journals", division=NOT_GRANTED)
    assert (answer.status_code, answer.headers["Reason"]) == (403, "NoDivisionAccess")


def test_points_15_to_17_without_the_right(exact: Login) -> None:
    read = exact.call("GET", "financial/GLAccounts", division=NO_RIGHTS)
    assert read.json() == {"d": {"results": []}}
    write = exact.call("POST", "salesentry/SalesEntries", division=NO_RIGHTS, json=sale())
    assert (write.status_code, message(write)) == (403, "Forbidden")
    for division, may in ((NO_RIGHTS, False), (BAKERY, True)):
        query = {"endpoint": "'salesentry/SalesEntries'", "action": "'POST'"}
        asked = exact.call("GET", "users/UserHasRights", division=division, params=query)
        assert asked.json() == {"d": {"UserHasRights": may}}
    unquoted = exact.call("GET", "users/UserHasRights", params={"endpoint": "x", "action": "POST"})
    assert unquoted.status_code == 400


@pytest.mark.parametrize(
    ("action", "body", "reason"),
    [
        ("division", {"division": BAKERY, "licence_expired": True}, "LicenseExpired"),
        ("division", {"division": BAKERY, "blocked": True}, "DivisionBlocked"),
        ("user", {"user": "an.peeters", "blocked": True}, "BlockedUser"),
        ("user", {"user": "an.peeters", "active": False}, "InactiveUser"),
    ],
)
def test_point_18_reasons(exact: Login, action: str, body: dict[str, object], reason: str) -> None:
    exact.server.control(action, **body)
    answer = exact.call("GET", "financial/Journals")
    assert (answer.status_code, answer.headers["Reason"]) == (403, reason)


def test_point_43_the_minute_and_the_day(exact: Login) -> None:
    exact.server.control("switches", minute_limit=3)
    answers = [exact.call("GET", "financial/Journals") for _ in range(6)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert "X-RateLimit-Minutely-Reset" in refused[0].headers
    assert "X-RateLimit-Reset" not in refused[0].headers
    assert exact.call("GET", "financial/Journals", division=STUDIO).status_code == 200, "limits are a company's own"
    exact.server.control("switches", minute_limit=60, day_limit=3)
    day = exact.call("GET", "financial/Journals")
    assert day.status_code == 429
    assert "X-RateLimit-Reset" in day.headers
    assert "X-RateLimit-Minutely-Reset" not in day.headers


def test_point_44_the_date_is_skewed_and_there_is_no_retry_after(exact: Login) -> None:
    exact.server.control("switches", date_skew_s=-245, minute_limit=0)
    answer = exact.call("GET", "financial/Journals")
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers
    assert "Date" in answer.headers


@pytest.mark.parametrize("functional", [True, False])
def test_point_45_too_many_errors_block_an_endpoint_for_an_hour(exact: Login, functional: bool) -> None:
    exact.server.control("switches", count_functional_errors=functional)
    for _ in range(11):
        assert exact.post("salesentry/SalesEntries", sale(Journal="999")).status_code == 500
    blocked = exact.post("salesentry/SalesEntries", sale())
    assert blocked.status_code == (429 if functional else 201)
    assert exact.call("GET", "financial/Journals").status_code == 200, "other endpoints go on"
