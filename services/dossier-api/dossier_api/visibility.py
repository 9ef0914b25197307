"""Which scopes a route asks for, and what it answers where there is nothing the caller may see (P7)."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller, require
from koppel_mesh.http.problems import HttpProblem, not_found
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.visibility import VISIBLE

DossierReader = Annotated[Caller, Depends(require("dossiers:read"))]
DossierWriter = Annotated[Caller, Depends(require("dossiers:write"))]
DocumentReader = Annotated[Caller, Depends(require("documents:read"))]
DocumentWriter = Annotated[Caller, Depends(require("documents:write"))]
Exporter = Annotated[Caller, Depends(require("exports:write"))]


_DOSSIER = Statement(f"SELECT id FROM dossier WHERE id = :id AND {VISIBLE}")


async def one_of(connection: AsyncConnection, statement: Statement, caller: Caller, row_id: UUID, what: str) -> Record:
    """Return the one row of ``statement``, which takes ``id`` and ``firm_id``; 404 when there is none for this caller."""
    row = await statement.one_or_none(connection, {"id": row_id, "firm_id": caller.firm_id})
    if row is None:
        raise not_found(what)
    return row


async def insist_on_dossier(connection: AsyncConnection, caller: Caller, dossier_id: UUID) -> None:
    """Raise 404 unless the caller may see that dossier."""
    await one_of(connection, _DOSSIER, caller, dossier_id, "dossier")


def store_away() -> HttpProblem:
    """Return the problem for bytes that cannot be kept or had right now."""
    return HttpProblem(
        503, "content_away", "The store of files does not answer right now.", headers={"Retry-After": "5"}
    )
