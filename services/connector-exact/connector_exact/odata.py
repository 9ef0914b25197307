"""OData v2 as Exact Online speaks it: literals to ask with, and answers to read.

Pure. Vendor pages: "Integrate efficiently with OData" and "REST API – Restrictions"; the surprises are kept in README.md.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

Row = Mapping[str, Any]

CENT = Decimal("0.01")
_WIRE_DATE = re.compile(r"^/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/$")
_KEY = re.compile(r"\(guid'([0-9a-fA-F-]{36})'\)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────────


def guid(value: UUID | str) -> str:
    """Return a GUID literal; anything that is no GUID is our own bug and raises."""
    return f"guid'{UUID(str(value))}'"


def text(value: str) -> str:
    """Return a string literal with its quotes doubled."""
    return "'" + value.replace("'", "''") + "'"


def moment(value: date) -> str:
    """Return a datetime literal; Exact wants the time part even for a date."""
    return f"datetime'{value:%Y-%m-%d}T00:00:00'"


def int64(value: int) -> str:
    """Return an Int64 literal, as ``Timestamp`` of the sync resources demands."""
    return f"{value}L"


def any_of(*terms: str) -> str:
    """Join filter terms with ``or``."""
    return " or ".join(terms)


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────


def rows(body: Any) -> list[Row]:
    """Return the rows of a list answer: ``{"d":{"results":[…]}}``, or ``{"d":[…]}`` of some read resources."""
    inner = body.get("d") if isinstance(body, Mapping) else None
    if isinstance(inner, Mapping):
        inner = inner.get("results", [inner] if "__metadata" in inner else [])
    return [row for row in inner if isinstance(row, Mapping)] if isinstance(inner, Sequence) else []


def expanded(value: Any) -> list[Row] | None:
    """Return the rows of an expanded navigation property; None when they were not all sent along (deferred, paged, absent)."""
    if isinstance(value, Mapping) and ("__next" in value or "results" not in value):
        return None
    return rows({"d": value}) if isinstance(value, Mapping | list) else None


def next_page(body: Any, base_url: str) -> str | None:
    """Return the address of the following page, to be followed verbatim — but for the host, which is always ours to name.

    Behind a proxy or tunnel Exact's links name its own host; a token never goes to a host that an answer names.
    """
    inner = body.get("d") if isinstance(body, Mapping) else None
    following = inner.get("__next") if isinstance(inner, Mapping) else None
    if not isinstance(following, str) or not following:
        return None
    if following.startswith(f"{base_url.rstrip('/')}/"):
        return following
    split = urlsplit(following)
    path = split.path[split.path.find("/api/") :] if "/api/" in split.path else f"/{split.path.lstrip('/')}"
    return f"{path}?{split.query}" if split.query else path


def entity(body: Any) -> Row:
    """Return the single object of a keyed or creating answer; empty when there is none."""
    inner = body.get("d") if isinstance(body, Mapping) else None
    if isinstance(inner, Mapping) and "results" not in inner:
        return inner
    found = rows(body)
    return found[0] if len(found) == 1 else {}


def made_id(row: Row, location: str | None, name: str) -> str | None:
    """Return the id of what a POST made: from its answer, else from ``Location``."""
    if told := same_guid(row.get(name)):
        return told
    found = _KEY.search(location or "")
    return found[1].casefold() if found else None


def day(value: Any) -> date | None:
    """Decode ``/Date(ms)/``: local wall clock written as if it were UTC, so it must be read as UTC."""
    if not isinstance(value, str):
        return None
    if (found := _WIRE_DATE.match(value)) is not None:
        try:
            return (_EPOCH + timedelta(milliseconds=int(found[1]))).date()
        except OverflowError:
            return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def amount(value: Any) -> Decimal | None:
    """Decode an amount: an ``Edm.Double`` with binary noise, brought back to the cent it was meant to be."""
    number = decimal(value)
    return None if number is None else number.quantize(CENT)


def decimal(value: Any) -> Decimal | None:
    """Decode any number; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal("1e18") else None


def integer(value: Any) -> int | None:
    """Decode a whole number; ``Edm.Int64`` comes as a string, and so may others (§2, numbers)."""
    number = decimal(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def flag(value: Any) -> bool:
    """Decode a boolean, however it is written."""
    return value.strip().casefold() in ("true", "1") if isinstance(value, str) else value is True or value == 1


def trimmed(value: Any) -> str:
    """Return a code or name without Exact's padding (relation codes left to 18, VAT codes right to 3)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def same_guid(value: Any) -> str:
    """Return an id in the one spelling in which ids are kept and compared: Exact is not consistent in its letters."""
    return trimmed(value).casefold()
