"""No secret reaches a log line; a trace goes on over HTTP and over a message."""

import io
import json
import logging
import sys
import time
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from koppel_mesh.telemetry.logs import configure_logs
from koppel_mesh.telemetry.redaction import MASK, redact, redact_text
from koppel_mesh.telemetry.tracing import configure_tracing, continue_from, current_traceparent, span

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJkZW1vIn0.c2lnbmF0dXJlLWJ5dGVz"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TEXTS = {
    f"Authorization: Bearer {JWT}": JWT,
    "basic ZGVtbzpkZW1vLXNlY3JldA==": "ZGVtbzpkZW1vLXNlY3JldA",
    f"token {JWT} refused": JWT,
    "POST grant_type=refresh_token&refresh_token=hunter2&x=1": "hunter2",
    "https://x/callback?code=hunter2&state=1": "hunter2",
    "postgresql://koppel:hunter2@db/koppel": "hunter2",
    "body " + "QUJD" * 200: "QUJD" * 60,
}
NAMED: list[dict[str, Any]] = [
    {"client_secret": "hunter2"},
    {"headers": {"Authorization": "hunter2", "X-Api-Key": "hunter2", "Set-Cookie": "hunter2"}},
    {"items": [{"password": "hunter2"}, ({"refresh_token": "hunter2"},)]},
    {"body": b"hunter2"},
    {"code": "hunter2"},
]


@pytest.mark.parametrize("text", TEXTS)
def test_secrets_inside_texts_are_masked(text: str) -> None:
    assert TEXTS[text] not in redact_text(text)


@pytest.mark.parametrize("event", NAMED)
def test_secrets_are_masked_by_name_at_any_depth(event: dict[str, Any]) -> None:
    assert "hunter2" not in json.dumps(redact(event))


@pytest.mark.parametrize(
    "begin", ["secret", 'password="', "a", "token", "cookie='", "http://a:", "eyJaaaaaaaaaa", "bearer "]
)
def test_a_long_text_is_masked_in_a_moment(begin: str) -> None:
    """A body of a vendor, or an attack: where a pattern looks to the end from each place, this takes minutes."""
    started_at = time.process_time()
    redact_text(begin * (400_000 // len(begin)))
    assert time.process_time() - started_at < 5


def test_what_is_no_secret_stays() -> None:
    event = {"status_code": 200, "error_code": "e", "path": "/v1/documents", "document_id": "0199a000", "code": None}
    assert redact(event) == event


SECRETS = st.text("abcdefghijkXYZ0123456789-._~+/", min_size=8, max_size=40)
"""What vendors and identity make secrets of; ``.`` and ``+`` are told apart by nobody who only looks at a text."""
PHRASES = st.text("abcdeXYZ0189 ,;:&}]#!'", min_size=8, max_size=40)
"""What people make passwords of."""
NAMES = st.sampled_from(
    ["password", "passwd", "client_secret", "X-API-KEY", "apiKey", "access_token", "refreshToken", "Authorization",
     "private_key", "db_password", "Set-Cookie", "client_assertion", "KOPPEL_SECRET_KEYS"]
)  # fmt: skip
INSIDE_TEXTS = st.sampled_from(
    [
        '{{"{name}": "{secret}", "x": 1}}',
        '{{"a": {{"{name}":"{secret}"}}}}',
        "{{'{name}': '{secret}'}}",
        "{name}={secret}&x=1",
        "x=1&{name}={secret}",
        "{name}: {secret}\nHost: x",
        "refused: {name}={secret}, status 401",
    ]
)


@st.composite
def lines_with_a_secret(draw: st.DrawFn) -> tuple[Any, str]:
    """Draw what a log line may hold, with one secret somewhere inside, and the secret."""
    name = draw(NAMES)
    if draw(st.booleans()):
        form = draw(INSIDE_TEXTS)
        secret = draw(PHRASES if '"{secret}"' in form else SECRETS)
        held: Any = {"message": form.format(name=name, secret=secret)}
    else:
        secret = draw(SECRETS | PHRASES)
        held = {name: draw(st.sampled_from([secret, [secret], {"value": secret}, secret.encode()]))}
    for _ in range(draw(st.integers(0, 3))):
        held = draw(st.sampled_from([{"inner": held}, [held, 1], (None, held)]))
    return held, secret


@given(lines_with_a_secret())
def test_whatever_a_line_holds_its_secret_is_masked(drawn: tuple[Any, str]) -> None:
    held, secret = drawn
    written = json.dumps(redact({"event": held}), ensure_ascii=False, default=str)
    assert secret not in written
    assert json.dumps(secret)[1:-1] not in written


@pytest.mark.parametrize("form", ["json", "console"])
def test_both_forms_mask_our_lines_the_librarys_and_tracebacks(form: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level, configured = list(root.handlers), root.level, structlog.get_config()
    monkeypatch.setattr(sys, "stderr", stream)
    try:
        configure_logs(form, "info")
        try:
            raise RuntimeError(f"could not send Bearer {JWT}")
        except RuntimeError:
            structlog.get_logger("ours").error("failed", client_secret="hunter2", exc_info=True)
            logging.getLogger("library").exception("failed with %s", f"Bearer {JWT}")
    finally:
        structlog.configure(**configured)
        root.handlers[:] = before
        root.setLevel(level)
    written = stream.getvalue()
    assert written.count("RuntimeError: could not send") == 2, "the tracebacks are there"
    assert JWT not in written
    assert "hunter2" not in written
    assert MASK in written or json.dumps(MASK)[1:-1] in written


def test_a_trace_goes_on_and_a_bad_parent_starts_one() -> None:
    configure_tracing("test")
    assert current_traceparent() is None
    with continue_from(PARENT, "handle"):
        inside = current_traceparent() or ""
        assert inside.split("-")[1] == PARENT.split("-")[1]
        assert inside.split("-")[2] != PARENT.split("-")[2]
        with span("step"):
            assert (current_traceparent() or "").split("-")[1] == PARENT.split("-")[1]
        with continue_from(None, "unrelated"):
            assert (current_traceparent() or "").split("-")[1] != PARENT.split("-")[1]
    for bad in ("", "nonsense", "00-zz-zz-00", "\0", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"):
        with continue_from(bad, "handle"):
            assert current_traceparent()
    assert current_traceparent() is None
