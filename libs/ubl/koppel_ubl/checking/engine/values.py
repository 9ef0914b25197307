"""Values as XPath 2.0 reads them: white space, exact decimals, rounding, dates.

The official rules are XPath 2.0; where Python's own notion differs (``str.split`` takes a no-break space, ``Decimal`` takes
``1_000``, ``round`` goes to even) a rule would now and then give another answer.
"""

import re
from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

from .tree import Group, Value
from .written import SPACES

DIGITS = Context(prec=2000, Emax=999_999, Emin=-999_999)
"""Arithmetic that loses nothing of what an invoice can hold; layers compute inside ``localcontext(DIGITS)``."""


ZERO = Decimal(0)

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_DATE = re.compile(r"(-?[0-9]{4,9})-([0-9]{2})-([0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?")
_RUN_OF_SPACES = re.compile(r"[ \t\r\n]+")
_HALF = Decimal("0.5")
_CENT = Decimal("0.01")
_DIGITS_OF_MONEY = 100
_SCALE_OF_DIVISION_MIN = 18
_BITS_OF_DOUBLE = 53
_LOST_IN_BINARY = Decimal("2.47e-324")


class NotCastableError(Exception):
    """A value is no number or date where a rule needs one: the official rules stop there without a report."""

    def __init__(self, value: Value) -> None:
        super().__init__(value.place.path)
        self.value = value


def normalised(text: str | None) -> str:
    """Return the text trimmed, with each run of white space as one space."""
    if not text:
        return ""
    if text.isalnum():
        return text
    return _RUN_OF_SPACES.sub(" ", text).strip(" ")


def is_blank(text: str | None) -> bool:
    """Return whether there is nothing but white space."""
    return not text or not text.strip(SPACES)


def decimal(value: Value) -> Decimal:
    """Return the exact number a value holds.

    Raises:
        NotCastableError: it holds none.
    """
    text = value.text
    if value.token.is_number:
        return Decimal(text)
    text = text.strip(SPACES)
    if not _DECIMAL.fullmatch(text):
        raise NotCastableError(value)
    return Decimal(text)


def amount(group: Group, name: str) -> Decimal | None:
    """Return the first number of this name in a group; None without one.

    Raises:
        NotCastableError: it is no number.
    """
    at = group.shape.numbers.get(name)
    if at is not None:
        group.tree.has_read = True
        return Decimal(group[at])
    value = group.value(name)
    return None if value is None else decimal(value)


def rounded(value: Decimal) -> Decimal:
    """Round to a whole number, ties towards plus infinity, as XPath does."""
    return (value + _HALF).to_integral_value(ROUND_FLOOR)


def cents(value: Decimal) -> Decimal:
    """Round to two decimals, ties towards plus infinity."""
    if value.adjusted() > _DIGITS_OF_MONEY:
        return rounded(value.scaleb(2)).scaleb(-2)
    return value.quantize(_CENT, ROUND_HALF_DOWN if value.is_signed() else ROUND_HALF_UP)


@lru_cache(maxsize=1024)
def share(percent: Decimal) -> Decimal:
    """Return a percentage as a fraction: exact to eighteen decimals, like the division of the official processor."""
    exponent = percent.as_tuple().exponent
    scale = max(_SCALE_OF_DIVISION_MIN, -exponent if isinstance(exponent, int) else 0)
    return percent.scaleb(-2).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_DOWN)


def sign(value: Value) -> int:
    """Return -1, 0 or 1, as the official processor computes it where a rule compares with a plain zero.

    It compares in binary, where the tiniest values become zero, and takes ``-0.0`` for negative, but not ``-0``.

    Raises:
        NotCastableError: there is no number.
    """
    number = decimal(value)
    if number.is_signed():
        return -1 if number or "." in value.text else 0
    return int(number > _LOST_IN_BINARY)


def is_not_negative(value: Value) -> bool:
    """Return whether ``sign`` is zero or one.

    Raises:
        NotCastableError: there is no number.
    """
    return value.token.is_plain or sign(value) >= 0


def decimals(value: Value) -> int:
    """Return how many characters follow the first point, trailing zeros and blanks included; 0 for a plain number."""
    if value.token.is_plain:
        return 0
    return len(value.text.partition(".")[2])


def is_true(value: Value) -> bool:
    """Return a boolean.

    Raises:
        NotCastableError: it is none.
    """
    text = value.text.strip(SPACES)
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    raise NotCastableError(value)


def minute(value: Value) -> int:
    """Return the minute at which a date begins in universal time; a date without zone counts as such.

    Raises:
        NotCastableError: it is no date.
    """
    found = _DATE.fullmatch(value.text.strip(SPACES))
    if not found:
        raise NotCastableError(value)
    year, zone = int(found[1]), found[4]
    try:
        # A year outside Python's calendar has the days of the year as far from it in the cycle of 400 years.
        cycles, within = divmod(year - 1, 400)
        days = date(within + 1, int(found[2]), int(found[3])).toordinal() + cycles * 146_097
    except ValueError:
        raise NotCastableError(value) from None
    offset = 0 if zone is None or zone == "Z" else int(zone[1:3]) * 60 + int(zone[4:6])
    return days * 1440 - (-offset if zone and zone[0] == "-" else offset)


def in_binary(value: Decimal) -> Decimal:
    """Return the value as a double holds it: what XPath computes with where a rule forgot to ask for a decimal."""
    numerator, denominator = value.as_integer_ratio()
    if numerator == 0:
        return ZERO
    shift = abs(numerator).bit_length() - denominator.bit_length() - _BITS_OF_DOUBLE
    for exponent in (shift, shift + 1):
        quotient = _half_even(numerator << max(-exponent, 0), denominator << max(exponent, 0))
        if abs(quotient) <= 1 << _BITS_OF_DOUBLE:
            break
    return Decimal(quotient) * (Decimal(2) ** exponent)


def _half_even(numerator: int, denominator: int) -> int:
    quotient, rest = divmod(numerator, denominator)
    doubled = 2 * rest - denominator
    return quotient + (doubled > 0 or (doubled == 0 and quotient % 2 == 1))
