"""Text of outside as the database takes it.

PostgreSQL keeps neither the character NUL nor half of a surrogate pair, the rest of an emoji that was cut off
(PostgreSQL §8.14). JSON may hold both (RFC 8259 §8.2), and so may whatever a vendor answers: it goes through here wherever
it is written down, for a text that cannot be kept would fail the same way each time.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT: Final = "\ufffd"
T = TypeVar("T")


def storable(value: T) -> T:
    """Return a text, or JSON with the texts in it, with a replacement character for each that cannot be kept."""
    kept: T = _storable(value)
    return kept


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub(_REPLACEMENT, value)
    if isinstance(value, Mapping):
        return {_storable(name): _storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return value
