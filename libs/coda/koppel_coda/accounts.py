"""Account numbers in the four ways CODA writes them, with their currency, in 37 positions."""

import re
from dataclasses import dataclass
from enum import Enum

from . import checkdigits

WIDTH = 37
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]")
_BBAN = re.compile(r"[0-9]{12}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}$")


class Structure(Enum):
    """How an account number is written; the value is the digit of record 1."""

    BBAN = "0"
    FOREIGN = "1"
    IBAN = "2"
    FOREIGN_IBAN = "3"


@dataclass(frozen=True, slots=True)
class Account:
    """An account: ``number`` without blanks around it (an IBAN has none inside either), ``currency`` or ``""``.

    ``qualification`` and ``country`` are those of a Belgian number that is no IBAN; ``extension`` of it and of a
    Belgian IBAN.
    """

    number: str
    currency: str = ""
    structure: Structure = Structure.IBAN
    qualification: str = ""
    country: str = ""
    extension: str = ""

    @property
    def iban(self) -> str | None:
        """Return the IBAN, worked out for a Belgian number; None for a foreign number that is none."""
        if self.structure in (Structure.IBAN, Structure.FOREIGN_IBAN):
            return self.number
        if self.structure is Structure.BBAN and _BBAN.match(self.number):
            return checkdigits.iban_of(self.number)
        return compact(self.number) if _is_iban(self.number) else None

    @property
    def key(self) -> tuple[str, str]:
        """Return what is the same for one account however it is written: its IBAN, else its number, and its currency."""
        return self.iban or self.number, self.currency

    def is_same_as(self, other: "Account") -> bool:
        """Return whether both are one account: one number, however it is written, and one currency, where both tell theirs."""
        numbers = {compact(one.iban or one.number) for one in (self, other)}
        currencies = {one.currency.upper() for one in (self, other) if one.currency}
        return len(numbers) == 1 and len(currencies) <= 1

    @property
    def is_valid(self) -> bool:
        """Return whether the check digits hold; a foreign number that is no IBAN has none."""
        if self.structure is Structure.BBAN:
            return checkdigits.is_bban(self.number)
        return self.structure is Structure.FOREIGN or checkdigits.is_iban(self.number)


def parse(zone: str, structure: Structure) -> Account:
    """Return the account of 37 positions written in this structure."""
    if structure is Structure.BBAN:
        currency, extension = zone[13:16].strip(), zone[22:37].rstrip()
        if not currency and not zone[22:34].strip() and _CURRENCY.match(zone[34:]):
            currency, extension = zone[34:], ""  # where the other structures have it
        return Account(zone[:12].strip(), currency, structure, zone[16:17].strip(), zone[17:19].strip(), extension)
    if structure is Structure.IBAN and not zone[16:31].strip():
        return Account(compact(zone[:31]), zone[34:].strip(), structure, extension=zone[31:34].strip())
    number = zone[:34].rstrip()
    return Account(number if structure is Structure.FOREIGN else compact(number), zone[34:].strip(), structure)


def _is_iban(number: str) -> bool:
    """Return whether a number whose structure does not say so is an IBAN, as the check digits prove."""
    return _IBAN.match(compact(number)) is not None and checkdigits.is_iban(compact(number))


def compact(iban: str) -> str:
    """Return an IBAN as it is exchanged: in capitals, without the blanks of its printed form (ISO 13616)."""
    return iban.replace(" ", "").upper()


def guess(zone: str) -> Structure:
    """Return the structure that 37 positions seem to have; a foreign number when it looks like nothing else."""
    if _IBAN.match(zone) or _is_iban(zone[:34]):
        return Structure.IBAN if zone[:2].upper() == "BE" else Structure.FOREIGN_IBAN
    if zone[:12].isdigit() and zone[:12].isascii() and zone[12:13] == " " and not zone[19:22].strip():
        return Structure.BBAN
    return Structure.FOREIGN


def structure_of(digit: str, zone: str) -> Structure | None:
    """Return the structure of an account whose record announces ``digit``; None when there is no such structure.

    Some banks leave the digit out, others announce a Belgian number and send an IBAN, or the reverse: cut as announced, another
    number would come out.
    """
    if digit == " ":
        return guess(zone)
    if digit not in (one.value for one in Structure):
        return None
    structure = Structure(digit)
    if structure is Structure.BBAN:
        guessed = guess(zone)
        return guessed if guessed in (Structure.IBAN, Structure.FOREIGN_IBAN) else structure
    if structure in (Structure.IBAN, Structure.FOREIGN_IBAN) and guess(zone) is Structure.BBAN:
        return Structure.BBAN
    return structure


def parse_closing(zone: str, opened: Account) -> Account:
    """Return the account of record 8, which announces no structure: that of record 1 holds, unless another shows itself."""
    is_iban_called_foreign = opened.structure is Structure.FOREIGN and opened.iban is not None
    digit = " " if is_iban_called_foreign else opened.structure.value
    return parse(zone, structure_of(digit, zone) or opened.structure)


def parse_counterparty(zone: str) -> Account | None:
    """Return the account of a counterparty, which announces no structure; None when blank or all zeros."""
    account = parse(zone, guess(zone))
    if not account.number.strip("0 "):
        return None
    if account.structure is Structure.FOREIGN and account.currency and not _CURRENCY.match(account.currency):
        return Account(zone.rstrip(), "", Structure.FOREIGN)
    return account


def written(account: Account) -> str:
    """Return the 37 positions of an account; longer when a part is too long."""
    if account.structure is Structure.BBAN:
        head = f"{account.number:12} {account.currency:3}{account.qualification:1}{account.country:2}   "
        return f"{head}{account.extension:15}"
    if account.structure is Structure.IBAN and account.extension:
        return f"{account.number:31}{account.extension:3}{account.currency:3}"
    return f"{account.number:34}{account.currency:3}"
