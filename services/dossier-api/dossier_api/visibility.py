"""Which scopes a route asks for, and what it answers where there is nothing the caller may see (P7)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller, require
from koppel_mesh.http.problems import HttpProblem, not_found
from koppel_mesh.visibility import visible

from .tables import dossier

DossierReader = Annotated[Caller, Depends(require("dossiers:read"))]
DossierWriter = Annotated[Caller, Depends(require("dossiers:write"))]
DocumentReader = Annotated[Caller, Depends(require("documents:read"))]
DocumentWriter = Annotated[Caller, Depends(require("documents:write"))]
Exporter = Annotated[Caller, Depends(require("exports:write"))]


async def one_of(connection: AsyncConnection, statement: Select[Any], what: str) -> Row[Any]:
    """Return the one row; 404 when there is none, or none for this caller."""
    row: Row[Any] | None = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise not_found(what)
    return row


async def insist_on_dossier(connection: AsyncConnection, caller: Caller, dossier_id: UUID) -> None:
    """Raise 404 unless the caller may see that dossier."""
    await one_of(
        connection, select(dossier.c.id).where(dossier.c.id == dossier_id, visible(dossier, caller)), "dossier"
    )


def store_away() -> HttpProblem:
    """Return the problem for bytes that cannot be kept or had right now."""
    return HttpProblem(
        503, "content_away", "The store of files does not answer right now.", headers={"Retry-After": "5"}
    )
