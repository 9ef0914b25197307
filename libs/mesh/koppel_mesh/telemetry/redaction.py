"""The one place that takes secrets out of what is written down: log lines, traces, the sync log people see (P6, P7).

Pure. Masking is by the name a value goes under, by what texts look like inside, and by value where the caller knows secrets.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

MASK = "•••"
SECRET_LENGTH_MIN = 4
"""A shorter secret is not looked for by its value: it would be found everywhere."""
_SECRET_NAMES = re.compile(
    r"(secret|passw|pass(wd)?$|token|authorization|api[-_]?key|cookie|credential|private[-_]?key|^code$|refresh|assertion)",
    re.IGNORECASE,
)
_NOT_SECRET = frozenset({"token_state", "token_expires_at", "error_code", "status_code"})
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w\-.~+/!%=]{8,}")
_PAIR = re.compile(
    r"""((?:secret|passw|token(?!_state|_expires_at)|api[-_]?key|credential|private[-_]?key|assertion)[\w-]{0,40}
        (?P<escape>\\?)["']?\s{0,8}[:=]\s{0,8})
        (?:(?P<quote>(?P=escape)["'])(?:[^\\]|\\.)*?(?:(?P=quote)|\Z)|[^&\s,}"']+)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""A name that says secret, and its value: to the closing quote, which inside JSON inside JSON is escaped, or to the next blank.

What may repeat is bounded, or matches at once to its end: a text that repeats the beginning costs no more than any other.
"""
_HEADER = re.compile(
    r"(?i)((?:authorization|cookie)\\?[\"']?\s{0,8}[:=]\s{0,8})(?:([\"'])(?s:.)*?(?:\2|\Z)|[^\r\n\"']+)"
)
_IN_QUERY = re.compile(r"(?i)([?&\s\"'](?:code|token)=)[^&\s\"']+")
_JWT = re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{120,}={0,2}")
_URL_PASSWORD = re.compile(r"((?<!\w)\w{1,20}://[^:/@\s]{0,200}:)[^@/\s]+@")


def is_secret_name(name: str) -> bool:
    """Return whether a value under this name is a secret, whatever it holds."""
    return bool(name) and name not in _NOT_SECRET and _SECRET_NAMES.search(name) is not None


def redact(value: Any, name: str = "") -> Any:
    """Return ``value`` without secrets: by the name it goes under, and by what texts look like inside."""
    if value is not None and is_secret_name(name):
        return MASK
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return {key: redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in value]
    return value


def redact_text(text: str, secrets: Collection[str] = ()) -> str:
    """Return ``text`` without ``secrets``, bearer tokens, JWTs, pairs that name one, passwords in URLs, and long base64."""
    for secret in secrets:
        if len(secret) >= SECRET_LENGTH_MIN:
            text = text.replace(secret, MASK)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _JWT.sub(MASK, text)
    text = _HEADER.sub(rf"\1{MASK}", text)
    text = _PAIR.sub(rf"\1{MASK}", text)
    text = _IN_QUERY.sub(rf"\1{MASK}", text)
    text = _URL_PASSWORD.sub(rf"\1{MASK}@", text)
    return _BASE64.sub(lambda found: f"[{len(found[0])} characters]", text)
