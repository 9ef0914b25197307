"""XML as text: which characters it can hold, and how numbers and signs are written. The same value always gives the same text."""

import re
from decimal import Decimal
from typing import Final

from koppel_ubl.errors import WriteError
from koppel_ubl.model.numbers import DECIMALS_MAX, WHOLE_DIGITS_MAX

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold in any spelling."""
ATTRIBUTE_CHARACTERS_MAX: Final = 2_000
"""Far above any scheme or file name, and far below the length of a tag that readers, ours included, take for a flood."""


def escaped(text: str, path: str) -> str:
    """Return text as it is written between tags or in an attribute.

    Raises:
        WriteError: ``invalid_character``.
    """
    if _FORBIDDEN.search(text) is not None:
        raise WriteError("invalid_character", "There is a control character in a text.", path)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return text.replace("\r", "&#13;")


def attribute(name: str, value: str | None, path: str) -> str:
    """Return an attribute with a blank in front; nothing for an absent value.

    Raises:
        WriteError: ``too_long``, ``invalid_character``.
    """
    if not value:
        return ""
    if len(value) > ATTRIBUTE_CHARACTERS_MAX:
        raise WriteError("too_long", f"{name} has more than {ATTRIBUTE_CHARACTERS_MAX} characters.", path)
    return f' {name}="{escaped(value, path)}"'.replace("\n", "&#10;").replace("\t", "&#9;")


def plain(number: Decimal, path: str) -> str:
    """Return a number without exponent, its digits as they are.

    Raises:
        WriteError: ``invalid_number``.
    """
    if not number.is_finite():
        raise WriteError("invalid_number", f"{number} is not a number that can be written.", path)
    exponent = number.as_tuple().exponent
    too_fine = isinstance(exponent, int) and exponent < -DECIMALS_MAX
    if too_fine or (number and number.adjusted() >= WHOLE_DIGITS_MAX):
        sides = f"{WHOLE_DIGITS_MAX} digits before its point or {DECIMALS_MAX} after it"
        raise WriteError("invalid_number", f"The number has more than {sides}.", path)
    return format(number or abs(number), "f")
