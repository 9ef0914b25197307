"""JSON with exact numbers: a Decimal is written as the number it is; a float is refused, because amounts have none."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID


def to_json(value: Any) -> str:
    """Return ``value`` as compact JSON.

    Raises:
        TypeError: it holds a float, or something that is not JSON.
    """
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, Enum):
        return to_json(value.value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{value} is not a number that JSON can carry")
        return format(value, "f")
    if isinstance(value, Mapping):
        return (
            "{"
            + ",".join(f"{json.dumps(str(key), ensure_ascii=False)}:{to_json(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(to_json, value)) + "]"
    if isinstance(value, UUID):
        return json.dumps(str(value))
    if isinstance(value, date | datetime):
        return json.dumps(value.isoformat())
    raise TypeError(f"{type(value).__name__} does not go into an exact JSON text")
