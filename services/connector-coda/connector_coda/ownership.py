"""Whether an account belongs to a dossier: what its statements tell, and what other dossiers have. Pure.

An account belongs to a dossier when a statement tells the dossier's enterprise number (coda §2, record 0), when the bank
leaves the number out and the holder's name is the dossier's, or when a person confirms it. Until then its statements are
refused. An account of a bank belongs to one dossier; the IBAN of a cash book is made up, and may stand in several.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from koppel_bookkeeping.parties import name_key, number_key
from koppel_connector.contract import Problem

NAME_WIDTH = 26
"""Of the holder's name in record 1."""
Owned = Literal["holder_number", "holder_name"]
"""By what an account belongs to its dossier; otherwise a person's confirmation."""


@dataclass(frozen=True)
class Holder:
    """Who holds the account, as its statements tell; empty where they do not."""

    account: str
    number: str
    name: str
    is_cash: bool = False


@dataclass(frozen=True)
class DossierFacts:
    """What of a dossier is compared."""

    id: UUID
    firm_id: UUID
    name: str
    enterprise_number: str


def decide(holder: Holder, dossier: DossierFacts, owners: list[DossierFacts]) -> Owned | Problem:
    """Return by what an account belongs to ``dossier``, or why its statements are refused.

    ``owners`` are the other dossiers to which the account belongs.
    """
    if refused := taken(holder, dossier, owners):
        return refused
    if holder.number:
        if _same_number(holder, dossier):
            return "holder_number"
        return Problem(
            "account_of_other_holder",
            account=holder.account,
            holder=f"{holder.name} ({holder.number})".strip(),
            dossier=f"{dossier.name} ({dossier.enterprise_number})",
        )
    if _same_name(holder.name, dossier.name):
        return "holder_name"
    return Problem("account_unknown", account=holder.account, holder=holder.name or "?", dossier=dossier.name)


def taken(holder: Holder, dossier: DossierFacts, owners: list[DossierFacts]) -> Problem | None:
    """Return the problem that the account belongs to another dossier; None when it may belong to this one.

    An entrepreneur who goes to another office has a dossier at both: proven by the enterprise number, the account belongs to
    both.
    Of another firm nothing is told but that there is one.
    """
    if holder.is_cash:
        return None
    proven = _same_number(holder, dossier)
    for owner in owners:
        same_firm = owner.firm_id == dossier.firm_id
        if same_firm and not (proven and number_key(owner.enterprise_number) != number_key(dossier.enterprise_number)):
            return Problem("account_of_other_dossier", account=holder.account, dossier=owner.name)
    if owners and not proven:
        return Problem("account_of_other_firm", account=holder.account)
    return None


def _same_number(holder: Holder, dossier: DossierFacts) -> bool:
    number = number_key(holder.number)
    return bool(number) and number == number_key(dossier.enterprise_number)


def _same_name(holder: str, dossier: str) -> bool:
    """Return whether a holder's name is the dossier's; one that fills its field may go on (coda §2, record 1)."""
    if name_key(holder) and name_key(holder) == name_key(dossier):
        return True
    whole, cut = _plain(dossier), _plain(holder)
    return len(holder) >= NAME_WIDTH - 1 and whole.startswith(cut)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
