"""Check digits: Belgian account numbers, IBAN, and the references payers copy."""

from string import ascii_uppercase, digits

_VALUES = {character: str(value) for value, character in enumerate(digits + ascii_uppercase)}


def _mod_97(text: str) -> int | None:
    """Return the remainder ISO 7064 calculates, None when a character has no value."""
    if not text or not all(character in _VALUES for character in text):
        return None
    return int("".join(_VALUES[character] for character in text)) % 97


def _is_97(number: str) -> bool:
    """Return whether the last two of twelve digits are the others modulo 97, 0 written as 97."""
    if len(number) != 12 or not (number.isascii() and number.isdigit()):
        return False
    return int(number[10:]) == (int(number[:10]) % 97 or 97)


def is_bban(number: str) -> bool:
    """Return whether a Belgian account number of twelve digits is right."""
    return _is_97(number)


def is_structured_reference(reference: str) -> bool:
    """Return whether a Belgian structured reference of twelve digits is right."""
    return _is_97(reference)


def is_creditor_reference(reference: str) -> bool:
    """Return whether an ISO 11649 reference is right."""
    return reference[:2] == "RF" and 5 <= len(reference) <= 25 and _mod_97(reference[4:] + reference[:4]) == 1


def is_iban(number: str) -> bool:
    """Return whether the check digits of an IBAN are right (of the lengths per country only Belgium's is checked)."""
    if number[:2] == "BE" and len(number) != 16:
        return False
    return 15 <= len(number) <= 34 and _mod_97(number[4:] + number[:4]) == 1


def iban_of(bban: str) -> str:
    """Return the Belgian IBAN of a Belgian account number."""
    return f"BE{98 - int(bban + '111400') % 97:02d}{bban}"
