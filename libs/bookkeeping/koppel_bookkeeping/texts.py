"""Texts of an entry as ledgers take them: cut to a width, and payment references that bank statements are matched by."""

import re
from typing import Final

from koppel_ubl.identifiers import format_structured_reference, is_creditor_reference, parse_structured_reference

_PUNCTUATION: Final = re.compile(r"[\s+*/.]")


def clipped(text: str, length: int) -> str:
    """Return a text on one line, cut with an ellipsis where it is longer than ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def structured_payment_reference(text: str | None) -> str | None:
    """Return a Belgian structured reference as ``+++123/4567/89012+++``, an ISO 11649 one bare; None for any other text.

    A reference with wrong check digits is a text like any other: a payment is never matched by it.
    """
    plain = _PUNCTUATION.sub("", text or "").upper()
    if (digits := parse_structured_reference(plain)) is not None:
        return format_structured_reference(digits)
    return plain if is_creditor_reference(plain) else None
