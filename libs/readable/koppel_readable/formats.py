"""Numbers and dates as people of a language write them; ``Decimal`` in, text out, every digit kept that there is room for."""

from datetime import date
from decimal import Decimal
from typing import Final

from koppel_ubl.identifiers import (
    format_structured_reference,
    is_creditor_reference,
    is_iban,
    normalise_enterprise_number,
    parse_structured_reference,
)

from .labels import MONTHS, Language

LENGTH_MAX: Final = 30
"""No written number is longer: what has more decimals is cut off, and what has more digits is shown by the first of them."""
NO_BREAK_SPACE: Final = "\u00a0"
_WHOLE_MAX: Final = 21
"""Digits before the point, or zeros behind it, of the longest number that is written out."""
_SEPARATORS: Final[dict[Language, tuple[str, str]]] = {
    "nl": (".", ","),
    "fr": (NO_BREAK_SPACE, ","),
    "en": (",", "."),
}
"""Between thousands, and before the decimals."""


def format_amount(value: Decimal | None, language: Language) -> str:
    """Return an amount with two decimals, more where it has more; empty for None."""
    if value is None:
        return ""
    return _format(value, language, decimals_min=2)


def format_number(value: Decimal | None, language: Language) -> str:
    """Return a quantity or a rate without trailing zeros; empty for None."""
    if value is None:
        return ""
    return _format(value, language, decimals_min=0)


def format_percent(value: Decimal | None, language: Language) -> str:
    """Return a rate with its sign, such as ``21 %``; empty for None."""
    if value is None:
        return ""
    sign = "%" if language == "en" else f"{NO_BREAK_SPACE}%"
    return format_number(value, language) + sign


def format_money(value: Decimal | None, currency: str | None, language: Language) -> str:
    """Return an amount with its currency where the language has it: ``€ 12,00``, ``12,00 €``; empty for None."""
    if value is None:
        return ""
    sign = "€" if currency == "EUR" else (currency or "").strip()
    parts = (format_amount(value, language), sign) if language == "fr" else (sign, format_amount(value, language))
    return NO_BREAK_SPACE.join(part for part in parts if part)


def format_date(value: date | None, language: Language) -> str:
    """Return a date with the month as a word, which no reader takes for the day; empty for None."""
    if value is None:
        return ""
    day = "1er" if language == "fr" and value.day == 1 else str(value.day)
    return NO_BREAK_SPACE.join((day, MONTHS[language][value.month - 1], str(value.year)))


def format_reference(text: str) -> str:
    """Return a payment reference as on a transfer form: structured with its signs, RF in groups of four, others as written."""
    if (digits := parse_structured_reference(text)) is not None:
        return format_structured_reference(digits)
    return _in_fours(text) if is_creditor_reference(text) else text


def format_account(text: str) -> str:
    """Return an IBAN in groups of four, another account as written."""
    return _in_fours(text) if is_iban(text) else text


def format_vat_number(text: str) -> str:
    """Return a Belgian VAT number as on paper, ``BE 0403.170.701``, another as written."""
    digits = normalise_enterprise_number(text) if text.strip().upper().startswith("BE") else None
    return text if digits is None else f"BE{NO_BREAK_SPACE}{format_enterprise_number(digits)}"


def format_enterprise_number(digits: str) -> str:
    """Return ten digits as on paper: ``0403.170.701``."""
    return f"{digits[:4]}.{digits[4:7]}.{digits[7:]}"


def _format(value: Decimal, language: Language, decimals_min: int) -> str:
    if not value.is_finite():
        return str(value)
    if value and abs(value.adjusted()) >= _WHOLE_MAX:
        return f"{value:.12E}"
    whole, _, decimals = f"{value:,f}".partition(".")
    decimals = decimals.rstrip("0").ljust(decimals_min, "0")
    thousands, point = _SEPARATORS[language]
    written = whole.replace(",", thousands) + (point + decimals if decimals else "")
    return written if len(written) <= LENGTH_MAX else f"{written[: LENGTH_MAX - 1]}…"


def _in_fours(text: str) -> str:
    compact = text.replace(" ", "").upper()
    return NO_BREAK_SPACE.join(compact[start : start + 4] for start in range(0, len(compact), 4))
