"""How a value is written, as far as a token records it: as a plain number, as another number, as a date, or only not blank."""

import re
from collections.abc import Callable, Hashable
from datetime import date
from typing import Final

SPACES: Final = " \t\r\n"
PLAIN: Final = "plain"
"""A number without sign and with two decimals at most; a date of the calendar without zone."""
FINE: Final = "fine"
"""Another number that is well written and not too long."""
_PLAIN_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{0,2})?").fullmatch
_FINE_NUMBER = re.compile(r"-?[0-9]{1,10}(?:\.[0-9]{0,10})?").fullmatch
_PLAIN_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_NUMBERS = ("Amount", "Quantity", "Numeric", "Measure", "Rate")
_CODES = frozenset({"cbc:CustomizationID", "cbc:ProfileID", "cbc:UBLVersionID", "cbc:ChargeIndicator", "cbc:Percent"})
_CATEGORIES = ("/cac:TaxScheme/cbc:ID", "/cac:TaxCategory/cbc:ID", "/cac:ClassifiedTaxCategory/cbc:ID")

Writing = Callable[[str], Hashable]
"""What a token records of a text: texts with the same answer and the same attributes share one token."""

is_plain_number = _PLAIN_NUMBER


def is_filled(text: str) -> bool:
    """Return whether a text holds more than white space."""
    return text >= "!" or bool(text.strip(SPACES))


def as_number(text: str) -> Hashable:
    """Return ``PLAIN`` or ``FINE`` for a number, and otherwise whether the text is filled."""
    if _PLAIN_NUMBER(text):
        return PLAIN
    return FINE if _FINE_NUMBER(text) else is_filled(text)


def as_date(text: str) -> Hashable:
    """Return ``PLAIN`` for a date, and otherwise whether the text is filled."""
    if not _PLAIN_DATE(text):
        return is_filled(text)
    try:
        date.fromisoformat(text)
    except ValueError:
        return True
    return PLAIN


def with_start(text: str) -> Hashable:
    """Return the first two characters, and whether the text is filled."""
    return text[:2], is_filled(text)


def writing_at(path: str, name: str) -> Writing:
    """Return what a token records of a text at this place; ``str`` where it is the whole text, that of a code."""
    if name in _CODES or path.endswith(_CATEGORIES) or (name.endswith("Code") and name != "cbc:ItemClassificationCode"):
        return str
    if name.endswith(_NUMBERS):
        return as_number
    if name.endswith("Date"):
        return as_date
    return with_start if path.endswith("/cac:PartyTaxScheme/cbc:CompanyID") else is_filled
