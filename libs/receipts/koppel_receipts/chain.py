"""The chain of a book's entries: each holds the hash of the one before, and the totals of all up to itself."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .amounts import totals_key, written
from .canonical import canonical

GENESIS = "0" * 64
"""The previous hash of a book's first entry."""
Totals = dict[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a book; it is never changed."""

    book_id: str
    seq: int
    """From 1, without gaps."""
    at: str
    """When it was entered: RFC 3339, UTC, microseconds."""
    date: str
    """The day it is of, ``YYYY-MM-DD`` in Brussels."""
    content: Mapping[str, Any]
    """``external_reference``, ``entered_by``, ``lines``, ``payments``; amounts as text."""
    running_totals: Totals
    """Takings including VAT of the whole book up to here, by ``totals_key``."""
    previous_hash: str

    def hash(self) -> str:
        """Return the SHA-256 of the canonical form of all fields, in hexadecimal.

        Raises:
            ValueError: its content has no canonical form.
        """
        fields = {name: getattr(self, name) for name in self.__slots__}
        return hashlib.sha256(canonical(fields)).hexdigest()


def add_totals(previous: Mapping[str, str], content: Mapping[str, Any]) -> Totals:
    """Return the running totals after an entry with this content.

    They count amounts including VAT, so that it makes no difference how a day's takings are divided over lines and entries;
    what comes to nothing is left out.
    """
    totals = {key: Decimal(amount) for key, amount in previous.items()}
    for line in content["lines"]:
        key = totals_key(line["vat_category"], Decimal(line["vat_rate"]))
        totals[key] = totals.get(key, Decimal(0)) + Decimal(line["amount"])
    return {key: written(amount) for key, amount in sorted(totals.items()) if amount}
