"""What of an exchange may be kept in the sync log: enough to explain it, no secret, no file (P6, P7).

Pure. What a secret is, mesh says for logs and sync log alike; here is what an excerpt leaves of a body.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from koppel_connector.contract.storable import storable
from koppel_mesh.telemetry.redaction import MASK, is_secret_name, redact_text

EXCERPT_CHARS = 4000


def excerpt_of(body: Any, secrets: Collection[str] = ()) -> str | None:
    """Return a request or response body as text that may be kept and shown."""
    if body is None or body == b"" or body == "":
        return None
    if isinstance(body, bytes):
        return _excerpt_of_bytes(body, secrets)
    if isinstance(body, str):
        return clean(body, secrets)
    return clean(json.dumps(_masked(body), ensure_ascii=False, default=str), secrets)


def clean(value: str, secrets: Collection[str] = ()) -> str:
    """Return ``value`` as it can be kept, with secrets and long base64 masked, and not longer than an excerpt."""
    value = storable(redact_text(value, secrets))
    if len(value) > EXCERPT_CHARS:
        return f"{value[:EXCERPT_CHARS]}… ({len(value)} characters)"
    return value


def _excerpt_of_bytes(body: bytes, secrets: Collection[str]) -> str:
    if len(body) <= 65_536:
        try:
            parsed = json.loads(body)
        except ValueError:
            pass
        else:
            return clean(json.dumps(_masked(parsed), ensure_ascii=False), secrets)
    try:
        return clean(body[: EXCERPT_CHARS * 4].decode(), secrets)
    except UnicodeDecodeError:
        start = body[: EXCERPT_CHARS * 4].decode("utf-8", "replace")
        return f"[{len(body)} bytes]" if start.count("\ufffd") > len(start) // 10 else clean(start, secrets)


def _masked(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {str(key): _masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item, name) for item in value]
    if value is not None and is_secret_name(name):
        return MASK
    if isinstance(value, str) and len(value) > EXCERPT_CHARS:
        # A file, most likely: looking through megabytes for secrets would cost more than the call itself.
        start = redact_text(value[:EXCERPT_CHARS])
        return f"[{len(value)} characters]" if start == f"[{EXCERPT_CHARS} characters]" else f"{start}…"
    return value
