"""Which addresses a mail may go to. Pure.

The local part is the receiver's own and is kept byte for byte (RFC 5321 §2.4; billmail §1). Whatever is
not plainly one mailbox is refused where it is typed: a document that goes to a look-alike is in strange hands.
"""

import re
import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""A dot-atom (RFC 5322 §3.2.3): no quotes, no comments."""
_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_ENTERPRISE: Final = re.compile(r"(?:BE)?([01]?\d{9})(?!\d)", re.IGNORECASE)
_OWN_LETTERS: Final = frozenset("ßæœøđłþð")
"""Latin letters that are no accented form of an ASCII letter and look like none."""


def checked(address: str) -> str:
    """Return the address as it was given.

    Raises:
        PydanticCustomError: it is not plainly the address of one mailbox; its type says why.
    """
    if any(unicodedata.category(each)[0] in "CZ" for each in address):
        raise _refused("address_with_blanks", "an address has no blanks, line breaks or invisible characters")
    if not address.isascii():
        raise _refused("address_not_ascii", "an address has plain letters only; write a domain with accents as xn--…")
    if re.search(r'[,;<>()"\\\[\]:]', address):
        raise _refused("address_not_plain", "give one plain address: no list, no name, no comment, no quotes")
    local, at, domain = address.rpartition("@")
    if not at or not 0 < len(local) <= 64 or _LOCAL.fullmatch(local) is None:
        raise _refused("address_not_valid", "the part before the @ is not that of an address")
    _check_domain(domain)
    return address


Address = Annotated[str, AfterValidator(checked)]
"""The address of one mailbox."""


def domain_of(address: str) -> str:
    """Return the domain of an address, in small letters."""
    return address.rpartition("@")[2].lower()


def is_within(domain: str, parents: tuple[str, ...]) -> bool:
    """Return whether a domain is one of these, or below one."""
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)


def enterprise_number_in(address: str) -> str | None:
    """Return the enterprise number that an address begins with, ten digits; None where it begins with something else."""
    found = _ENTERPRISE.match(address)
    return found.group(1).rjust(10, "0") if found else None


def _check_domain(domain: str) -> None:
    labels = domain.split(".")
    well_formed = all(len(label) <= 63 and _LABEL.fullmatch(label) for label in labels)
    if len(labels) < 2 or len(domain) > 253 or not well_formed or labels[-1].isdigit():
        raise _refused("address_not_valid", "the part after the @ is no domain")
    for label in labels:
        if label.lower().startswith("xn--"):
            _check_international(label)


def _check_international(label: str) -> None:
    """Only accents are let through: a letter of another script, or one that imitates another, makes a look-alike."""
    try:
        written = label.lower().encode("ascii").decode("idna")
    except UnicodeError:
        written = "\ufffd"
    for each in written:
        if each.isascii() or each in _OWN_LETTERS:
            continue
        base = unicodedata.normalize("NFD", each)
        accents = all(unicodedata.category(mark) == "Mn" for mark in base[1:])
        if not (len(base) > 1 and base[0].isascii() and base[0].isalpha() and accents):
            raise _refused("address_lookalike", "the domain holds letters that look like others; ask for the real one")


def _refused(rule: str, sentence: str) -> PydanticCustomError:
    return PydanticCustomError(rule, sentence)
