"""OData v2 as Exact Online speaks it: literals for ``$filter``, and the values of an answer.

Pure. Vendor pages: "Integrate efficiently with OData" and "REST API – Restrictions"; the surprises are kept in README.md.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import UUID

from koppel_connector import values

Row = Mapping[str, Any]

FILTER_LENGTH_MAX: Final = 5_000
_WIRE_DATE = re.compile(r"^/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/$")
_KEY = re.compile(r"\(guid'([0-9a-fA-F-]{36})'\)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# ── literals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def guid(value: UUID | str) -> str:
    """Return a GUID literal; raise ``ValueError`` for anything else, which is a bug of ours."""
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


def parts(terms: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split filter terms so that each part, joined, fits into a URL (6 000 characters at most, §2)."""
    room, part = FILTER_LENGTH_MAX, list[str]()
    for term in terms:
        length = len(quote(f" or {term}"))
        if part and length > room:
            yield part
            room, part = FILTER_LENGTH_MAX, []
        room -= length
        part.append(term)
    if part:
        yield part


def shape(resource: str, *terms: str) -> str:
    """Return what questions have in common that differ only in their values, or in how many terms they join.

    Which fields may be filtered, and whether terms may be joined, differs from resource to resource; only a 400 shows it (§2).
    A refusal is one of the ten errors an hour that stop an endpoint (§4.3): repeated for every document, a refused filter would
    soon stop the bookings there. So refusals are remembered by shape (``koppel_connector.refused_questions``).
    """
    kinds = sorted({re.sub(r"'(?:[^']|'')*'", "''", term) for term in terms})
    return f"{resource}: {' or '.join(kinds)}{' …' * (len(terms) > 1)}"


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────────────────


def rows(body: Any) -> list[Row]:
    """Return the rows of a list answer: ``{"d":{"results":[…]}}``, or ``{"d":[…]}`` of some read resources."""
    inner = body.get("d") if isinstance(body, Mapping) else None
    if isinstance(inner, Mapping):
        inner = inner.get("results", [inner] if "__metadata" in inner else [])
    return [row for row in inner if isinstance(row, Mapping)] if isinstance(inner, Sequence) else []


def expanded(value: Any) -> list[Row] | None:
    """Return the rows of an expanded navigation property; None when it is deferred, paged or absent, so rows may be missing."""
    if isinstance(value, Mapping) and ("__next" in value or "results" not in value):
        return None
    return rows({"d": value}) if isinstance(value, Mapping | list) else None


def next_page(body: Any, base_url: str) -> str | None:
    """Return the address of the next page as Exact gives it, except for the host, which is always the configured one.

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
    """Return the object of an answer to a key or a POST; empty when there is none."""
    inner = body.get("d") if isinstance(body, Mapping) else None
    if isinstance(inner, Mapping) and "results" not in inner:
        return inner
    found = rows(body)
    return found[0] if len(found) == 1 else {}


def created_id(row: Row, location: str | None, name: str) -> str | None:
    """Return the id of what a POST created: from the body, else from ``Location``."""
    if in_body := same_guid(row.get(name)):
        return in_body
    found = _KEY.search(location or "")
    return found[1].casefold() if found else None


def day(value: Any) -> date | None:
    """Decode ``/Date(ms)/``: Exact writes local time as if it were UTC, so it is read as UTC."""
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


def same_guid(value: Any) -> str:
    """Return an id as ids are stored and compared, in lower case: Exact writes both."""
    return values.text(value).casefold()
