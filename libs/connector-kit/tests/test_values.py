"""Parts that need no server: keys, redaction, exact JSON, token answers, windows, problems."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from koppel_bookkeeping import Reason
from koppel_connector import Problem, ProblemCatalogue, VendorAnswer
from koppel_connector.auth.token_answers import read_token_answer
from koppel_connector.calls.rate_limits import read_windows, throttle
from koppel_connector.calls.redaction import excerpt_of
from koppel_connector.connection.store import secret_names, split_secrets
from koppel_connector.contract import BOOKING_PROBLEMS, GENERIC, HeaderNames, OAuthProfile, TokenError, Window
from koppel_connector.contract.wire import to_json
from koppel_connector.delivery.targets import remote_ref
from koppel_connector.routes.connections import merged
from koppel_mesh.keyring import KeyRing, WrongKeyError
from koppel_mesh.telemetry.redaction import MASK

NOW = datetime(2026, 1, 15, 12, 0, 30, tzinfo=UTC)
EXACT = (
    Window("minute", 60, 60, HeaderNames("M-Limit", "M-Remaining", "M-Reset")),
    Window("day", 5000, 86_400, HeaderNames("D-Limit", "D-Remaining", "D-Reset")),
)


def test_what_was_sealed_for_one_connection_does_not_open_for_another() -> None:
    ring, mine, other = KeyRing([Fernet.generate_key().decode()]), uuid4(), uuid4()
    sealed = ring.seal(mine, {"refresh_token": "rt"})
    assert ring.open(mine, sealed) == {"refresh_token": "rt"}
    with pytest.raises(WrongKeyError):
        ring.open(other, sealed)


class Login(BaseModel):
    password: SecretStr


class WithHiddenSecret(BaseModel):
    login: Login | None = None


class WithSecrets(BaseModel):
    user: str = ""
    password: SecretStr | None = None
    pin: SecretStr = SecretStr("1234")


def test_secrets_are_told_apart_from_settings() -> None:
    assert secret_names(WithSecrets) == ["password", "pin"]
    shown, secrets = split_secrets(WithSecrets(user="an", pin=SecretStr("9999")))
    assert (shown, secrets) == ({"user": "an"}, {"pin": "9999"})


def test_a_secret_inside_another_setting_is_refused_before_it_is_stored_in_the_clear() -> None:
    with pytest.raises(TypeError, match=r"Login\.password"):
        secret_names(WithHiddenSecret)


def test_an_old_key_opens_and_the_first_seals() -> None:
    old, new, mine = Fernet.generate_key().decode(), Fernet.generate_key().decode(), uuid4()
    sealed = KeyRing([old]).seal(mine, {"a": "b"})
    assert KeyRing([new, old]).open(mine, sealed) == {"a": "b"}
    with pytest.raises(WrongKeyError):
        KeyRing([new]).open(mine, sealed)


def test_an_oauth_state_serves_one_purpose() -> None:
    ring = KeyRing([Fernet.generate_key().decode()])
    sealed = ring.seal_text({"a": "b"}, "oauth state")
    assert ring.open_text(sealed, "oauth state", 60) == {"a": "b"}
    for text, purpose in ((sealed, "other"), (f"x{sealed[1:]}", "oauth state"), ("", "oauth state")):
        with pytest.raises(WrongKeyError):
            ring.open_text(text, purpose, 60)


@pytest.mark.parametrize(
    "body",
    [
        {"password": "hunter2-secret"},
        {"nested": [{"refresh_token": "hunter2-secret"}]},
        "refresh_token=hunter2-secret&x=1",
        b'{"Authorization": "Bearer hunter2-secret"}',
        "Authorization: Bearer hunter2-secret",
        "the pin hunter2-secret itself",
        b"not json but hunter2-secret",
    ],
)
def test_no_secret_survives(body: object) -> None:
    kept = excerpt_of(body, ["hunter2-secret"] if "pin" in str(body) or "not json" in str(body) else [])
    assert kept is not None
    assert "hunter2" not in kept
    assert MASK in kept


def test_files_and_long_bodies_are_cut() -> None:
    kept = excerpt_of({"Attachment": "QUJD" * 5000, "name": "factuur.pdf"})
    assert kept is not None
    assert len(kept) < 200
    assert "factuur.pdf" in kept
    assert excerpt_of(b"\x00\xff\xfe" * 1000) == "[3000 bytes]"
    assert len(excerpt_of("word " * 5000) or "") < 4100


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_json_keeps_numbers_exact(value: object) -> None:
    assert json.loads(to_json(value), parse_float=Decimal, parse_int=Decimal) == _numbers_as_decimals(value)


def _numbers_as_decimals(value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, list):
        return [_numbers_as_decimals(item) for item in value]
    if isinstance(value, dict):
        return {key: _numbers_as_decimals(item) for key, item in value.items()}
    return value


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError):
        to_json({"AmountFC": 121.0})
    with pytest.raises(TypeError):
        to_json(Decimal("NaN"))


def test_a_refresh_token_in_a_refusal_is_found() -> None:
    profile = OAuthProfile("/a", "/t", errors=(TokenError("too_early", error="access_denied"),))
    answer = read_token_answer(profile, 400, {}, b'{"error": "access_denied", "refresh_token": "rt2"}')
    assert (answer.meaning, answer.refresh_token) == ("too_early", "rt2")
    fine = read_token_answer(profile, 200, {}, b'{"access_token": "a", "refresh_token": "r", "expires_in": "600"}')
    assert (fine.meaning, fine.expires_in_s) == (None, 600.0)
    for body in (b"<html>", b"[]", b'{"access_token": 5}', b""):
        assert read_token_answer(profile, 200, {}, body).meaning == "transient"


def answer(status: int, **headers: str) -> VendorAnswer:
    named = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    return VendorAnswer(status, named, b"", "x", acts=True)


def test_an_absent_header_says_nothing() -> None:
    reading = read_windows(EXACT, {"m-remaining": "3"}, NOW)
    assert [(each.name, each.limit, each.remaining, each.wait_s) for each in reading] == [("minute", None, 3, None)]
    assert read_windows(EXACT, {"m-remaining": "-1", "m-reset": "soon"}, NOW) == []


def test_the_wait_is_told_by_the_vendors_own_clock() -> None:
    # The vendor is 245 s behind us, as was seen with Exact.
    vendor_now = NOW - timedelta(seconds=245)
    reset = int((vendor_now + timedelta(seconds=20)).timestamp() * 1000)
    refused = answer(429, M_Remaining="0", M_Reset=str(reset), Date=vendor_now.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    assert throttle(refused.headers, EXACT, NOW).wait_s == pytest.approx(21, abs=0.01)


def test_a_day_used_up_waits_for_the_day() -> None:
    reset = int((NOW + timedelta(hours=5)).timestamp() * 1000)
    assert throttle(answer(429, D_Remaining="0", D_Reset=str(reset)).headers, EXACT, NOW).wait_s > 17_000


def test_a_silent_429_waits_to_the_end_of_the_shortest_window_or_as_it_asks() -> None:
    assert throttle(answer(429).headers, EXACT, NOW).wait_s == 31
    assert throttle(answer(429, Retry_After="7").headers, EXACT, NOW).wait_s == 8


def test_a_reset_in_the_past_never_means_at_once() -> None:
    past = int((NOW - timedelta(minutes=4)).timestamp() * 1000)
    assert throttle(answer(429, M_Remaining="0", M_Reset=str(past)).headers, EXACT, NOW).wait_s == 31
    just = int((NOW - timedelta(seconds=1)).timestamp() * 1000)
    assert throttle(answer(429, M_Remaining="0", M_Reset=str(just)).headers, EXACT, NOW).wait_s >= 1


@pytest.mark.parametrize("catalogue", [GENERIC, BOOKING_PROBLEMS], ids=["generic", "booking"])
def test_every_problem_speaks_three_languages(catalogue: ProblemCatalogue) -> None:
    for code in catalogue:
        rendered = catalogue.render(Problem(code))
        for sentence in (rendered.message.nl, rendered.message.fr, rendered.message.en):
            assert len(sentence) > 20
            assert "{" not in sentence
    assert len({catalogue[code].nl for code in catalogue}) == len(catalogue)
    assert catalogue.render(Problem("no_such_code")).who_can_fix == "koppel"


def test_every_reason_of_bookkeeping_is_a_problem_that_people_can_read() -> None:
    assert {reason.value for reason in Reason} <= set(BOOKING_PROBLEMS)
    assert not set(BOOKING_PROBLEMS) & set(GENERIC)


def test_the_reference_is_the_same_for_the_same_key() -> None:
    assert remote_ref("a/book/b/1") == remote_ref("a/book/b/1")
    assert remote_ref("a/book/b/1") != remote_ref("a/book/b/2")
    assert len(remote_ref("x")) == 24


def test_settings_change_leaf_by_leaf() -> None:
    before = {"journals": {"sale": "700", "purchase": "600"}, "division": 1}
    assert merged(before, {"journals": {"sale": "701"}}) == {
        "journals": {"sale": "701", "purchase": "600"},
        "division": 1,
    }
    assert merged(before, {"division": None}) == {"journals": {"sale": "700", "purchase": "600"}}
