"""Numbers that carry check digits: Belgian enterprise and VAT numbers, structured payment references, IBAN.

Sources: enterprise number — modulo 97 of the first eight digits; structured communication — ten digits and their
modulo 97, 97 standing for 0; ISO 13616 (IBAN) and ISO 11649 (RF reference) — modulo 97 must be 1.
"""

import re

_NOT_DIGITS = re.compile(r"[^0-9]")
_WORD = r"(?:(?:BTW|TVA|VAT|KBO|BCE)(?:[\s.\-]*n(?:r|o|°))?[\s.:\-]*)?"
"""What people write in front of such a number."""
_ENTERPRISE = re.compile(
    _WORD + r"(?:BE)?[\s.\-/()]*([01])?[\s.\-/()]*(\d(?:[\s.\-/()]*\d){8})[\s.\-/()]*", re.IGNORECASE | re.ASCII
)
_BELGIAN = re.compile(rf"\s*{_WORD}BE", re.IGNORECASE)
_STRUCTURED = re.compile(
    r"(?:\+{3}|\*{3})?\s*(\d{3})\s*[/.\-]?\s*(\d{4})\s*[/.\-]?\s*(\d{5})\s*(?:\+{3}|\*{3})?", re.ASCII
)
_STRUCTURED_IN_TEXT = re.compile(
    r"(\+{3}|\*{3})\s{0,9}(\d{3})\s{0,9}/?\s{0,9}(\d{4})\s{0,9}/?\s{0,9}(\d{5})\s{0,9}(?:\1)", re.ASCII
)
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}", re.ASCII)
_CREDITOR = re.compile(r"RF\d{2}[A-Z0-9]{1,21}", re.ASCII)
_CREDITOR_IN_TEXT = re.compile(
    r"\bRF\d{2}(?:[A-Z0-9]{1,21}|(?: [A-Z0-9]{4}){1,5}(?: [A-Z0-9]{1,3})?)\b", re.ASCII | re.IGNORECASE
)
_LENGTH_MAX = 64
_TEXT_MAX = 10_000
"""How far into a text references are looked for; a note may be megabytes long."""
_NUMBER_OF_LETTER = {ord(letter): str(int(letter, 36)) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def is_enterprise_number(text: str) -> bool:
    """Return whether ``text`` is ten digits that form a Belgian enterprise number."""
    if len(text) != 10 or not (text.isascii() and text.isdigit()) or text[0] not in "01":
        return False
    return 97 - int(text[:8]) % 97 == int(text[8:])


def normalise_enterprise_number(text: str) -> str | None:
    """Return the ten digits of a Belgian enterprise or VAT number, however it is written; None when it is not one.

    ``BE 0793.904.121``, ``BTW BE 0793.904.121``, ``0793904121`` and the older ``793904121`` are the same number.
    """
    if len(text) > _LENGTH_MAX or not (found := _ENTERPRISE.fullmatch(text.strip())):
        return None
    digits = (found[1] or "0") + _NOT_DIGITS.sub("", found[2])
    return digits if is_enterprise_number(digits) else None


def is_belgian_vat_number(text: str) -> bool:
    """Return whether ``text`` is written as a Belgian VAT number, with or without the word for VAT in front."""
    return _BELGIAN.match(text[:_LENGTH_MAX]) is not None


def parse_structured_reference(text: str) -> str | None:
    """Return the twelve digits of a Belgian structured reference, with or without its signs; None when it is not one."""
    if len(text) > _LENGTH_MAX or not (found := _STRUCTURED.fullmatch(text.strip())):
        return None
    return _checked("".join(found.groups()))


def find_structured_references(text: str) -> list[str]:
    """Return each valid ``+++123/4567/89012+++`` in ``text``, as twelve digits."""
    found = (_checked(one[2] + one[3] + one[4]) for one in _STRUCTURED_IN_TEXT.finditer(text[:_TEXT_MAX]))
    return [digits for digits in found if digits is not None]


def format_structured_reference(digits: str) -> str:
    """Return twelve digits as people read them: ``+++123/4567/89012+++``."""
    return f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"


def parse_creditor_reference(text: str) -> str | None:
    """Return an ISO 11649 reference (``RF…``) in capitals and without blanks; None when it is not one."""
    compact = text.replace(" ", "").upper()
    return compact if _CREDITOR.fullmatch(compact) and _modulo_97(compact) == 1 else None


def is_creditor_reference(text: str) -> bool:
    """Return whether ``text`` is an ISO 11649 reference (``RF…``)."""
    return parse_creditor_reference(text) is not None


def find_creditor_references(text: str) -> list[str]:
    """Return each valid ISO 11649 reference in ``text``, written in one piece or in groups of four."""
    found = (_longest_creditor_reference(one[0].split(" ")) for one in _CREDITOR_IN_TEXT.finditer(text[:_TEXT_MAX]))
    return [reference for reference in found if reference is not None]


def _longest_creditor_reference(groups: list[str]) -> str | None:
    """Return the reference that the first groups make; a word or a number that follows it is no part of it."""
    candidates = (parse_creditor_reference("".join(groups[:length])) for length in range(len(groups), 0, -1))
    return next((one for one in candidates if one is not None), None)


def is_iban(text: str) -> bool:
    """Return whether ``text`` is an IBAN with correct check digits."""
    compact = text.replace(" ", "").upper()
    return bool(_IBAN.fullmatch(compact)) and _modulo_97(compact) == 1


def _checked(digits: str) -> str | None:
    return digits if (int(digits[:10]) % 97 or 97) == int(digits[10:]) else None


def _modulo_97(text: str) -> int:
    return int((text[4:] + text[:4]).translate(_NUMBER_OF_LETTER)) % 97
