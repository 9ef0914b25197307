"""Dates, amounts and other small values of fixed width, from text and back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any

FIRST_YEAR, LAST_YEAR = 1980, 2079
"""Two digits of a year mean one of these: CODA is of the eighties, and loans reach far."""
NO_END = date.max
"""The meaning of ``999999``: a guarantee without an end."""
_ONLY_ZEROS_AND_BLANKS = frozenset("0 ")


class _Dates(dict[str, date | None]):
    """``DDMMYY`` → date, zeros or blanks → None; anything else is a ``ValueError``. Remembers at most each valid date."""

    def __missing__(self, text: str) -> date | None:
        if not _ONLY_ZEROS_AND_BLANKS.issuperset(text):
            value = self[text] = date(_year(text), int(text[2:4]), int(text[:2]))
            return value
        return None


def _year(text: str) -> int:
    if len(text) != 6 or not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is not DDMMYY")
    return 2000 + int(text[4:]) if int(text[4:]) < FIRST_YEAR % 100 else 1900 + int(text[4:])


DATES = _Dates()


def amount(text: str) -> Decimal:
    """Return the amount of fifteen digits, exactly.

    Raises:
        ValueError: it is not all digits.
    """
    if not (text.isdigit() and text.isascii()):
        raise ValueError(f"{text!r} is not an amount")
    return Decimal(f"{text[:12]}.{text[12:14] if text[14] == '0' else text[12:]}")


def digits_of(value: Decimal, whole: int, fraction: int) -> str:
    """Return a number as ``whole`` plus ``fraction`` digits.

    Raises:
        ValueError: it is negative, too large, or has more decimals.
    """
    if not value.is_finite() or value < 0:
        raise ValueError(f"{value} is negative or no number")
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if value and value.adjusted() >= whole:
        raise ValueError(f"{value} has more than {whole} digits before the point")
    if value and exponent < -fraction and any(digits[exponent + fraction :]):
        raise ValueError(f"{value} has more than {fraction} decimals")
    shift = min(exponent, 0) + fraction if value else 0
    written = "".join(map(str, digits)) + "0" * max(exponent, 0)
    written = written + "0" * shift if shift >= 0 else written[:shift]
    return (written if value else "").rjust(whole + fraction, "0")


def ddmmyy(value: date | None) -> str:
    """Return a date as six digits, zeros for None.

    Raises:
        ValueError: two digits cannot hold the year.
    """
    if value is None:
        return "000000"
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"the year {value.year} is not between {FIRST_YEAR} and {LAST_YEAR}")
    return f"{value:%d%m%y}"


@dataclass(frozen=True, slots=True)
class Part:
    """One value of fixed width inside a structured communication: its length, and both ways."""

    length: int
    parse: Callable[[str], Any]
    format: Callable[[Any], str]


def text(length: int) -> Part:
    """Return the part that is text, kept but for the blanks at its end."""
    return Part(length, str.rstrip, str)


def _decimal(whole: int, fraction: int) -> Part:
    def parse(value: str) -> Decimal | None:
        if not value.strip():
            return None
        if not (value.isdigit() and value.isascii()):
            raise ValueError(value)
        return Decimal(f"{value[:whole]}.{value[whole:]}")

    return Part(
        whole + fraction,
        parse,
        lambda value: " " * (whole + fraction) if value is None else digits_of(value, whole, fraction),
    )


def decimal(whole: int, fraction: int) -> Part:
    """Return the part that is a number of so many digits before and after the point; blank is None."""
    return _decimal(whole, fraction)


def number(length: int) -> Part:
    """Return the part that is a count; blank is None."""

    def parse(value: str) -> int | None:
        if not value.strip():
            return None
        if not (value.isdigit() and value.isascii()):
            raise ValueError(value)
        return int(value)

    def write(value: int | None) -> str:
        if value is None:
            return " " * length
        if value < 0:
            raise ValueError(f"{value} is negative")
        return f"{value:0{length}d}"

    return Part(length, parse, write)


def _parse_open_date(value: str) -> date | None:
    return NO_END if value == "999999" else DATES[value]


def _parse_long_date(value: str) -> date | None:
    if _ONLY_ZEROS_AND_BLANKS.issuperset(value):
        return None
    if not (value.isdigit() and value.isascii()):
        raise ValueError(value)
    return date(int(value[4:]), int(value[2:4]), int(value[:2]))


def _parse_time(value: str) -> time | None:
    if not value.strip():
        return None
    if not (value.isdigit() and value.isascii()):
        raise ValueError(value)
    return time(int(value[:2]), int(value[2:]))


AMOUNT = Part(15, lambda value: amount(value) if value.strip() else None, _decimal(12, 3).format)
RATE = decimal(4, 8)
DATE = Part(6, DATES.__getitem__, ddmmyy)
OPEN_DATE = Part(6, _parse_open_date, lambda value: "999999" if value == NO_END else ddmmyy(value))
LONG_DATE = Part(8, _parse_long_date, lambda value: "00000000" if value is None else f"{value:%d%m}{value.year:04d}")
TIME = Part(4, _parse_time, lambda value: "    " if value is None else f"{value:%H%M}")
