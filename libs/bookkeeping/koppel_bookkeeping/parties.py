"""Customers and suppliers: one way to compare their numbers and names, and which relation of the books a party is.

Every part of Koppel that compares an enterprise number, a VAT number or a name does it by ``number_key`` and ``name_key``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from koppel_ubl.identifiers import normalise_enterprise_number

from .sides import Side

_LEGAL_FORM: Final = re.compile(
    r"\b(n\.?v|s\.?a|b\.?v\.?b\.?a|b\.?v|s\.?r\.?l|s\.?p\.?r\.?l|c\.?v\.?b\.?a|c\.?v|v\.?z\.?w|a\.?s\.?b\.?l|comm\.?v)\b\.?",
    re.IGNORECASE,
)
_NOT_IN_NUMBERS: Final = re.compile(r"[^0-9A-Za-z+*]")
_WORD_FOR_VAT: Final = re.compile(r"^(?:BTW|TVA|VAT|MWST|USTIDNR|USTID|UST|KBO|BCE)(?:NR|NO|N)?(?=(?:[A-Z]{2})?\d)")
_NOT_IN_NAMES: Final = re.compile(r"[^\w]+")


def bare_number(number: str | None) -> str:
    """Return an enterprise or VAT number in capitals, without spaces, punctuation and a word such as BTW; its country stays.

    ``+`` and ``*`` are part of older Irish VAT numbers. Without a digit it is no number but a remark (``NA``, ``exempt``, a mere
    ``BE``), which identifies nobody: empty.
    """
    bare = _WORD_FOR_VAT.sub("", _NOT_IN_NUMBERS.sub("", number or "").upper())
    return bare if any(map(str.isdigit, bare)) else ""


def number_key(number: str | None) -> str:
    """Return what two spellings of one number have in common; empty when there is none.

    ``BE 0404.616.494``, ``0404616494`` and the older ``404616494`` are one Belgian number; a foreign one keeps its country.
    """
    bare = bare_number(number)
    return normalise_enterprise_number(bare) or bare.removeprefix("BE")


def vat_number_spellings(number: str | None) -> list[str]:
    """Return the ways in which people write a VAT number into their books, for a vendor that searches it letter by letter.

    With and without its country; a Belgian number also with spaces and dots. Empty when there is none.
    """
    vat = bare_number(number)
    if not vat:
        return []
    bare = vat[2:]
    spellings = [vat, bare]
    if vat.startswith("BE") and len(bare) == 10:
        dotted = f"{bare[:4]}.{bare[4:7]}.{bare[7:]}"
        spellings += [f"BE {dotted}", f"BE{dotted}", f"BE {bare}"]
    return spellings


def name_key(name: str | None) -> str:
    """Return what stays equal when people write one name in several ways: case, spaces, dots, legal form."""
    text = name or ""
    plain = _NOT_IN_NAMES.sub(" ", _LEGAL_FORM.sub(" ", text)).casefold().strip()
    return plain or _NOT_IN_NAMES.sub(" ", text).casefold().strip()


@dataclass(frozen=True)
class Party:
    """The counterparty of a document: who owes us, or whom we owe."""

    name: str
    vat_number: str = ""
    enterprise_number: str = ""
    code: str = ""
    """The number by which the other side knows this party."""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""

    @property
    def numbers(self) -> frozenset[str]:
        """Return the keys of its numbers."""
        return frozenset({number_key(self.vat_number), number_key(self.enterprise_number)} - {""})

    @property
    def identity(self) -> str:
        """Return what makes two parties one: a number, else the name in a country."""
        number = number_key(self.vat_number) or number_key(self.enterprise_number)
        return number or f"{self.country} {name_key(self.name)}"

    def written(self, fields: Mapping[str, tuple[str, int | None]]) -> dict[str, str]:
        """Return what is known of it as a vendor writes it: by the vendor's name of each field, cut to its length.

        Args:
            fields: the vendor's names; for each the name of ours, and the length, None where it takes any.
        """
        found = {theirs: str(getattr(self, ours))[:length] for theirs, (ours, length) in fields.items()}
        return {name: value for name, value in found.items() if value}

    def name_keys(self, length_max: int | None = None) -> tuple[str, ...]:
        """Return the keys of its name: in full, and as much of it as a vendor with room for ``length_max`` can hold."""
        return tuple(dict.fromkeys(name_key(name) for name in (self.name, self.name[:length_max])))


class KnownRelation(Protocol):
    """What a vendor's relation must tell to be recognised."""

    @property
    def code(self) -> str: ...  # noqa: D102

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def vat_number(self) -> str: ...  # noqa: D102

    @property
    def enterprise_number(self) -> str: ...  # noqa: D102

    @property
    def blocked(self) -> bool: ...  # noqa: D102

    def has_role(self, side: Side) -> bool:
        """Whether it may stand on an entry of this side: customer or supplier."""

    def is_numbered(self, code: str) -> bool:
        """Whether a document that names the party by this customer number (``Party.code``) means it."""


R = TypeVar("R", bound=KnownRelation)


def recognise(party: Party, relations: Iterable[R], side: Side, *, name_length_max: int | None = None) -> R | None:
    """Return the relation that is this party: by VAT number, enterprise number, name, then customer number (R097, octopus §6).

    Every part of Koppel recognises by this rule, so that a person sees the relation on which the connector books. The VAT number
    comes first because listings and statements of trade in the Union are made by it, and one enterprise may have several, each
    a relation of its own: one with another VAT number is somebody else, whatever its enterprise number or name.

    Of several, one that is not blocked is taken, then one that has the role, then the lowest code.

    Args:
        party: the counterparty.
        relations: the vendor's.
        side: of the document.
        name_length_max: how much of a name the vendor can hold.
    """
    names = party.name_keys(name_length_max)
    ranked = [(rank, one) for one in relations if (rank := _rank(party, names, one)) is not None]
    if not ranked:
        return None
    return min(
        ranked,
        key=lambda pair: (
            pair[0],
            pair[1].blocked,
            not pair[1].has_role(side),
            name_key(pair[1].name) not in names,
            pair[1].code,
        ),
    )[1]


def _rank(party: Party, names: tuple[str, ...], relation: KnownRelation) -> int | None:
    """Return how a relation was recognised, 0 is surest; None when it is somebody else."""
    ours, theirs = number_key(party.vat_number), number_key(relation.vat_number)
    if ours and theirs:
        return 0 if ours == theirs else None
    enterprise, registered = number_key(party.enterprise_number), number_key(relation.enterprise_number)
    if {ours, enterprise} & {theirs, registered} - {""}:
        return 1
    if enterprise and registered:
        return None
    if name_key(relation.name) in names:
        return 2
    return 3 if party.code and relation.is_numbered(party.code) else None
