"""What makes two documents one in the world, however their bytes differ: the keys by which a second copy is recognised.

The same invoice arrives by Peppol and by mail, serialised anew or in an envelope; the same statement comes again marked as a
duplicate. Two documents that share a key are about one thing; whether they are the same is for ``is_same_document`` to say.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from koppel_mesh.messages import DocumentKind

from .amounts import plain
from .document import Counterparty, StatementSummary
from .parties import name_key, number_key
from .sides import SIDES

_NOT_IN_NUMBERS: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Likeness:
    """What of a document counts when it is compared with another that has the same number and counterparty."""

    kind: DocumentKind
    issued_on: date | None
    total: Decimal | None
    currency: str | None


def document_number_key(number: str | None) -> str:
    """Return what two spellings of a document's number have in common: ``2026/0012``, ``2026-0012`` and ``20260012``."""
    plain = _NOT_IN_NUMBERS.sub("", number or "").casefold()
    return plain.lstrip("0") or plain if plain.isdigit() else plain


def keys_of_invoice(kind: DocumentKind, counterparty: Counterparty | None, number: str | None) -> list[str]:
    """Return the keys of an invoice, a credit note or a day of receipts: its side, its counterparty and its number.

    There is one for each number of the counterparty and one for its name, since not every copy tells all of them. None where
    the document has no number, no counterparty, or is of a kind without a side.
    """
    number_of_document = document_number_key(number)
    if kind not in SIDES or not number_of_document or counterparty is None:
        return []
    known = [f"number {key}" for key in sorted(_numbers(counterparty))]
    if name := name_key(counterparty.name):
        known.append(f"name {name}")
    return [f"{SIDES[kind]} {number_of_document} {party}" for party in known]


def keys_of_statements(statements: Iterable[StatementSummary]) -> list[str]:
    """Return one key for each statement: account, sequence, both balances and both dates."""
    return list(
        dict.fromkeys(
            f"statement {one.account} {one.currency} {one.number or '-'} {one.opened_on} {plain(one.opening.normalize())}"
            f" {one.closed_on} {plain(one.closing.normalize())}"
            for one in statements
        )
    )


def is_same_counterparty(one: Counterparty, other: Counterparty) -> bool:
    """Return whether two documents are of one counterparty; those that both have numbers need one in common."""
    numbers, others = _numbers(one), _numbers(other)
    if numbers and others:
        return bool(numbers & others)
    return name_key(one.name) == name_key(other.name)


def is_same_document(one: Likeness, other: Likeness) -> bool:
    """Return whether two documents with a key in common have the same kind, date, total and currency too."""
    return (one.kind, one.issued_on, one.total, one.currency) == (
        other.kind,
        other.issued_on,
        other.total,
        other.currency,
    )


def _numbers(counterparty: Counterparty) -> frozenset[str]:
    return frozenset({number_key(counterparty.enterprise_number), number_key(counterparty.vat_number)} - {""})
