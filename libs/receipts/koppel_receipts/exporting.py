"""An export of a book: lines of JSON, so that one of any size can be written and read as it goes.

First what book it is and by which keys it is sealed, then one line for each entry, last how many there were, and a seal over that
and the first line: a file that was cut off is known by the missing end.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from .canonical import canonical
from .seal import SealedExport

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


def end(first_line: bytes, entries: int, last_hash: str | None, key_id: str, private_key: str) -> bytes:
    """Return the last line.

    Args:
        first_line: what ``head`` returned.
        entries: how many there are.
        last_hash: of the last of them; None where there is none.
        key_id: of the key that seals it.
        private_key: in base64url.
    """
    says = SealedExport(head_hash(json.loads(first_line, parse_float=Decimal)), entries, last_hash, key_id)
    seal = {"key_id": key_id, "signature": says.sign(private_key)}
    return _line({"end": {"entries": entries, "hash": last_hash, "head": says.head, "seal": seal}})


def head_hash(first_line: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical form of the first line, in hexadecimal; ValueError where it has none."""
    return hashlib.sha256(canonical(dict(first_line))).hexdigest()


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
