"""What a body says that it is, for routes that read it themselves; FastAPI looks at those that it reads."""

from collections.abc import Collection
from typing import Final

from fastapi import Request

from .problems import HttpProblem

_SAYS_NOTHING: Final = frozenset({"", "application/x-www-form-urlencoded"})
"""No type, and the one that curl (``-d``, ``--data-binary``) and others write unasked above whatever they send."""


def media_type_of(request: Request) -> str:
    """Return the bare media type of a request's body, in lower case; empty where it says none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """Return whether a bare media type is one of JSON (RFC 6839 §3.1), or what was written before it had one."""
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")


def says_json(request: Request) -> bool:
    """Return whether a body says that it is JSON, or does not say what it is."""
    media_type = media_type_of(request)
    return media_type in _SAYS_NOTHING or is_json(media_type)


def insist_on_json(request: Request) -> None:
    """Refuse with 415 what says that it is something else than JSON."""
    if not says_json(request):
        raise HttpProblem(415, "unsupported_media_type", "The body is JSON (application/json).")


def insist_on_type(request: Request, taken: Collection[str], title: str) -> None:
    """Refuse with 415 what says that it is of another type than those; what says none is taken for one of them."""
    media_type = media_type_of(request)
    if media_type not in _SAYS_NOTHING and media_type not in taken:
        raise HttpProblem(415, "unsupported_media_type", title)
