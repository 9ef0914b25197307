"""Values that JSON does not know, as objects with one key that names the type."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def tagged(value: Any) -> dict[str, Any]:
    """Return a value as JSON can hold it (``default`` of ``json.dumps``).

    Raises:
        TypeError: it is of a type that is not kept.
    """
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, bytes):
        return {"$bytes": b64encode(value).decode()}
    if isinstance(value, set | frozenset):
        return {"$set": sorted(value)}
    raise TypeError(f"a {type(value).__name__} cannot be kept")


_TAGS: Mapping[str, Callable[[Any], Any]] = {
    "$decimal": Decimal,
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$bytes": b64decode,
    "$set": lambda items: {tuple(item) if isinstance(item, list) else item for item in items},
}


def untagged(value: dict[str, Any]) -> Any:
    """Return what ``tagged`` was given (``object_hook`` of ``json.loads``)."""
    if len(value) == 1:
        with suppress(KeyError):
            ((tag, text),) = value.items()
            return _TAGS[tag](text)
    return value
