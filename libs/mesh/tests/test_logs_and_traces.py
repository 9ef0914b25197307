"""No secret reaches a log line; a trace goes on over HTTP and over a message."""

import io
import json
import logging
import sys
from typing import Any

import pytest
import structlog

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


def test_what_is_no_secret_stays() -> None:
    event = {"status_code": 200, "error_code": "e", "path": "/v1/documents", "document_id": "0199a000", "code": None}
    assert redact(event) == event


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
