"""Values that are kept as JSON and come back as they were: Decimals and dates included, floats refused."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .storable import storable

_DECIMAL, _DATE, _MOMENT = "$decimal", "$date", "$moment"


def encode(value: Any, where: str) -> Any:
    """Return ``value`` as plain JSON, its texts as they can be kept; ``where`` names it in the error.

    Raises:
        TypeError: it holds a float, or something that is neither JSON nor a Decimal, a date or a moment.
    """
    if isinstance(value, str):
        return storable(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Decimal):
        return {_DECIMAL: str(value)}
    if isinstance(value, datetime):
        return {_MOMENT: value.isoformat()}
    if isinstance(value, date):
        return {_DATE: value.isoformat()}
    if isinstance(value, Mapping):
        return {storable(str(name)): encode(item, f"{where}[{name!r}]") for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item, f"{where}[{place}]") for place, item in enumerate(value)]
    raise TypeError(f"{where} is a {type(value).__name__}; it takes JSON, Decimals, dates and moments")


def decode(value: Any) -> Any:
    """Return what was encoded; tuples come back as lists."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        ((name, held),) = value.items()
        if name == _DECIMAL:
            return Decimal(held)
        if name == _DATE:
            return date.fromisoformat(held)
        if name == _MOMENT:
            return datetime.fromisoformat(held)
    return {name: decode(item) for name, item in value.items()}
