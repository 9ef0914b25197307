"""Which journal and which ledger accounts an entry uses: line → document → counterparty → default.

What a person chose on the document comes before what the sender's cost reference happens to say (BT-133 on a line, BT-19
on the document): such a reference counts only when it names an account that exists in the books.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from connector_exact.masters import (
    FORBIDDEN_ACCOUNT_TYPES,
    PURCHASE_JOURNAL_TYPES,
    SALES_JOURNAL_TYPES,
    Books,
    Journal,
    LedgerAccount,
    Relation,
    Side,
)
from connector_exact.settings import Journals, LedgerAccounts
from koppel_mesh.messages import DocumentKind

from .refusal import CannotBook


@dataclass(frozen=True)
class Wishes:
    """What people set on this document and its counterparty in Koppel."""

    journal: str | None = None
    ledger_account: str | None = None
    by_line: Mapping[str, str] | None = None
    counterparty_journal: str | None = None
    counterparty_ledger_account: str | None = None


SIDES: Mapping[DocumentKind, Side] = {
    DocumentKind.SALES_INVOICE: "sale",
    DocumentKind.SALES_CREDIT_NOTE: "sale",
    DocumentKind.DAILY_RECEIPTS: "sale",
    DocumentKind.PURCHASE_INVOICE: "purchase",
    DocumentKind.PURCHASE_CREDIT_NOTE: "purchase",
}


def choose_journal(books: Books, settings: Journals, kind: DocumentKind, wishes: Wishes) -> Journal:
    """Return the journal of the entry, proven to exist, open to use and of the right type."""
    code = wishes.journal or wishes.counterparty_journal or _default_journal(settings, kind)
    if code is None:
        raise CannotBook("journal_missing", kind.value)
    journal = books.journal(code)
    if journal is None:
        raise CannotBook("journal_unknown", code)
    if journal.blocked:
        raise CannotBook("journal_blocked", f"{journal.code} {journal.name}")
    if journal.type not in (SALES_JOURNAL_TYPES if SIDES[kind] == "sale" else PURCHASE_JOURNAL_TYPES):
        raise CannotBook("journal_wrong_type", f"{journal.code} {journal.name} for {kind.value}")
    return journal


def _default_journal(settings: Journals, kind: DocumentKind) -> str | None:
    """Credit notes fall back on the invoices' journal; receipts never share one with invoices (R140)."""
    match kind:
        case DocumentKind.SALES_INVOICE:
            return settings.sale
        case DocumentKind.SALES_CREDIT_NOTE:
            return settings.sale_credit or settings.sale
        case DocumentKind.PURCHASE_INVOICE:
            return settings.purchase
        case DocumentKind.PURCHASE_CREDIT_NOTE:
            return settings.purchase_credit or settings.purchase
        case DocumentKind.DAILY_RECEIPTS:
            return settings.receipts
        case _:
            return None


@dataclass(frozen=True)
class AccountChooser:
    """Chooses the ledger account of each line of one document."""

    books: Books
    settings: LedgerAccounts
    side: Side
    wishes: Wishes
    relation: Relation | None
    document_reference: str | None

    def choose(self, line_id: str | None, line_reference: str | None) -> LedgerAccount:
        """Return the account of one line; raise when none is left or the chosen one cannot be used."""
        account = (
            self._named((self.wishes.by_line or {}).get(line_id or ""))
            or self._named(self.wishes.ledger_account)
            or self._hinted(line_reference)
            or self._hinted(self.document_reference)
            or self._named(self.wishes.counterparty_ledger_account)
            or self._of_relation()
            or self._named(self.settings.of(self.side))
        )
        if account is None:
            raise CannotBook("ledger_account_missing", f"{self.side}, line {line_id or '?'}")
        if account.blocked:
            raise CannotBook("ledger_account_blocked", f"{account.code} {account.name}")
        if account.type in FORBIDDEN_ACCOUNT_TYPES:
            raise CannotBook("ledger_account_wrong_type", f"{account.code} {account.name}")
        return account

    def _named(self, code: str | None) -> LedgerAccount | None:
        if not code:
            return None
        if (account := self.books.account(code)) is None:
            raise CannotBook("ledger_account_unknown", code)
        return account

    def _hinted(self, reference: str | None) -> LedgerAccount | None:
        """A sender's reference is a hint: one that names a blocked or unfit account is passed over."""
        account = self.books.account((reference or "").strip())
        usable = account is not None and not account.blocked and account.type not in FORBIDDEN_ACCOUNT_TYPES
        return account if usable else None

    def _of_relation(self) -> LedgerAccount | None:
        account_id = self.relation.account_id(self.side) if self.relation else None
        return self.books.account_by_id(account_id) if account_id else None
