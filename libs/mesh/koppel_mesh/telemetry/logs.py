"""Structured logs, with everything secret taken out before a line is written."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "***"
_SECRET_NAMES = re.compile(
    r"(secret|passw|token|authorization|api[-_]?key|cookie|credential|private[-_]?key|^code$|refresh|assertion)",
    re.IGNORECASE,
)
_NOT_SECRET = frozenset({"token_state", "token_expires_at", "error_code", "status_code"})
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w\-.~+/!%=]{8,}")
_IN_QUERY = re.compile(r"(?i)([?&\s\"'](?:access_token|refresh_token|client_secret|password|code|token)=)[^&\s\"']+")
_JWT = re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{200,}={0,2}")
_URL_PASSWORD = re.compile(r"(\w+://[^:/@\s]+:)[^@/\s]+@")


def configure_logs(form: Literal["console", "json"], level: str) -> None:
    """Set up structlog and the standard library's logging, both through the redaction."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact_event,
    ]
    last: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=last, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))


def redact_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Take secrets out of one log line."""
    return {name: redact(value, name) for name, value in event.items()}


def redact(value: Any, name: str = "") -> Any:
    """Return ``value`` without secrets: by the name it goes under, and by what texts look like inside."""
    if name and _SECRET_NAMES.search(name) and name not in _NOT_SECRET and value is not None:
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return {key: redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in value]
    return value


def redact_text(text: str) -> str:
    """Return ``text`` without bearer tokens, JWTs, secrets in query strings, passwords in URLs and long base64."""
    text = _BEARER.sub(rf"\1 {REDACTED}", text)
    text = _JWT.sub(REDACTED, text)
    text = _IN_QUERY.sub(rf"\1{REDACTED}", text)
    text = _URL_PASSWORD.sub(rf"\1{REDACTED}@", text)
    return _BASE64.sub(lambda found: f"<{len(found[0])} characters of base64>", text)
