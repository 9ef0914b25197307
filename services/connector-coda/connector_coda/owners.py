"""Settles to which accounts of a dossier nobody has laid claim yet, and keeps why the others are refused."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract import Problem
from koppel_mesh.prepared_sql import Record, Statement

from .ownership import DossierFacts, Holder, decide
from .problems import render

_ACCOUNTS = Statement("SELECT * FROM account WHERE dossier_id = :id ORDER BY number, currency")
# Two dossiers that learn of one account at the same time wait for each other here.
LOCK_NUMBER = Statement("SELECT pg_advisory_xact_lock(hashtextextended(:number, 0))")
_OWNERS = Statement("""
    SELECT d.id, d.firm_id, d.name, d.enterprise_number FROM account a JOIN dossier d ON d.id = a.dossier_id
    WHERE a.number = :number AND a.currency = :currency AND a.owned_by IS NOT NULL AND a.dossier_id <> :dossier ORDER BY a.id
""")
_OWN = Statement("""
    UPDATE account SET owned_by = :by, owned_at = clock_timestamp(), owned_reason = :reason, refusal = NULL, withdrawn_by = NULL,
        withdrawn_at = NULL, withdrawn_reason = NULL WHERE id = :id
    RETURNING *
""")
_WITHDRAW = Statement("""
    UPDATE account SET owned_by = NULL, owned_at = NULL, owned_reason = NULL, withdrawn_by = :by, withdrawn_reason = :reason,
        withdrawn_at = clock_timestamp() WHERE id = :id RETURNING *
""")
_REFUSE = Statement("UPDATE account SET refusal = CAST(:refusal AS jsonb) WHERE id = :id RETURNING *")


@dataclass(frozen=True)
class Account:
    """An account's row, and why it is refused where it is."""

    row: Record
    problem: Problem | None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, name)


async def settle(tx: AsyncConnection, dossier: Record) -> dict[UUID, Any]:
    """Return the accounts of a dossier by id, each with whether it belongs to it."""
    facts = DossierFacts(dossier.id, dossier.firm_id, dossier.name, dossier.enterprise_number)
    found: dict[UUID, Any] = {}
    for row in await _ACCOUNTS.all(tx, {"id": dossier.id}):
        found[row.id] = Account(row, None) if row.owned_by is not None else await _settled(tx, row, facts)
    return found


async def _settled(tx: AsyncConnection, row: Record, dossier: DossierFacts) -> Account:
    others = await owners_of(tx, row.number, row.currency, dossier.id)
    decided = _withdrawn(row, dossier) if row.withdrawn_by is not None else decide(holder_of(row), dossier, others)
    if isinstance(decided, Problem):
        refusal = render(decided).model_dump_json()
        return Account(await _REFUSE.one(tx, {"id": row.id, "refusal": refusal}), decided)
    return Account(await own(tx, row.id, decided, None), None)


def holder_of(row: Record) -> Holder:
    """Return what the statements of an account tell of its holder."""
    return Holder(row.number, row.holder_number, row.holder_name, row.kind == "cash")


async def owners_of(tx: AsyncConnection, number: str, currency: str, dossier_id: UUID) -> list[DossierFacts]:
    """Return the other dossiers to which an account belongs; until ``tx`` ends nobody else decides about this account."""
    await LOCK_NUMBER.run(tx, {"number": f"{number} {currency}"})
    rows = await _OWNERS.all(tx, {"number": number, "currency": currency, "dossier": dossier_id})
    return [DossierFacts(each.id, each.firm_id, each.name, each.enterprise_number) for each in rows]


async def own(tx: AsyncConnection, account_id: UUID, by: str, reason: str | None) -> Record:
    """Let an account belong to its dossier from now on."""
    return await _OWN.one(tx, {"id": account_id, "by": by, "reason": reason})


async def withdraw(tx: AsyncConnection, account_id: UUID, by: str, reason: str) -> Record:
    """Let an account belong to its dossier no more, until a person confirms it again."""
    return await _WITHDRAW.one(tx, {"id": account_id, "by": by, "reason": reason})


def _withdrawn(row: Record, dossier: DossierFacts) -> Problem:
    return Problem("account_withdrawn", row.withdrawn_reason, account=row.number, dossier=dossier.name)
