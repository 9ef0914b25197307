"""OAuth (octopus §1.4): a person consents on a page; codes of five minutes, access of ten, refresh of 60 days."""

from typing import Any

import httpx2
import pytest

from koppel_sandbox.octopus.seed import BAKERY, PASSWORD, SOFTWARE_HOUSE, USER

from .conftest import REST, Login, refused

REDIRECT = "http://127.0.0.1:1/callback?x=1"
DAY_S = 86_400


def authorize(octopus: Login, method: str = "GET", data: dict[str, str] | None = None, **changes: str) -> Any:
    query = {
        "scope": "webservice",
        "response_type": "code",
        "client_id": SOFTWARE_HOUSE,
        "redirect_uri": REDIRECT,
        "state": "a b&c",
    } | changes
    return octopus.http.request(method, "/octopus-oauth/authorize", params=query, data=data)


def token(octopus: Login, **form: str) -> Any:
    return octopus.http.post("/octopus-oauth/token", data={"client_id": SOFTWARE_HOUSE} | form)


def returned(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    return dict(httpx2.URL(answer.headers["location"]).params)


def consent(octopus: Login) -> Any:
    code = returned(authorize(octopus, user=USER))["code"]
    return token(octopus, grant_type="authorization_code", code=code, redirect_uri=REDIRECT).json()


def test_a_person_logs_in_on_the_page_and_consents(octopus: Login) -> None:
    page = authorize(octopus)
    assert page.headers["content-type"].startswith("text/html")
    assert "Koppel asks" in page.text
    wrong = authorize(octopus, "POST", {"user": USER, "password": "wrong", "decision": "allow"})
    assert "Wrong user or password" in wrong.text
    back = returned(authorize(octopus, "POST", {"user": USER, "password": PASSWORD, "decision": "allow"}))
    assert (back["x"], back["state"]) == ("1", "a b&c")
    assert token(octopus, grant_type="authorization_code", code=back["code"]).status_code == 200


def test_a_person_refuses(octopus: Login) -> None:
    assert returned(authorize(octopus, "POST", {"decision": "deny"}))["error"] == "access_denied"


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "https://elsewhere.example/"},
        {"response_type": "token"},
        {"scope": "all"},
    ],
)
def test_who_asks_in_a_wrong_way_is_not_sent_back(octopus: Login, change: dict[str, Any]) -> None:
    assert authorize(octopus, user=USER, **change).status_code == 400


def test_the_access_token_plays_the_role_of_the_login_token(octopus: Login) -> None:
    given = consent(octopus)
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 600)
    octopus.token = given["access_token"]
    assert octopus.connect(BAKERY).status_code == 200
    octopus.rows("/bookyears")
    octopus.server.control("clock", advance_s=601)
    assert refused(octopus.connect(BAKERY)) == (401, -2)


def test_a_code_is_spent_once_and_lives_five_minutes(octopus: Login) -> None:
    code = returned(authorize(octopus, user=USER))["code"]
    assert token(octopus, grant_type="authorization_code", code=code).status_code == 200
    again = token(octopus, grant_type="authorization_code", code=code)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})
    code = returned(authorize(octopus, user=USER))["code"]
    octopus.server.control("clock", advance_s=301)
    assert token(octopus, grant_type="authorization_code", code=code).json() == {"error": "invalid_grant"}
    assert token(octopus, grant_type="password").json() == {"error": "unsupported_grant_type"}


def test_refresh_tokens_rotate_unless_switched(octopus: Login) -> None:
    first = consent(octopus)["refresh_token"]
    second = token(octopus, grant_type="refresh_token", refresh_token=first).json()["refresh_token"]
    assert second != first
    assert token(octopus, grant_type="refresh_token", refresh_token=first).json() == {"error": "invalid_grant"}
    octopus.server.control("switches", refresh_tokens_rotate=False)
    for _ in range(2):
        assert token(octopus, grant_type="refresh_token", refresh_token=second).json()["refresh_token"] == second


def test_a_link_idle_for_sixty_days_is_over(octopus: Login) -> None:
    refresh = consent(octopus)["refresh_token"]
    octopus.server.control("clock", advance_s=59 * DAY_S)
    refresh = token(octopus, grant_type="refresh_token", refresh_token=refresh).json()["refresh_token"]
    octopus.server.control("clock", advance_s=61 * DAY_S)
    assert token(octopus, grant_type="refresh_token", refresh_token=refresh).json() == {"error": "invalid_grant"}


def test_a_disabled_software_house_gets_nothing(octopus: Login) -> None:
    refresh = consent(octopus)["refresh_token"]
    octopus.server.control("software_house", uuid=SOFTWARE_HOUSE, enabled=False)
    answer = token(octopus, grant_type="refresh_token", refresh_token=refresh)
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert octopus.http.get(f"{REST}/dossiers", headers={"Token": octopus.token}).status_code == 200
