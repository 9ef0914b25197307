"""The company behind a connection, compared with its dossier: a slip in a list must not book one client into another's ledger.

What the vendor told is kept with the books it was told of. So a connection that is led elsewhere is compared anew, also where a
process of the version before led it there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from koppel_bookkeeping.parties import number_key
from koppel_connector.contract import RemoteCompany
from koppel_connector.contract.problems import Problem


@dataclass(frozen=True)
class Confirmation:
    """A person of the firm says that a company other than the dossier's is the right one."""

    numbers: tuple[str, ...]
    """The keys (``number_key``) of that company's numbers."""
    dossier_number: str
    """The key of the number that the dossier had then."""
    name: str
    reason: str
    confirmed_by: str
    confirmed_at: datetime


@dataclass(frozen=True)
class Company:
    """What is known of the company behind a connection, and of the dossier it must be."""

    dossier_name: str
    dossier_number: str
    compared_at: datetime | None = None
    """When the vendor was asked; None: not since the connection was led to these books."""
    remote: RemoteCompany | None = None
    confirmations: tuple[Confirmation, ...] = ()
    kept_at: datetime | None = None
    """``compared_at`` as the row holds it, whatever books it is of."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """Return the keys of the numbers that the vendor tells."""
        keys = (number_key(number) for number in (self.remote.numbers if self.remote else ()))
        return tuple(dict.fromkeys(key for key in keys if key))

    @property
    def is_the_dossiers(self) -> bool | None:
        """Return whether one of the vendor's numbers is the dossier's; None where one of the two tells none."""
        ours = number_key(self.dossier_number)
        return ours in self.numbers if ours and self.numbers else None

    @property
    def is_confirmed(self) -> bool:
        """Return whether a person confirmed every number that the vendor tells now, for the number that the dossier has now."""
        ours = number_key(self.dossier_number)
        return any(
            each.dossier_number == ours and set(self.numbers) <= set(each.numbers) for each in self.confirmations
        )

    def problem(self) -> Problem | None:
        """Return what keeps documents from going there; None where nothing does."""
        if self.is_the_dossiers is not False or self.is_confirmed or self.remote is None:
            return None
        return Problem(
            "other_company",
            remote=self.remote.name or "?",
            remote_number=next(number for number in self.remote.numbers if number_key(number)),
            dossier=self.dossier_name,
            dossier_number=self.dossier_number,
        )

    def warning(self) -> Problem | None:
        """Return what a person is told where the two could not be compared."""
        if self.compared_at is None or self.is_the_dossiers is not None:
            return None
        return Problem("company_not_compared", dossier=self.dossier_name)


def company_of(row: Any, books_scope: str) -> Company:
    """Return what a row of ``ConnectionStore`` holds of the company behind a connection."""
    told: Mapping[str, Any] = row.remote_company or {}
    is_of_these_books = told.get("books_scope") == books_scope
    numbers = tuple(told.get("numbers", ()))
    return Company(
        dossier_name=row.dossier_name or "?",
        dossier_number=row.dossier_number or "",
        compared_at=row.company_compared_at if is_of_these_books else None,
        remote=RemoteCompany(told["name"], numbers) if is_of_these_books and told.get("name") is not None else None,
        confirmations=_confirmations(row.company_confirmations),
        kept_at=row.company_compared_at,
    )


def _confirmations(kept: Sequence[Mapping[str, Any]]) -> tuple[Confirmation, ...]:
    return tuple(
        Confirmation(
            numbers=tuple(each["numbers"]),
            dossier_number=each["dossier_number"],
            name=each["name"],
            reason=each["reason"],
            confirmed_by=each["confirmed_by"],
            confirmed_at=datetime.fromisoformat(each["confirmed_at"]),
        )
        for each in kept
    )
