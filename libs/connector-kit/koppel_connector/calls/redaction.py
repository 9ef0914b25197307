"""What of an exchange may be kept in the sync log: enough to explain it, no secret, no file (P6, P7).

Pure. Masking is by name (tokens, passwords, keys), by shape (long base64), and by value (the secrets of this connection).
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

EXCERPT_CHARS = 4000
MASK = "•••"
_SECRET_NAME = re.compile(
    r"pass(word|wd)?$|secret|token|authorization|api[-_]?key|^code$|cookie|credential", re.IGNORECASE
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{120,}={0,2}")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w!+/=._~-]+")
_PAIR = re.compile(
    r"(?i)([\"']?(?:access_token|refresh_token|client_secret|password|api_key)[\"']?\s*[:=]\s*)([\"']?)[^\"'&\s,}]+"
)


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
    """Return ``value`` with secrets and long base64 masked, and not longer than an excerpt."""
    for secret in secrets:
        if len(secret) >= 4:
            value = value.replace(secret, MASK)
    value = _BEARER.sub(rf"\1 {MASK}", value)
    value = _PAIR.sub(rf"\1\2{MASK}", value)
    value = _BASE64.sub(lambda found: f"[{len(found.group())} characters]", value)
    value = value.replace("\x00", "\ufffd")
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
    if name and _SECRET_NAME.search(name) and value is not None:
        return MASK
    if isinstance(value, str) and len(value) > EXCERPT_CHARS:
        # A file, most likely: looking through megabytes for secrets would cost more than the call itself.
        return f"[{len(value)} characters]" if _BASE64.match(value) else f"{value[:EXCERPT_CHARS]}…"
    return value
