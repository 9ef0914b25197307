"""Points 2 to 11 and 49: consent, codes, tokens that live short and are spent once."""

import pytest

from .conftest import REDIRECT, Login


def test_point_02_consent_comes_back_with_code_and_state(exact: Login) -> None:
    answer = exact.authorize()
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"{REDIRECT}?code=XTzM%21")
    assert answer.headers["location"].endswith("&state=a%20b%26c")
    assert "error=access_denied" in exact.authorize(decision="deny").headers["location"]
    assert exact.authorize(redirect_uri="https://evil.example/").status_code == 400
    assert exact.authorize(client_id="nobody").status_code == 400


def test_point_03_a_code_lives_three_minutes_and_once(exact: Login) -> None:
    code = exact.code()
    assert exact.exchange(code).status_code == 200
    assert exact.exchange(code).json() == {"error": "invalid_request"}
    late = exact.code()
    exact.server.control("clock", advance_s=181)
    assert exact.exchange(late).status_code == 400


def test_point_04_the_answer_has_its_seconds_as_text_and_a_new_refresh_token(exact: Login) -> None:
    first, second = exact.exchange(exact.code()).json(), exact.exchange(exact.code()).json()
    assert first["expires_in"] == "600"
    assert first["refresh_token"] != second["refresh_token"]


@pytest.mark.parametrize("status", [400, 401])
def test_point_05_too_early(exact: Login, status: int) -> None:
    exact.server.control("switches", early_refresh_status=status)
    exact.server.control("clock", advance_s=560)
    answer = exact.refresh(exact.pair["refresh_token"])
    assert answer.status_code == status
    assert answer.json()["error"] == "access_denied"
    assert ("Reason" in answer.headers) == (status == 400)


@pytest.mark.parametrize("breaks", [False, True])
def test_point_06_too_early_may_break_the_chain(exact: Login, breaks: bool) -> None:
    exact.server.control("switches", early_refresh_breaks_chain=breaks)
    exact.refresh(exact.pair["refresh_token"])
    exact.server.control("clock", advance_s=571)
    assert exact.refresh(exact.pair["refresh_token"]).status_code == (401 if breaks else 200)


def test_points_07_and_09_a_refresh_token_is_spent_once(exact: Login) -> None:
    exact.server.control("clock", advance_s=571)
    assert exact.refresh(exact.pair["refresh_token"]).status_code == 200
    again = exact.refresh(exact.pair["refresh_token"])
    assert again.status_code == 401
    assert again.json() == {"error": "unauthorized_client", "error_description": "Old refresh token used."}


def test_point_08_thirty_days(exact: Login) -> None:
    exact.server.control("clock", advance_s=31 * 86_400)
    assert exact.refresh(exact.pair["refresh_token"]).status_code == 400


def test_an_inactive_user_gets_no_token(exact: Login) -> None:
    exact.server.control("clock", advance_s=571)
    exact.server.control("user", user="an.peeters", active=False)
    assert exact.refresh(exact.pair["refresh_token"]).json()["error_description"] == "The user is not active"


@pytest.mark.parametrize("as_html", [True, False])
def test_points_10_and_11_without_a_living_token_a_login_page(exact: Login, as_html: bool) -> None:
    exact.server.control("switches", unauthorised_as_html=as_html)
    exact.server.control("clock", advance_s=601)
    for answer in (exact.call("GET", "system/Divisions"), exact.http.get("/api/v1/current/Me")):
        assert answer.status_code == 401
        assert ("Object moved" in answer.text) == as_html


def test_points_12_and_49_me_is_not_counted_and_works_with_nothing_granted(exact: Login) -> None:
    exact.server.control("user", user="an.peeters", granted=[])
    answer = exact.http.get("/api/v1/current/Me", params={"$select": "UserName"})
    assert answer.json()["d"]["results"][0]["UserName"] == "an.peeters"
    assert not [name for name in answer.headers if "ratelimit" in name.lower()]
