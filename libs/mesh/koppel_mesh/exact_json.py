"""JSON from outside with exact numbers, none of them longer than anybody means.

A few characters are enough for a number that no memory holds: who makes an int of 1e999999999, or writes it out, never ends. JSON
leaves it to the reader how large a number may be (RFC 8259 §6), so what is far beyond the numbers of others is refused here.
"""

import json
from decimal import Decimal, DecimalException
from typing import Any, Final, NoReturn

LENGTH_MAX: Final = 1_000
"""Characters of a number. The longest double, written in full, has fewer significant digits."""
EXPONENT_MAX: Final = 400
"""Beyond the largest double, which most writers of JSON have, and the smallest."""


def loads(content: str | bytes) -> Any:
    """Return what JSON holds: whole numbers as ``int``, others as ``Decimal``.

    Raises:
        ValueError: it is not JSON, or has a number that is too long.
        RecursionError: it is too deep.
    """
    text = content if isinstance(content, str) else content.decode(json.detect_encoding(content))
    return DECODER.decode(text)


def fraction(written: str) -> Decimal:
    """Return a number that is written with a point or an exponent; ValueError where it is too long."""
    try:
        number = Decimal(written) if len(written) <= LENGTH_MAX else None
    except DecimalException:  # an exponent that not even a Decimal has
        number = None
    if number is None or abs(number.adjusted()) > EXPONENT_MAX:
        raise ValueError("a number is too long")
    return number


def integer(written: str) -> int:
    """Return a number that is written with digits alone; ValueError where it is too long."""
    if len(written) > EXPONENT_MAX:
        raise ValueError("a number is too long")
    return int(written)


def no_constant(name: str) -> NoReturn:
    """Refuse ``NaN`` and ``Infinity``, which Python's reader knows and JSON does not (RFC 8259 §6)."""
    raise ValueError(f"{name} is no JSON")


DECODER: Final = json.JSONDecoder(parse_float=fraction, parse_int=integer, parse_constant=no_constant)
