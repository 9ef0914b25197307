"""OData v2 in verbose JSON: literals for ``$filter``, the values of an answer, and resources with pages.

A protocol, as SMTP is one (``calls/smtp.py``): https://www.odata.org/documentation/odata-version-2-0/. What a vendor makes of it
stands in its connector.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import UUID

from . import refused_questions, values
from .contract.answers import VendorAnswer
from .contract.calls import Call
from .contract.errors import OutcomeUnknown, RetryLater
from .contract.problems import Problem
from .contract.vendor import Vendor

Row = Mapping[str, Any]

FILTER_LENGTH_MAX: Final = 5_000
PAGES_MAX: Final = 1_000
_RETURN_IT: Final = {"Prefer": "return=representation"}
_WIRE_DATE = re.compile(r"^/Date\((-?\d{1,15})(?:([+-])(\d\d)(\d\d))?\)/$")
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
    """Return a datetime literal, which has a time part even for a date."""
    return f"datetime'{value:%Y-%m-%d}T00:00:00'"


def int64(value: int) -> str:
    """Return an Int64 literal."""
    return f"{value}L"


def any_of(*terms: str) -> str:
    """Join filter terms with ``or``."""
    return " or ".join(terms)


def parts(terms: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split filter terms so that each part, joined, fits into a URL of 6 000 characters."""
    left, part = FILTER_LENGTH_MAX, list[str]()
    for term in terms:
        length = len(quote(f" or {term}"))
        if part and length > left:
            yield part
            left, part = FILTER_LENGTH_MAX, []
        left -= length
        part.append(term)
    if part:
        yield part


def shape(resource: str, *terms: str) -> str:
    """Return what questions have in common that differ only in their values, or in how many terms they join.

    Which fields may be filtered, and whether terms may be joined, differs from resource to resource; only a 400 shows it. So
    refusals are remembered by shape (``refused_questions``).
    """
    kinds = sorted({re.sub(r"'(?:[^']|'')*'", "''", term) for term in terms})
    return f"{resource}: {' or '.join(kinds)}{' …' * (len(terms) > 1)}"


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────────────────


def rows(body: Any) -> list[Row]:
    """Return the rows of an answer: ``{"d":{"results":[…]}}``, or of some functions ``{"d":[…]}`` or the one object itself."""
    inner = body.get("d") if isinstance(body, Mapping) else None
    if isinstance(inner, Mapping):
        inner = inner.get("results", [inner] if inner else [])
    return [row for row in inner if isinstance(row, Mapping)] if isinstance(inner, Sequence) else []


def expanded(value: Any) -> list[Row] | None:
    """Return the rows of an expanded navigation property; None when it is deferred, paged or absent, so rows may be missing."""
    if isinstance(value, Mapping) and ("__next" in value or "results" not in value):
        return None
    return rows({"d": value}) if isinstance(value, Mapping | list) else None


def next_page(body: Any, base_url: str) -> str | None:
    """Return the address of the next page as the vendor gives it, except for the host, which is always the configured one.

    Behind a proxy or tunnel the vendor's links name its own host; a token never goes to a host that an answer names.
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
    """Decode ``/Date(ms)/``, the wall clock as if it were UTC; with an offset it may be a moment of which that is the clock.

    An offset east of Greenwich leaves a midnight written as if UTC on its day, and brings that of a moment there. One to the west
    is left aside: with or without it the moment of a midnight there is on its day.
    """
    if not isinstance(value, str):
        return None
    if (found := _WIRE_DATE.match(value)) is not None:
        try:
            return (_EPOCH + timedelta(milliseconds=int(found[1])) + _east(*found.groups()[1:])).date()
        except OverflowError:
            return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def _east(sign: str | None, hours: str | None, minutes: str | None) -> timedelta:
    return timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) if sign == "+" else timedelta()


def same_guid(value: Any) -> str:
    """Return an id as ids are stored and compared, in lower case: vendors write both."""
    return values.text(value).casefold()


# ── resources ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Resources(ABC):
    """The resources of a vendor through one open connection. Every path goes through ``Vendor.call``."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.is_counted = True
        """Whether calls count in the windows of the connection."""

    @abstractmethod
    def path_of(self, resource: str) -> str:
        """Return the path of a resource, such as ``salesentry/SalesEntries``."""

    async def get(self, resource: str, params: Mapping[str, str], path: str | None = None) -> VendorAnswer:
        """Ask a resource; ``path`` where the question is not the resource itself but something below it."""
        asked = path or self.path_of(resource)
        return await self.vendor.call(
            Call(resource, "GET", asked, params=params, acts=False, is_counted=self.is_counted)
        )

    async def create(self, resource: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create one object and return the properties in the answer, its id among them.

        Raises:
            OutcomeUnknown: it was created, and neither the body nor ``Location`` holds its id; only a search can find it.
        """
        answer = await self.post(resource, body)
        row = entity(answer.json()) if answer.content else {}
        if (created := created_id(row, answer.headers.get("location"), key)) is None:
            raise OutcomeUnknown(f"{resource}: HTTP {answer.status} without {key}")
        return {name: value for name, value in row.items() if value is not None} | {key: created}

    async def post(self, resource: str, body: Mapping[str, Any]) -> VendorAnswer:
        """Create an object; the answer holds it as stored."""
        return await self.vendor.call(
            Call(resource, "POST", self.path_of(resource), json=body, headers=_RETURN_IT, acts=True)
        )

    async def all_of(self, resource: str, params: Mapping[str, str], path: str | None = None) -> list[Row]:
        """Return every row, following ``__next`` as it stands."""
        answer = await self.get(resource, params, path)
        found: list[Row] = []
        for _ in range(PAGES_MAX):
            body = answer.json()
            found += rows(body)
            following = next_page(body, self.vendor.application.base_url)
            if following is None:
                return found
            answer = await self.get(resource, {}, following)
        raise RetryLater(None, Problem("vendor_unavailable", f"{resource}: more than {PAGES_MAX} pages"))

    async def chosen(self, resource: str, fields: str, terms: Sequence[str]) -> list[Row]:
        """Return the rows that fit any of these filter terms, with these fields."""

        async def ask(query: str) -> list[Row]:
            return await self.all_of(resource, {"$select": fields, "$filter": query})

        return await self.of_any(resource, terms, ask)

    async def of_any(
        self, resource: str, terms: Sequence[str], ask: Callable[[str], Awaitable[list[Row]]]
    ) -> list[Row]:
        """Return what any of the filter terms finds: where the resource joins terms, in as few calls as URLs allow.

        One refused field ("Filtering on these fields is not supported") hides no match of the others. What fits two terms may
        come twice.
        """

        async def joined(asked: Sequence[str]) -> list[Row]:
            return [row for part in parts(asked) for row in await ask(any_of(*part))]

        return await refused_questions.ask_any(
            self.vendor.memory,
            terms,
            named=lambda asked: shape(resource, *asked),
            joined=joined,
        )
