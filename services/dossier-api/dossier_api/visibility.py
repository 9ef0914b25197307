"""Who may see what: every query of a route passes through here (P7)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from sqlalchemy import ColumnElement, Row, Select, Table, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller, require
from koppel_mesh.http.problems import Problem, not_found

from .tables import dossier

DossierReader = Annotated[Caller, Depends(require("dossiers:read"))]
DossierWriter = Annotated[Caller, Depends(require("dossiers:write"))]
DocumentReader = Annotated[Caller, Depends(require("documents:read"))]
DocumentWriter = Annotated[Caller, Depends(require("documents:write"))]
Exporter = Annotated[Caller, Depends(require("exports:write"))]


def visible(table: Table, caller: Caller) -> ColumnElement[bool]:
    """Return the condition that leaves the caller's firm; a token bound to none (our own services, admins) sees all."""
    return true() if caller.firm_id is None else table.c.firm_id == caller.firm_id


VISIBLE = "(CAST(:firm_id AS uuid) IS NULL OR firm_id = :firm_id)"
"""The same for statements in text, which take the caller's firm as ``firm_id``."""


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


def store_away() -> Problem:
    """Return the problem for bytes that cannot be kept or had right now."""
    return Problem(503, "content_away", "The store of files does not answer right now.", headers={"Retry-After": "5"})
