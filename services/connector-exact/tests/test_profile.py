"""Exact's token endpoint, as observed (exact §1.3, §1.4), read through the kit by the table in our profile."""

import json

import pytest

from connector_exact.profile import PROFILE
from koppel_connector.auth.token_answers import read_token_answer
from koppel_connector.contract import OAuthProfile

assert isinstance(PROFILE.auth, OAuthProfile)
AUTH: OAuthProfile = PROFILE.auth
TOO_EARLY = "TooEarlyToRefreshTokens: Rate limit exceeded: access_token not expired"


def meaning(status: int, body: object, **headers: str) -> str | None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_token_answer(AUTH, status, headers, content).meaning


def test_the_rules_of_rotation_are_exacts() -> None:
    assert AUTH.refresh_not_before_s == 570
    assert AUTH.access_valid_s == 590
    assert AUTH.refresh_valid_days == 30
    assert AUTH.keep_alive_days < 23
    assert AUTH.client_auth == "body"
    assert AUTH.scope is None


def test_a_pair_is_read_though_its_seconds_are_a_string() -> None:
    pair = {"access_token": "AAEA", "token_type": "bearer", "expires_in": "600", "refresh_token": "Gcp7!IAAA"}
    answer = read_token_answer(AUTH, 200, {}, json.dumps(pair).encode())
    assert (answer.meaning, answer.expires_in_s, answer.refresh_token) == (None, 600.0, "Gcp7!IAAA")


@pytest.mark.parametrize(
    ("status", "body", "headers", "meant"),
    [
        (
            400,
            {"error": "access_denied", "error_description": "Rate limit exceeded: access_token not expired"},
            {"reason": TOO_EARLY},
            "too_early",
        ),
        (401, b"", {"reason": "Access token not expired"}, "too_early"),
        (401, {"error": "unauthorized_client", "error_description": "Old refresh token used."}, {}, "spent"),
        (400, {"error": "invalid_grant", "error_description": "The user is not active"}, {}, "revoked"),
        (400, {"error": "invalid_request"}, {}, "misconfigured"),
        (400, b"Bad Request", {}, "misconfigured"),
        (401, b"<html>", {}, "revoked"),
        (401, {"error": "access_denied"}, {}, "revoked"),
        (503, b"<html>", {}, "transient"),
        (429, b"", {}, "transient"),
    ],
)
def test_a_refusal_means_what_was_seen(status: int, body: object, headers: dict[str, str], meant: str) -> None:
    assert meaning(status, body, **headers) == meant


def test_a_refresh_token_in_any_answer_is_kept() -> None:
    body = {"error": "access_denied", "error_description": TOO_EARLY, "refresh_token": "new"}
    assert read_token_answer(AUTH, 400, {}, json.dumps(body).encode()).refresh_token == "new"


def test_both_windows_are_read_from_exacts_headers() -> None:
    minute, day = PROFILE.windows
    assert (minute.capacity, minute.period_s) == (60, 60)
    assert (day.capacity, day.period_s) == (5_000, 86_400)
    assert minute.headers is not None
    assert day.headers is not None
    assert minute.headers.remaining == "x-ratelimit-minutely-remaining"
    assert PROFILE.error_budget is not None
    assert PROFILE.error_budget.capacity < 10
