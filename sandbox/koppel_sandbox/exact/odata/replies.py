"""Answers: verbose JSON with ``__metadata``, dates as ``/Date(ms)/``, amounts as doubles; errors as Exact's envelope."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from starlette.responses import Response

JSON = "application/json; charset=utf-8"


class Refusal(Exception):
    """An answer that is not a success."""

    def __init__(
        self, status: int, *messages: str, reason: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, *messages)
        self.status = status
        self.messages = messages
        self.headers = dict(headers or {})
        if reason:
            self.headers["Reason"] = reason

    def response(self) -> Response:
        """Return it in Exact's envelope, several messages joined by CRLF."""
        body = {"error": {"code": "", "message": {"lang": "", "value": "\r\n".join(self.messages)}}}
        return Response(json.dumps(body, ensure_ascii=False), self.status, self.headers, JSON)


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return ``{"d": …}``."""
    return Response(json.dumps({"d": body}, default=_wire, ensure_ascii=False), status, headers, JSON)


def atom(title: str, count: int) -> Response:
    """Return the Atom feed that comes without ``Accept: application/json``; nobody here needs more than its shape."""
    body = (
        '<?xml version="1.0" encoding="utf-8" standalone="yes"?>'
        f'<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">{title}</title>{"<entry/>" * count}</feed>'
    )
    return Response(body, 200, None, "application/atom+xml;type=feed;charset=utf-8")


def shown(record: Mapping[str, Any], fields: Sequence[str], uri: str, type_name: str) -> dict[str, Any]:
    """Return a record as it goes out: metadata first, the fields asked for, in Exact's types."""
    answer: dict[str, Any] = {"__metadata": {"uri": uri, "type": type_name}}
    for name in fields:
        answer[name] = record.get(name)
    return answer


def _wire(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return f"/Date({int(value.replace(tzinfo=value.tzinfo or UTC).timestamp() * 1000)})/"
    if isinstance(value, date):
        # A date is midnight when read as UTC (exact §2).
        return f"/Date({int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp() * 1000)})/"
    raise TypeError(type(value).__name__)
