"""The rights that Koppel needs in a division, and how a person reads which one is missing (§5.2, R085–R087)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from . import answers
from .api import Exact


@dataclass(frozen=True)
class Right:
    """One row of the rights matrix."""

    endpoint: str
    action: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.action} {self.endpoint})"


READ_RELATIONS: Final = Right("crm/Accounts", "GET", "read relations")
READ_ACCOUNTS: Final = Right("financial/GLAccounts", "GET", "read ledger accounts")
READ_JOURNALS: Final = Right("financial/Journals", "GET", "read journals")
READ_VAT: Final = Right("vat/VATCodes", "GET", "read VAT codes")
POST_SALES: Final = Right("salesentry/SalesEntries", "POST", "book sales entries")
POST_PURCHASES: Final = Right("purchaseentry/PurchaseEntries", "POST", "book purchase entries")
READ_SALES: Final = Right("salesentry/SalesEntries", "GET", "read sales entries")
READ_PURCHASES: Final = Right("purchaseentry/PurchaseEntries", "GET", "read purchase entries")
POST_DOCUMENTS: Final = Right("documents/Documents", "POST", "store documents")

_BELIEVED_S: Final = 86_400.0
TO_IMPORT: Final = (READ_RELATIONS, READ_ACCOUNTS, READ_JOURNALS, READ_VAT)
TO_BOOK: Final = (POST_SALES, POST_PURCHASES, POST_DOCUMENTS)
# What an import needs shows by itself: its lists are empty without it.
NIGHTLY: Final = (*TO_BOOK, READ_SALES, READ_PURCHASES)
MATRIX: Final = TO_IMPORT + NIGHTLY


async def missing(exact: Exact, rights: Iterable[Right] = MATRIX) -> list[Right]:
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
    key, memory = f"may read {endpoint}", exact.vendor.memory
    if await memory.recall(key, _BELIEVED_S) is None:
        await insist_on_reading(exact, endpoint)
        await memory.remember(key, True)
