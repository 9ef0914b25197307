"""The rights that Koppel needs in a division, and how a person reads which one is missing (§5.2, R085–R087)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from . import answers
from .api import Exact
from .settings import ExactSettings


@dataclass(frozen=True)
class Right:
    """One row of the rights matrix."""

    endpoint: str
    action: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.action} {self.endpoint})"


TO_IMPORT: Final = (
    Right("crm/Accounts", "GET", "read relations"),
    Right("financial/GLAccounts", "GET", "read ledger accounts"),
    Right("financial/Journals", "GET", "read journals"),
    Right("vat/VATCodes", "GET", "read VAT codes"),
)
TO_BOOK: Final = (
    Right("salesentry/SalesEntries", "POST", "book sales entries"),
    Right("purchaseentry/PurchaseEntries", "POST", "book purchase entries"),
)
TO_STORE: Final = (Right("documents/Documents", "POST", "store documents"),)
TO_ENTER_STATEMENTS: Final = (
    Right("financialtransaction/BankEntries", "POST", "enter bank statements"),
    Right("financialtransaction/BankEntries", "GET", "read bank statements"),
)
TO_READ_BACK: Final = (
    Right("salesentry/SalesEntries", "GET", "read sales entries"),
    Right("purchaseentry/PurchaseEntries", "GET", "read purchase entries"),
)
TO_MAIL: Final = (
    Right("mailbox/Mailboxes", "GET", "read mailboxes"),
    Right("mailbox/MailMessagesSent", "POST", "send messages to the mailbox"),
    Right("mailbox/MailMessageAttachments", "POST", "attach files to messages"),
)
_BELIEVED_S: Final = 86_400.0


def wanted(settings: ExactSettings) -> tuple[Right, ...]:
    """Return the rights that sending needs with these settings. What an import needs shows by itself: its lists are empty."""
    wanted_for = {
        TO_BOOK + TO_READ_BACK: settings.books,
        TO_STORE: settings.stores_documents,
        TO_ENTER_STATEMENTS: settings.enters_statements,
        TO_MAIL: bool(settings.mails),
    }
    return tuple(right for some, are_wanted in wanted_for.items() if are_wanted for right in some)


async def missing(exact: Exact, rights: Iterable[Right]) -> list[Right]:
    """Ask Exact right by right (``users/UserHasRights``); return those that the user lacks."""
    return [right for right in rights if not await exact.may(right.endpoint, right.action)]


async def insist_on_reading(exact: Exact, endpoint: str) -> None:
    """Make sure that an empty list means "not there": without the right to read, Exact answers 200 with no rows (§3.3).

    Raises:
        ActionRequired: the right to read is missing; the accountant can grant it.
    """
    if not await exact.may(endpoint, "GET"):
        raise answers.refusal("missing_right", f"read (GET {endpoint})")


async def insist_on_searching(exact: Exact, endpoint: str) -> None:
    """Make sure of the same where it is asked for every document: the right is believed for a day.

    Raises:
        ActionRequired: as ``insist_on_reading``.
    """

    async def ask() -> bool:
        await insist_on_reading(exact, endpoint)
        return True

    await exact.vendor.memory.believed(f"may read {endpoint}", _BELIEVED_S, ask)
