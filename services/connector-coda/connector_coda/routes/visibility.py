"""Which scopes a route asks for, and what it answers where there is nothing the caller may see (P7)."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller, require
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.http.problems import HttpProblem, not_found
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context

Reader = Annotated[Caller, Depends(require("documents:read"))]
Writer = Annotated[Caller, Depends(require("documents:write"))]
Currency = Annotated[str | None, Query(pattern="^[A-Z]{3}$", description="Where an IBAN has accounts in several")]

_FIRM = Statement("SELECT firm_id FROM dossier WHERE id = :id")
_LOCK = Statement("SELECT id, firm_id, name, enterprise_number FROM dossier WHERE id = :id FOR NO KEY UPDATE")
_ACCOUNTS = Statement("""
    SELECT * FROM account WHERE dossier_id = :dossier_id AND number = :number
        AND (CAST(:currency AS text) IS NULL OR currency = :currency)
""")


async def insist_on_dossier(context: Context, caller: Caller, dossier_id: UUID) -> UUID:
    """Return the firm of a dossier; 404 unless the caller may see it. One that we have not heard of yet is asked for."""
    async with context.database.reading() as reading:
        row = await _FIRM.one_or_none(reading, {"id": dossier_id})
    firm_id: UUID = row.firm_id if row is not None else await _firm_elsewhere(context, dossier_id)
    if not caller.may_see(firm_id):
        raise not_found("dossier")
    return firm_id


async def _firm_elsewhere(context: Context, dossier_id: UUID) -> UUID:
    try:
        return UUID((await context.mesh.get_json(f"/dossier-api/v1/dossiers/{dossier_id}"))["firm_id"])
    except InternalCallError as error:
        if error.status == 404:
            raise not_found("dossier") from error
        raise away() from error


async def lock_dossier(tx: AsyncConnection, dossier_id: UUID) -> Record:
    """Return a dossier's row, held still until ``tx`` ends; 404 when we have not heard of it."""
    row = await _LOCK.one_or_none(tx, {"id": dossier_id})
    if row is None:
        raise not_found("dossier")
    return row


async def account_of(connection: AsyncConnection, dossier_id: UUID, iban: str, currency: str | None) -> Record:
    """Return an account of a dossier; 404 when there is none, 422 when there are several and no currency is given."""
    number = iban.replace(" ", "").upper()
    found = await _ACCOUNTS.all(connection, {"dossier_id": dossier_id, "number": number, "currency": currency})
    if not found:
        raise not_found("account")
    if len(found) > 1:
        named = ", ".join(sorted(row.currency for row in found))
        raise HttpProblem(422, "currency_needed", "The account is kept in several currencies. Say which.", named)
    return found[0]


def away() -> HttpProblem:
    """Return the problem for dossier-api not answering."""
    return HttpProblem(503, "dossier_api_away", "dossier-api does not answer right now.", headers={"Retry-After": "5"})


def who(caller: Caller) -> str:
    """Return who decided, as it is kept."""
    return caller.subject[:200]
