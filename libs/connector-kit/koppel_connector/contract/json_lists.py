"""A JSON list read element by element: a vendor without pages answers with years of books at once."""

import re
from collections.abc import Iterator
from typing import Any, Final

from koppel_mesh.exact_json import DECODER

_BLANKS: Final = r"[ \t\r\n]*"
_OPENING: Final = re.compile(rf"{_BLANKS}\[{_BLANKS}(?P<closed>\]?){_BLANKS}")
_SEPARATOR: Final = re.compile(rf"{_BLANKS}(?:,{_BLANKS}|(?P<closed>\]){_BLANKS})")


def is_list(content: bytes) -> bool:
    """Return whether a body begins as a list does."""
    return content[:64].lstrip()[:1] == b"["


def elements(content: bytes) -> Iterator[Any]:
    """Yield the elements of a list, with exact numbers; beside the text, one of them is held at a time.

    Raises:
        ValueError: it is no JSON list to its end. What comes before is yielded.
    """
    text = content.decode()
    found = _OPENING.match(text)
    while found is not None and not found["closed"]:
        element, end = DECODER.raw_decode(text, found.end())
        yield element
        found = _SEPARATOR.match(text, end)
    if found is None or found.end() != len(text):
        raise ValueError("no JSON list, or none to its end")
