"""Belgian and international identifiers with check digits: enterprise and VAT numbers, payment references, IBAN.

Pure functions over text. `is_…` judges what is written in normal form; `normalise_…` takes what people type (dots, spaces,
prefixes) and returns the normal form, or None when it cannot be one.
"""

import re
from dataclasses import dataclass
from typing import Literal

_SEPARATORS = re.compile(r"[\s.\-/]+")
_ENTERPRISE = re.compile(r"[01][0-9]{9}")
# EN 16931 rule BR-CO-09: a country code comes first (EL for Greece, XI for Northern Ireland); the longest national
# form is 12 characters, a Dutch one contains a B, Irish and Spanish ones letters, an old Irish one + or *.
_VAT = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,13}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_CREDITOR = re.compile(r"RF[0-9]{2}[A-Z0-9]{1,21}")
_BELGIAN_BARE = re.compile(r"[0-9]{12}|[0-9]{3}/[0-9]{4}/[0-9]{5}")
_BELGIAN_DISPLAYED = re.compile(r"(\+\+\+|\*\*\*)\s*([0-9]{3})\s*/?\s*([0-9]{4})\s*/?\s*([0-9]{5})\s*(?:\+\+\+|\*\*\*)")
_TEXT_LENGTH_MAX = 200


def is_enterprise_number(text: str) -> bool:
    """Ten digits, the first 0 or 1, the last two 97 minus the first eight modulo 97 (KBO/BCE)."""
    return _ENTERPRISE.fullmatch(text) is not None and int(text[8:]) == 97 - int(text[:8]) % 97


def normalise_enterprise_number(text: str) -> str | None:
    """`BE 0793.904.121`, `793904121`, `0208:0793904121` → `0793904121`; None when the check digits are wrong."""
    if len(text) > _TEXT_LENGTH_MAX:
        return None
    bare = _SEPARATORS.sub("", text).upper()
    for prefix in ("0208:", "9925:", "9956:", "BE"):
        bare = bare.removeprefix(prefix)
    if len(bare) == 9:  # numbers from before 2005 are still written without their leading zero
        bare = "0" + bare
    return bare if is_enterprise_number(bare) else None


def is_vat_number(text: str) -> bool:
    """A country code and a national number; the Belgian one must pass its check digits."""
    if _VAT.fullmatch(text) is None:
        return False
    return is_enterprise_number(text[2:]) if text.startswith("BE") else any(char.isdigit() for char in text)


def normalise_vat_number(text: str) -> str | None:
    """`be 0793.904.121` → `BE0793904121`; None when it cannot be a VAT number. Without a country it stays unknown."""
    if len(text) > _TEXT_LENGTH_MAX:
        return None
    bare = _SEPARATORS.sub("", text).upper()
    if bare.startswith("BE"):
        number = normalise_enterprise_number(bare)
        return f"BE{number}" if number else None
    return bare if is_vat_number(bare) else None


def is_iban(text: str) -> bool:
    """ISO 13616: modulo 97 equals 1; a Belgian one has 16 characters and checks its own account number too."""
    if _IBAN.fullmatch(text) is None or not _passes_mod_97(text):
        return False
    if not text.startswith("BE"):
        return True
    return len(text) == 16 and text[4:].isdecimal() and int(text[14:]) == (int(text[4:14]) % 97 or 97)


def normalise_iban(text: str) -> str | None:
    """`BE54 0000 0000 0097` → `BE54000000000097`; None when the check digits are wrong."""
    if len(text) > _TEXT_LENGTH_MAX:
        return None
    bare = _SEPARATORS.sub("", text).upper()
    return bare if is_iban(bare) else None


@dataclass(frozen=True, slots=True)
class StructuredReference:
    """A payment reference a bank matches by machine.

    `value` is normal form: 12 digits for the Belgian standard (banks call it BBA), `RF…` without spaces for ISO 11649.
    An invalid one is kept, for it is still what the payer will type; look at `is_valid` before relying on it.
    """

    standard: Literal["BBA", "ISO11649"]
    value: str
    is_valid: bool

    @property
    def display(self) -> str:
        """As people write it: `+++202/6000/00192+++`, or the RF reference in groups of four."""
        if self.standard == "BBA":
            return f"+++{self.value[:3]}/{self.value[3:7]}/{self.value[7:]}+++"
        return " ".join(self.value[start : start + 4] for start in range(0, len(self.value), 4))


def parse_structured_reference(text: str) -> StructuredReference | None:
    """The reference that is the whole of `text`: `+++…+++`, `***…***`, twelve digits, or `RF…`; else None."""
    if len(text) > _TEXT_LENGTH_MAX:
        return None
    stripped = text.strip()
    displayed = _BELGIAN_DISPLAYED.fullmatch(stripped)
    if displayed is not None:
        return _belgian("".join(displayed.groups()[1:]))
    if _BELGIAN_BARE.fullmatch(stripped) is not None:
        return _belgian(stripped.replace("/", ""))
    bare = "".join(stripped.split()).upper()
    if _CREDITOR.fullmatch(bare) is not None:
        return StructuredReference("ISO11649", bare, _passes_mod_97(bare))
    return None


def find_structured_reference(text: str) -> StructuredReference | None:
    """The first reference displayed inside free text; only the `+++` or `***` form, for bare digits could be anything."""
    displayed = _BELGIAN_DISPLAYED.search(text[:10_000])
    return None if displayed is None else _belgian("".join(displayed.groups()[1:]))


def is_structured_reference(text: str) -> bool:
    """Whether `text` is a Belgian or ISO 11649 reference with right check digits."""
    reference = parse_structured_reference(text)
    return reference is not None and reference.is_valid


def _belgian(digits: str) -> StructuredReference:
    return StructuredReference("BBA", digits, int(digits[10:]) == (int(digits[:10]) % 97 or 97))


def _passes_mod_97(text: str) -> bool:
    """ISO 7064 as IBAN and RF use it: the first four characters go last, letters count 10 to 35."""
    rearranged = text[4:] + text[:4]
    return int("".join(str(int(char, 36)) for char in rearranged)) % 97 == 1
