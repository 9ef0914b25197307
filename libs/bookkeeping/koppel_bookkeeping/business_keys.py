"""What makes two documents one in the world, however their bytes differ: the keys by which a second copy is recognised.

The same invoice arrives by Peppol and by mail, serialised anew or in an envelope; the same statement comes again marked as a
duplicate. Two documents that share a key are about one thing; whether they are the same is for ``is_same_document`` to say.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from koppel_mesh.messages import DocumentKind

from .amounts import plain
from .document import Counterparty, StatementSummary
from .parties import name_key, number_key
from .sides import CREDIT_NOTES, SIDES

_NOT_IN_NUMBERS: Final = re.compile(r"[\W_]+")
_PART_OF_NUMBER: Final = re.compile(r"\d+|[^\W\d_]+")
_COUNTRY: Final = re.compile(r"^[A-Z]{2}(?=.*\d)")
_LABELS: Final = frozenset(
    {"factuur", "faktuur", "facture", "invoice", "rechnung", "creditnota", "creditnote", "gutschrift"}
    | {"nr", "no", "num", "number", "nummer", "numero"}
)
"""What people write in front of a document's number, and the number is the same without."""
_FOREIGN_LEGAL_FORM: Final = re.compile(
    r"\b(gmbh|mbh|ag|kg|ug|ohg|s\.?a\.?r\.?l|s\.?a\.?s|e\.?u\.?r\.?l|ltd|limited|plc|llc|inc|s\.?p\.?a|s\.?r\.?o|ab|oy|aps)\b\.?",
    re.IGNORECASE,
)
_AND: Final = re.compile(r"&|\b(?:en|et|and|und)\b", re.IGNORECASE)


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


def document_number_keys(number: str | None) -> list[str]:
    """Return every key of a document's number: two numbers are one where they share a key.

    Beside ``document_number_key`` it is the letters and the digits one by one, so that zeros in front of any digits and words
    such as ``Factuur nr.`` do not count: ``F-2026/001``, ``F 2026 1`` and ``Factuur F2026/01``.
    """
    whole = document_number_key(number)
    parts = _PART_OF_NUMBER.findall(_without_accents(number or "").casefold())
    telling = [part.lstrip("0") or "0" for part in parts if part not in _LABELS]
    return list(dict.fromkeys(key for key in (whole, ".".join(telling)) if key))


def document_number_lock(number: str | None) -> str:
    """Return what all numbers that share a key have in common; others may have it, too."""
    digits = "".join(sign for sign in number or "" if sign.isdecimal())
    return digits.replace("0", "")


def document_number_spellings(number: str) -> list[str]:
    """Return the ways in which people write a document's number into their books, for a vendor that searches it letter by letter.

    As it stands, with its punctuation as strokes or as dashes, and without any.
    """
    written = number.strip()
    spellings = (written, *(_NOT_IN_NUMBERS.sub(mark, written) for mark in ("-", "/", "")))
    return list(dict.fromkeys(filter(None, spellings)))


def keys_of_counterparty(counterparty: Counterparty) -> list[str]:
    """Return a key for each number of a counterparty and for its name, since not every document tells all of them."""
    known = [f"number {key}" for key in sorted(_numbers(counterparty))]
    return known + [f"name {key}" for key in sorted(_names(counterparty))]


def keys_of_invoice(kind: DocumentKind, counterparty: Counterparty | None, number: str | None) -> list[str]:
    """Return the keys of an invoice, a credit note or a day of receipts: its side, its counterparty and its number.

    There is one for each key of the counterparty. None where the document has no number, no counterparty, or is of a kind
    without a side.
    """
    if kind not in SIDES or counterparty is None:
        return []
    known = keys_of_counterparty(counterparty)
    return [f"{SIDES[kind]} {key} {party}" for key in document_number_keys(number) for party in known]


def keys_of_statements(statements: Iterable[StatementSummary]) -> list[str]:
    """Return one key for each statement: account, sequence, both balances and both dates (coda §8.6).

    The balances of an extract with some of the movements mean nothing: its application and the count of its movements tell it
    from others of the day (coda §8.3).
    """
    return list(
        dict.fromkeys(
            _key_of_statement(one, one.closed_on)
            + (f" part {one.separate_application} {one.movements}" if one.separate_application else "")
            for one in statements
        )
    )


def earlier_keys_of_statements(statements: Iterable[StatementSummary]) -> list[str]:
    """Return the keys under which statements were stored before extracts had their own, and days without record 8 their date.

    Other days without movements share them: whoever finds a document by them compares its date.
    """
    return [_key_of_statement(one, closed_on) for one in statements for closed_on in (one.closed_on, None)]


def _key_of_statement(one: StatementSummary, closed_on: date | None) -> str:
    opening, closing = plain(one.opening.normalize()), plain(one.closing.normalize())
    return f"statement {one.account} {one.currency} {one.number or '-'} {one.opened_on} {opening} {closed_on} {closing}"


def is_same_counterparty(one: Counterparty, other: Counterparty) -> bool:
    """Return whether two documents are of one counterparty; those that both have numbers need one in common."""
    numbers, others = _numbers(one), _numbers(other)
    if numbers and others:
        return bool(numbers & others)
    return bool(_names(one) & _names(other)) or name_key(one.name) == name_key(other.name)


def is_same_document(one: Likeness, other: Likeness) -> bool:
    """Return whether two documents with a key in common have the same date and currency too, and the same effect.

    A credit note and a negative invoice have one effect. A credit note with a negative total may have either.
    """
    return (one.issued_on, one.currency) == (other.issued_on, other.currency) and bool(_effects(one) & _effects(other))


def _effects(document: Likeness) -> frozenset[Decimal | None]:
    """Return what the document may add to what is invoiced."""
    if document.total is None or document.kind not in CREDIT_NOTES:
        return frozenset({document.total})
    return frozenset({-document.total} if document.total >= 0 else {document.total, -document.total})


def _numbers(counterparty: Counterparty) -> frozenset[str]:
    """Return the keys of its numbers; of a foreign one also without its country, which some senders leave out."""
    keys = {number_key(counterparty.enterprise_number), number_key(counterparty.vat_number)} - {""}
    return frozenset(keys | {_COUNTRY.sub("", key) for key in keys})


def _names(counterparty: Counterparty) -> frozenset[str]:
    """Return the key of its name, and the one that accents, foreign legal forms and the spelling of "and" leave alone."""
    name = counterparty.name or ""
    loose = _AND.sub(" ", _FOREIGN_LEGAL_FORM.sub(" ", _without_accents(name)))
    return frozenset({name_key(name), " ".join(name_key(loose).split())} - {""})


def _without_accents(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
