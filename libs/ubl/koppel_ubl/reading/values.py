"""From the text of an element to a value; a repeated text, as amounts, rates and dates often are, is parsed once."""

import re
from datetime import date
from decimal import Decimal
from typing import Final

from koppel_ubl.model.numbers import DECIMALS_MAX, WHOLE_DIGITS_MAX

_DECIMAL: Final = re.compile(
    rf"[+-]?(?:\d{{1,{WHOLE_DIGITS_MAX}}}(?:\.\d{{0,{DECIMALS_MAX}}})?|\.\d{{1,{DECIMALS_MAX}}})", re.ASCII
)
"""XML Schema's decimal: no exponent, no NaN; and no more digits than programs write (a 400-digit one is schema-valid)."""
_DATE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)
_CACHED_MAX: Final = 4_096
_decimals: Final[dict[str, Decimal]] = {}
_days: Final[dict[str, date]] = {}


def decimal_from(text: str) -> Decimal | None:
    """Return the number that ``text`` is, exactly as written; None when it is not one."""
    found = _decimals.get(text)
    if found is not None:
        return found
    stripped = text.strip()
    if _DECIMAL.fullmatch(stripped) is None:
        return None
    found = Decimal(stripped)
    if len(_decimals) >= _CACHED_MAX:
        _decimals.clear()
    if len(text) < 30:
        _decimals[text] = found
    return found


def day_from(text: str) -> date | None:
    """Return the date; a time zone after it is ignored, as it does not change a business day."""
    found = _days.get(text)
    if found is not None:
        return found
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    try:
        found = date.fromisoformat(match[1])
    except ValueError:
        return None
    if len(_days) >= _CACHED_MAX:
        _days.clear()
    if len(text) < 30:
        _days[text] = found
    return found


def truth_from(text: str) -> bool | None:
    """Return true or false; None when the text is neither."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
