"""Check digits of the identifiers that other countries put in Peppol documents.

The text is checked as written: white space, dots and country prefixes are not removed. Methods: GS1 (modulo 10,
weights 3 and 1), Brønnøysund (modulo 11), Skatteverket (Luhn), the Australian Business Register (modulo 89), the
Italian VAT number (Luhn from the left), AADE in Greece (powers of two, modulo 11).
"""

import re

_DIGITS = re.compile(r"[0-9]+")
_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)
_ITALIAN_PERSON = re.compile(r"[A-Za-z]{6}([^A-Za-z]{2})[A-Za-z](.{2}).{3}([0-9])[A-Za-z]", re.DOTALL)
_ABN_WEIGHTS = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
_DOUBLED = "0246813579"


def _is_digits(text: str, length: int) -> bool:
    return len(text) == length and bool(_DIGITS.fullmatch(text))


def is_gln(text: str) -> bool:
    """Return whether the last digit is the GS1 check digit of those before it, however many there are."""
    if not _DIGITS.fullmatch(text):
        return False
    weighted = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(text[:-1])))
    return -weighted % 10 == int(text[-1])


def is_norwegian_number(text: str) -> bool:
    """Return whether the text is nine digits with a modulo 11 check digit, not all zero."""
    if not _is_digits(text, 9) or not int(text):
        return False
    weighted = sum(int(digit) * (place % 6 + 2) for place, digit in enumerate(reversed(text[:8])))
    return -weighted % 11 == int(text[8])


def is_belgian_enterprise(text: str) -> bool:
    """Return whether the text is ten digits of which the last two are 97 less the remainder of the others.

    Unlike ``identifiers.is_enterprise_number`` the first digit is free, as in the official rule (release 3.0.21).
    """
    return _is_digits(text, 10) and 97 - int(text[:8]) % 97 == int(text[8:])


def is_swedish_number(text: str) -> bool:
    """Return whether the text is all digits and the tenth is the Luhn digit of the nine before it."""
    if len(text) < 10 or not _DIGITS.fullmatch(text):
        return False
    weighted = sum(
        int(_DOUBLED[int(digit)]) if place % 2 == 0 else int(digit) for place, digit in enumerate(reversed(text[:9]))
    )
    return -weighted % 10 == int(text[9])


def is_australian_business(text: str) -> bool:
    """Return whether the text is an eleven-digit ABN."""
    if not _is_digits(text, 11):
        return False
    digits = [int(digit) for digit in text]
    digits[0] -= 1
    return sum(digit * weight for digit, weight in zip(digits, _ABN_WEIGHTS, strict=True)) % 89 == 0


def is_italian_office(text: str) -> bool:
    """Return whether the text has the shape of an IPA office code: six letters and digits."""
    return len(text) == 6 and text.isascii() and text.isalnum()


def is_italian_tax_code(text: str) -> bool:
    """Return whether the text has the shape of a *codice fiscale*: eleven digits, or sixteen signs for a person."""
    if len(text) == 11:
        return bool(_INTEGER.fullmatch(text))
    if len(text) != 16 or not (found := _ITALIAN_PERSON.fullmatch(text)):
        return False
    return bool(_INTEGER.fullmatch(found[1]) and _INTEGER.fullmatch(found[2]))


def is_italian_vat(text: str) -> bool:
    """Return whether a number that begins with IT is a *partita IVA*; numbers of other countries are let through."""
    if text[:2] not in {"IT", "it"}:
        return True
    digits = text[2:]
    if not _is_digits(digits, 11):
        return False
    return sum(int(_DOUBLED[int(digit)]) if place % 2 else int(digit) for place, digit in enumerate(digits)) % 10 == 0


def is_greek_tax_number(text: str) -> bool:
    """Return whether the text begins with nine digits that form a Greek tax number; what follows them is not checked."""
    if not _is_digits(text[:9], 9):
        return False
    weighted = sum(int(digit) << (8 - place) for place, digit in enumerate(text[:8]))
    return weighted % 11 % 10 == int(text[8])
