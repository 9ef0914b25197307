"""Values as XML Schema writes them: numbers, dates, times, yes and no, attached bytes."""

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

_SPACES = " \t\r\n"
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_DATE = re.compile(rf"-?([0-9]{{4,9}})-([0-9]{{2}})-([0-9]{{2}}){_ZONE}")
_TIME = re.compile(rf"(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?|24:00:00(?:\.0+)?){_ZONE}")
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_PADDED = re.compile(r"[AQgw]==$|[AEIMQUYcgkosw048]=$")
_NO_SPACES = str.maketrans("", "", _SPACES)


def _is_number(text: str) -> bool:
    return _DECIMAL.fullmatch(text.strip(_SPACES)) is not None


def _is_time(text: str) -> bool:
    return _TIME.fullmatch(text.strip(_SPACES)) is not None


def _is_indicator(text: str) -> bool:
    return text.strip(_SPACES) in {"true", "false", "1", "0"}


def _is_date(text: str) -> bool:
    found = _DATE.fullmatch(text.strip(_SPACES))
    if not found or (len(found[1]) > 4 and found[1][0] == "0"):
        return False
    year = int(found[1])
    if year == 0:
        return False
    try:
        # Far years have the days of the year as far from them in the calendar's cycle of 400 years.
        date((year - 1) % 400 + 1, int(found[2]), int(found[3]))
    except ValueError:
        return False
    return True


def _is_base64(text: str) -> bool:
    try:
        # What is written as Python would write it is written well; a large file is looked through much quicker so.
        if text.isascii() and b2a_base64(a2b_base64(text), newline=False) == text.encode():
            return True
    except ValueError:
        pass
    text = text.translate(_NO_SPACES)
    if len(text) % 4 or not _BASE64.fullmatch(text):
        return False
    return not text.endswith("=") or _PADDED.search(text) is not None


IS_WRITTEN_WELL: Final[Mapping[str, Callable[[str], bool]]] = {
    **dict.fromkeys(("Amount", "Measure", "Numeric", "Percent", "Quantity", "Rate"), _is_number),
    "Date": _is_date,
    "Time": _is_time,
    "Indicator": _is_indicator,
    "BinaryObject": _is_base64,
}
"""Whether a text is a value of its kind; any text is a well-written text, name, code or identifier."""


def is_language(text: str) -> bool:
    """Return whether an attribute names a language as the schema writes it."""
    return _LANGUAGE.fullmatch(text.strip(_SPACES)) is not None
