"""An export of a book: lines of JSON, so that one of any size can be written and read as it goes.

First what book it is and by which keys it is sealed, then one line for each entry, last how many there were: a file that was cut
off is known by the missing end.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

FORMAT = "koppel-receipts-1"
MEDIA_TYPE = "application/x-ndjson"


def head(book: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the first line.

    Args:
        book: its ``id``, and what people know it by.
        keys: JSON Web Keys (RFC 8037) with the ``kid`` that seals name.
    """
    return _line({"format": FORMAT, "book": dict(book), "keys": list(keys)})


def entry_line(item: Mapping[str, Any]) -> bytes:
    """Return the line of an entry: the fields of ``Entry`` but the book's id, its ``hash``, and its ``seal`` or null."""
    return _line(item)


def end(entries: int, last_hash: str | None) -> bytes:
    """Return the last line."""
    return _line({"end": {"entries": entries, "hash": last_hash}})


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
