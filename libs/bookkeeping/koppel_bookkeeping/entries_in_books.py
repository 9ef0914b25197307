"""Entries that stand in a vendor's books already, whoever made them, and whether one of them is a document that is to be sent.

An accountant types an invoice in before Koppel sends it, or another program does: vendors take the same number twice. Amounts
here are as in books: a credit note is negative.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .business_keys import document_number_keys, is_same_counterparty
from .document import Counterparty, Document
from .sides import CREDIT_NOTES, SIDES, Side


@dataclass(frozen=True)
class SoughtDocument:
    """What of a document an entry in the books has in common with it, when somebody booked it."""

    side: Side
    number: str
    """As the document writes it; people write numbers in several ways (``document_number_spellings``)."""
    counterparty: Counterparty
    issued_on: date | None
    total: Decimal | None
    """Including VAT, negative for a credit note."""
    currency: str | None


@dataclass(frozen=True)
class EntryInBooks:
    """An entry as a vendor's books hold it. What they do not tell is None, and is not compared."""

    remote_id: str
    side: Side
    document_number: str
    """The number of the document that it books: what Exact calls YourRef."""
    counterparty: Counterparty
    issued_on: date | None = None
    total: Decimal | None = None
    """Including VAT, negative for a credit note."""
    currency: str | None = None
    entry_number: str | None = None
    entry_url: str | None = None
    reference: str | None = None
    """Our own reference, ``KPL-…``, where an entry carries it."""

    def __str__(self) -> str:
        """Return it as a person finds it in the books."""
        amount = " ".join(str(each) for each in (self.total, self.currency) if each is not None)
        said = (self.entry_number or self.remote_id, self.document_number, self.issued_on, amount)
        return ", ".join(str(each) for each in said if each)


@dataclass(frozen=True)
class Resemblance:
    """The entries with the number and the counterparty of a document."""

    same: Sequence[EntryInBooks] = ()
    """With its date, total and currency too: the document is booked already."""
    alike: Sequence[EntryInBooks] = ()
    """With another date, total or currency."""

    @property
    def entries(self) -> Sequence[EntryInBooks]:
        """Return all of them."""
        return (*self.same, *self.alike)


def sought(document: Document) -> SoughtDocument | None:
    """Return by what an entry of the document is recognised; None where it has no number, no counterparty, or no side."""
    kind = document.kind
    if kind not in SIDES or document.counterparty is None or not document_number_keys(document.number):
        return None
    sign = -1 if kind in CREDIT_NOTES else 1
    return SoughtDocument(
        side=SIDES[kind],
        number=document.number or "",
        counterparty=document.counterparty,
        issued_on=document.issue_date,
        total=None if document.total is None else sign * document.total.amount,
        currency=document.currency,
    )


def resemblance(document: SoughtDocument, entries: Iterable[EntryInBooks]) -> Resemblance:
    """Return which entries may be of the document."""
    numbers = set(document_number_keys(document.number))
    found = [
        entry
        for entry in entries
        if entry.side == document.side
        and numbers & set(document_number_keys(entry.document_number))
        and is_same_counterparty(entry.counterparty, document.counterparty)
    ]
    same = [entry for entry in found if not _differs(document, entry)]
    return Resemblance(same, [entry for entry in found if entry not in same])


def _differs(document: SoughtDocument, entry: EntryInBooks) -> bool:
    pairs = (
        (document.issued_on, entry.issued_on),
        (document.total, entry.total),
        (document.currency, entry.currency),
    )
    return any(ours != theirs for ours, theirs in pairs if ours is not None and theirs is not None)
