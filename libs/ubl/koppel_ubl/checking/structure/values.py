"""Values as XML Schema writes them: numbers, dates, times, yes and no, attached bytes."""

import re
from datetime import date

_SPACES = " \t\r\n"
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_DATE = re.compile(rf"-?([0-9]{{4,9}})-([0-9]{{2}})-([0-9]{{2}}){_ZONE}")
_TIME = re.compile(rf"(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?|24:00:00(?:\.0+)?){_ZONE}")
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_PADDED = re.compile(r"[AQgw]==$|[AEIMQUYcgkosw048]=$")
_NO_SPACES = str.maketrans("", "", _SPACES)
NUMBERS = frozenset({"Amount", "Measure", "Numeric", "Percent", "Quantity", "Rate"})


def is_written_well(kind: str, text: str) -> bool:
    """Return whether a text is a value of its kind; texts, names, codes and identifiers are whatever they are."""
    if kind in NUMBERS:
        return _DECIMAL.fullmatch(text.strip(_SPACES)) is not None
    match kind:
        case "Date":
            return _is_date(text.strip(_SPACES))
        case "Time":
            return _TIME.fullmatch(text.strip(_SPACES)) is not None
        case "Indicator":
            return text.strip(_SPACES) in {"true", "false", "1", "0"}
        case "BinaryObject":
            return _is_base64(text)
    return True


def _is_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if not found or (len(found[1]) > 4 and found[1][0] == "0"):
        return False
    year = int(found[1])
    try:
        # Far years have the days of the year as far from them in the calendar's cycle of 400 years.
        date((year - 1) % 400 + 1, int(found[2]), int(found[3]))
    except ValueError:
        return False
    return True


def _is_base64(text: str) -> bool:
    text = text.translate(_NO_SPACES)
    if not _BASE64.fullmatch(text):
        return False
    return not text.endswith("=") or _PADDED.search(text) is not None


def is_language(text: str) -> bool:
    """Return whether an attribute names a language as the schema writes it."""
    return _LANGUAGE.fullmatch(text.strip(_SPACES)) is not None
