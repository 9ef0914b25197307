"""An answer of a vendor, and how HTTP alone judges it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from koppel_mesh.clock import utc_now

from .errors import (
    ActionRequired,
    ConnectorError,
    OutcomeUnknown,
    RateLimited,
    ReauthorisationRequired,
    Rejected,
    RetryLater,
)
from .problems import Problem


@dataclass(frozen=True)
class VendorAnswer:
    """What came back, complete, within the deadline."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes
    operation: str
    acts: bool

    @property
    def text(self) -> str:
        """The body as text; undecodable bytes are replaced."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON with exact numbers.

        Raises:
            ValueError: it is not JSON.
        """
        return json.loads(self.content, parse_float=Decimal)


@dataclass(frozen=True)
class ClassifiedAnswer:
    """An answer, and what ``Connector.classify`` makes of it."""

    answer: VendorAnswer
    failure: ConnectorError | None


def classify_by_status(answer: VendorAnswer) -> ConnectorError | None:
    """Judge by HTTP alone (messaging sheet §3.8): a 5xx to a call that acts is ambiguous, most 4xx are a definite no."""
    status = answer.status
    detail = answer.text[:300].strip() or None
    if 200 <= status < 300:
        return None
    if status == 429:
        return RateLimited()
    if status == 403:
        return ActionRequired(Problem("forbidden_by_vendor", detail))
    if status == 401:
        return ReauthorisationRequired(Problem("reauthorise", detail))
    if status == 409 and answer.acts:
        return OutcomeUnknown("409: it may be there already")
    if status >= 500 or status == 408 or status < 200 or 300 <= status < 400:
        if answer.acts:
            return OutcomeUnknown(f"HTTP {status}")
        return RetryLater(retry_after_s(answer.headers), Problem("vendor_unavailable", f"HTTP {status}"))
    return Rejected(Problem("rejected_by_vendor", detail))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a ``Retry-After`` header, in either of its two forms, at most a day."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(min(int(value[:9]), 86_400))
    try:
        wait_s = (parsedate_to_datetime(value) - _vendor_now(headers)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(wait_s, 0.0), 86_400.0)


def _vendor_now(headers: Mapping[str, str]) -> datetime:
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return utc_now()
