"""Whether an account belongs to a dossier: what its statements tell, and what other dossiers have. Pure.

An account belongs to a dossier when the first statement tells the dossier's enterprise number (coda §2, record 0), when the
bank leaves
the number out and the holder's name is the dossier's, or when a person confirms it. Until then its statements are refused.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from koppel_bookkeeping.parties import name_key, number_key
from koppel_connector.contract import Problem

Owned = Literal["holder_number", "holder_name"]
"""By what an account belongs to its dossier; otherwise a person's confirmation."""


@dataclass(frozen=True)
class Holder:
    """Who holds the account, as its statements tell; empty where they do not."""

    account: str
    number: str
    name: str


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
    if refused := taken(holder.account, dossier, owners, proven=_same_number(holder, dossier)):
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
    if name_key(holder.name) and name_key(holder.name) == name_key(dossier.name):
        return "holder_name"
    return Problem("account_unknown", account=holder.account, holder=holder.name or "?", dossier=dossier.name)


def taken(account: str, dossier: DossierFacts, owners: list[DossierFacts], *, proven: bool) -> Problem | None:
    """Return the problem that the account belongs to another dossier; None when it may belong to this one.

    An entrepreneur who goes to another office has a dossier at both: ``proven`` by the enterprise number, the account may
    belong to both.
    Of another firm nothing is told but that there is one.
    """
    for owner in owners:
        if owner.firm_id == dossier.firm_id:
            return Problem("account_of_other_dossier", account=account, dossier=owner.name)
    if owners and not proven:
        return Problem("account_of_other_firm", account=account)
    return None


def _same_number(holder: Holder, dossier: DossierFacts) -> bool:
    number = number_key(holder.number)
    return bool(number) and number == number_key(dossier.enterprise_number)
