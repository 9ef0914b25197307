"""Which journal an entry goes to, and which ledger account each line: line → document → counterparty → default.

What a person chose comes before what the sender's booking reference happens to say (BT-133 on a line, BT-19 on the
document): such a reference counts only when it names an account of the books that a line may use (R096–R099, R142–R146).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from koppel_mesh.messages import DocumentKind

from .overrides import Overrides
from .reasons import CannotBook, Reason
from .settings import Journals, PerSide
from .sides import SIDES, Side


class JournalOfBooks(Protocol):
    """What a vendor's journal must tell to be chosen."""

    @property
    def code(self) -> str: ...  # noqa: D102

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def blocked(self) -> bool: ...  # noqa: D102

    def serves(self, side: Side) -> bool:
        """Whether entries of this side may stand in it."""


class CurrencyOfJournal(Protocol):
    """What a vendor's journal must tell of its currency."""

    @property
    def code(self) -> str: ...  # noqa: D102

    @property
    def currency(self) -> str:
        """ISO 4217; empty where the vendor does not tell."""

    @property
    def foreign_currency(self) -> bool:
        """Whether entries in other currencies may stand in it."""


class AccountOfBooks(Protocol):
    """What a vendor's ledger account must tell to be chosen."""

    @property
    def code(self) -> str: ...  # noqa: D102

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def blocked(self) -> bool: ...  # noqa: D102

    @property
    def takes_lines(self) -> bool:
        """Whether an invoice line may be booked on it; a receivable, a bank or a VAT account may not."""


J = TypeVar("J", bound=JournalOfBooks)
A = TypeVar("A", bound=AccountOfBooks)


def choose_journal(find: Callable[[str], J | None], defaults: Journals, kind: DocumentKind, overrides: Overrides) -> J:
    """Return the journal of an entry, proven to exist, to be open to use and to serve the side.

    Args:
        find: returns the vendor's journal of a code.
        defaults: of the connection's settings.
        kind: of the document.
        overrides: what people chose.

    Raises:
        CannotBook: no journal is left, or the chosen one cannot be used.
    """
    code = overrides.journal or overrides.counterparty_journal or defaults.of(kind)
    if code is None:
        raise CannotBook(Reason.JOURNAL_MISSING, kind.value)
    journal = find(code)
    if journal is None:
        raise CannotBook(Reason.JOURNAL_UNKNOWN, code)
    if journal.blocked:
        raise CannotBook(Reason.JOURNAL_BLOCKED, f"{journal.code} {journal.name}")
    if not journal.serves(SIDES[kind]):
        raise CannotBook(Reason.JOURNAL_WRONG_TYPE, f"{journal.code} {journal.name} for {kind.value}")
    return journal


def insist_on_currency(journal: CurrencyOfJournal, currency: str) -> None:
    """Raise ``CannotBook`` for a document in another currency than the only one of its journal."""
    if journal.currency and journal.currency != currency and not journal.foreign_currency:
        raise CannotBook(Reason.CURRENCY_NOT_ALLOWED, f"{currency} in journal {journal.code} ({journal.currency})")


@dataclass(frozen=True)
class AccountChooser(Generic[A]):
    """Chooses the ledger account of each line of one document."""

    find: Callable[[str], A | None]
    """Returns the vendor's account of a code."""
    defaults: PerSide
    side: Side
    overrides: Overrides
    of_relation: A | None = None
    """The account that the vendor proposes for this relation."""
    document_reference: str | None = None
    """BT-19."""

    def choose(self, line_id: str | None, line_reference: str | None) -> A:
        """Return the account of one line.

        Raises:
            CannotBook: no account is left, or the chosen one cannot be used.
        """
        account = (
            self._named(self.overrides.by_line.get(line_id or ""))
            or self._named(self.overrides.ledger_account)
            or self._hinted(line_reference)
            or self._hinted(self.document_reference)
            or self._named(self.overrides.counterparty_ledger_account)
            or self.of_relation
            or self._named(self.defaults.of(self.side))
        )
        if account is None:
            raise CannotBook(Reason.LEDGER_ACCOUNT_MISSING, f"{self.side}, line {line_id or '?'}")
        if account.blocked:
            raise CannotBook(Reason.LEDGER_ACCOUNT_BLOCKED, f"{account.code} {account.name}")
        if not account.takes_lines:
            raise CannotBook(Reason.LEDGER_ACCOUNT_WRONG_TYPE, f"{account.code} {account.name}")
        return account

    def _named(self, code: str | None) -> A | None:
        if not code:
            return None
        if (account := self.find(code)) is None:
            raise CannotBook(Reason.LEDGER_ACCOUNT_UNKNOWN, code)
        return account

    def _hinted(self, reference: str | None) -> A | None:
        """Return the account that a sender's reference names; one that is blocked or unfit is passed over."""
        account = self.find((reference or "").strip())
        return account if account is not None and not account.blocked and account.takes_lines else None
