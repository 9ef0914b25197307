"""Lists: ``{"items": […], "next": cursor|null}``, ``?limit=`` at most 200, ``&after=`` the cursor of the page before.

A cursor is opaque; inside it are the sort keys of the last item, so that a page costs the same however far it is, and a
mark of its list: in another one the same keys would begin somewhere else, and what comes before would be missing unsaid.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BaseModel

from .problems import HttpProblem

LIMIT_MAX = 200
Item = TypeVar("Item")
Row = TypeVar("Row")


def by_id(row: Any) -> list[str]:
    """Return the key of a list that is sorted by id."""
    return [str(row.id)]


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = None


class PageRequest(BaseModel):
    """Which page is asked for."""

    limit: int
    place: str
    """The address of the list."""
    after: list[str] | None = None

    @property
    def rows(self) -> int:
        """How many rows to read: one more than are shown, which tells whether there is a next page."""
        return self.limit + 1

    def of(
        self, rows: Sequence[Row], show: Callable[[Row], Item], keys: Callable[[Row], list[str]] = by_id
    ) -> Page[Item]:
        """Return the page of these rows; ``keys`` are those that the list is sorted by, of one row."""
        shown = rows[: self.limit]
        following = encode_cursor(keys(shown[-1]), self.place) if len(rows) > self.limit else None
        return Page(items=[show(row) for row in shown], next=following)


def _page_request(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 50,
    after: Annotated[str | None, Query(max_length=1000)] = None,
) -> PageRequest:
    place = request.url.path.lower()
    return PageRequest(limit=limit, place=place, after=decode_cursor(after, place) if after else None)


PageParams = Annotated[PageRequest, Depends(_page_request)]


def encode_cursor(keys: list[str], place: str) -> str:
    """Return the cursor that continues after ``keys`` in the list at ``place``."""
    return base64.urlsafe_b64encode(json.dumps([_mark(place), *keys]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, place: str) -> list[str]:
    """Return the keys inside a cursor.

    Raises:
        HttpProblem: 422 ``invalid_cursor``.
    """
    try:
        keys = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        keys = None
    if not isinstance(keys, list) or not all(isinstance(key, str) and "\0" not in key for key in keys):
        raise invalid_cursor()
    if len(keys) < 2 or keys[0] != _mark(place):
        raise invalid_cursor()
    return keys[1:]


def _mark(place: str) -> str:
    return f"{zlib.crc32(place.encode()):08x}"


def uuid_cursor(page: PageRequest) -> UUID | None:
    """Return the id a page of a list sorted by id continues after.

    Raises:
        HttpProblem: 422 ``invalid_cursor``.
    """
    return None if page.after is None else cursor_id(page.after[0])


def cursor_id(key: str) -> UUID:
    """Return the id that is one key of a cursor.

    Raises:
        HttpProblem: 422 ``invalid_cursor``.
    """
    try:
        return UUID(key)
    except ValueError:
        raise invalid_cursor() from None


def invalid_cursor() -> HttpProblem:
    """Return the problem for a cursor that no page of this list gave."""
    return HttpProblem(422, "invalid_cursor", "This is not a cursor that an earlier page of this list gave.")
