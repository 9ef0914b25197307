"""Values of a vendor's JSON, whatever type they arrive in: numbers as strings, amounts with binary noise, padded codes.

A vendor's documentation and its answers differ in the types of their fields. Nothing here raises: what cannot be read is None or
empty, and the connector decides what that means.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from koppel_bookkeeping.amounts import rounded

_NUMBER_LIMIT: Final = Decimal("1e18")


def decimal(value: Any) -> Decimal | None:
    """Return a finite number below 10^18; None for anything else, a boolean included."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < _NUMBER_LIMIT else None


def amount(value: Any) -> Decimal | None:
    """Return an amount to the cent: a vendor that counts in doubles sends 1512.4999999999998 for 1512.50."""
    number = decimal(value)
    return None if number is None else rounded(number)


def integer(value: Any) -> int | None:
    """Return a whole number, also from ``"20"`` or ``20.0``; None for anything else."""
    number = decimal(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def first_integer(row: Mapping[str, Any], names: Iterable[str]) -> int | None:
    """Return the first whole number among the members with these names; None where there is none."""
    return next((number for name in names if (number := integer(row.get(name))) is not None), None)


def whole(value: Any) -> int:
    """Return a whole number; 0 for anything else."""
    return integer(value) or 0


def flag(value: Any) -> bool:
    """Return a boolean, also from ``"true"``, ``"1"`` or 1; what cannot be read is false."""
    return value.strip().casefold() in ("true", "1") if isinstance(value, str) else value is True or value == 1


def text(value: Any) -> str:
    """Return a code or a name without the blanks around it, a whole number as its digits; empty for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def compact(value: Any) -> str:
    """Return a text without any blanks, such as an IBAN."""
    return "".join(text(value).split())
