"""Relations and ledger accounts of a dossier: brought in bulk by connectors, read by whoever enters documents."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Row, Table, bindparam, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dossier_api.models.master_data import (
    BulkResult,
    LedgerAccountBody,
    LedgerAccountsBulk,
    RelationBody,
    RelationItem,
    RelationPatch,
    RelationsBulk,
)
from dossier_api.relations import comparable
from dossier_api.tables import ledger_account, relation
from dossier_api.visibility import DossierReader, DossierWriter, insist_on_dossier
from koppel_bookkeeping.parties import name_key
from koppel_mesh.http.paging import Page, PageParams, PageRequest, cursor_id
from koppel_mesh.http.problems import not_found
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement

router = APIRouter(prefix="/v1", tags=["master data"])
BATCH = 500
Body = TypeVar("Body", bound=BaseModel)
_OWN = {"id", "dossier_id", "source", "code"}
_CHOSEN = {"journal", "ledger_account"}
"""Of a relation: what people choose in Koppel. A list that does not name them leaves them as they are (R142)."""


def _put(table: Table) -> Statement:
    """Return the statement that adds a row, or replaces the one of that dossier, source and code."""
    given = upsert(table).values(
        {column.name: bindparam(column.name, type_=column.type) for column in table.c if column.name != "updated_at"}
    )
    taken: dict[str, ColumnElement[Any]] = {
        column.name: given.excluded[column.name] for column in table.c if column.name not in _OWN
    }
    for name in _CHOSEN & taken.keys():
        taken[name] = func.coalesce(taken[name], table.c[name])
    return Statement(
        given.on_conflict_do_update(
            index_elements=["dossier_id", "source", "code"], set_={**taken, "updated_at": func.now()}
        )
    )


def _remove_others(table: Table) -> Statement:
    return Statement(f"""
        DELETE FROM {table.name}
        WHERE dossier_id = :dossier_id AND source = :source AND code <> ALL(CAST(:kept AS text[])) RETURNING id
    """)


_PUT = {table.name: _put(table) for table in (relation, ledger_account)}
_REMOVE_OTHERS = {table.name: _remove_others(table) for table in (relation, ledger_account)}


@router.put("/dossiers/{dossier_id}/relations")
async def put_relations(
    dossier_id: UUID, body: RelationsBulk, context: CurrentContext, caller: DossierWriter
) -> BulkResult:
    """Add or replace relations by code. Documents filed before keep the relation they were filed with."""
    async with context.database.transaction() as tx:
        await insist_on_dossier(tx, caller, dossier_id)
        rows = [_relation_row(item) for item in body.items]
        return await _store(tx, relation, dossier_id, body.source, rows, replace=body.replace)


@router.patch("/dossiers/{dossier_id}/relations/{relation_id}")
async def change_relation(
    dossier_id: UUID, relation_id: UUID, body: RelationPatch, context: CurrentContext, caller: DossierWriter
) -> RelationBody:
    """Choose the journal or ledger account of a relation. It is for documents that are filed from now on."""
    async with context.database.transaction() as tx:
        await insist_on_dossier(tx, caller, dossier_id)
        of_dossier = (relation.c.id == relation_id) & (relation.c.dossier_id == dossier_id)
        changes = {**body.model_dump(exclude_unset=True), "updated_at": func.now()}
        row = (await tx.execute(update(relation).where(of_dossier).values(changes).returning(relation))).one_or_none()
    if row is None:
        raise not_found("relation")
    return _shown_as(RelationBody)(row)


@router.put("/dossiers/{dossier_id}/ledger-accounts")
async def put_ledger_accounts(
    dossier_id: UUID, body: LedgerAccountsBulk, context: CurrentContext, caller: DossierWriter
) -> BulkResult:
    """Add or replace ledger accounts by code."""
    async with context.database.transaction() as tx:
        await insist_on_dossier(tx, caller, dossier_id)
        rows = [{**item.model_dump(), "name": item.name or item.code} for item in body.items]
        return await _store(tx, ledger_account, dossier_id, body.source, rows, replace=body.replace)


@router.get("/dossiers/{dossier_id}/relations")
async def list_relations(
    dossier_id: UUID,
    context: CurrentContext,
    caller: DossierReader,
    page: PageParams,
    code: Annotated[str | None, Query(max_length=60, description="As its source writes it")] = None,
    name: Annotated[
        str | None, Query(max_length=200, description="However it is written: case, dots, legal form")
    ] = None,
    number: Annotated[str | None, Query(max_length=40, description="Enterprise or VAT number")] = None,
) -> Page[RelationBody]:
    """List the relations of a dossier, or those with a code, a name or a number."""
    keys = comparable({"vat_number": number, "enterprise_number": number})
    numbers = [relation.c[each] == keys[each] for each in ("enterprise_number", "vat_number") if keys[each]]
    wanted: list[ColumnElement[bool]] = [or_(false(), *numbers)] if number is not None else []
    wanted += [relation.c.code == code] if code is not None else []
    wanted += [relation.c.name_key == name_key(name)] if name is not None else []
    async with context.database.reading() as reading:
        await insist_on_dossier(reading, caller, dossier_id)
        rows = await _rows(reading, relation, dossier_id, page, *wanted)
    return page.of(rows, _shown_as(RelationBody))


@router.get("/dossiers/{dossier_id}/ledger-accounts")
async def list_ledger_accounts(
    dossier_id: UUID, context: CurrentContext, caller: DossierReader, page: PageParams
) -> Page[LedgerAccountBody]:
    """List the ledger accounts of a dossier."""
    async with context.database.reading() as reading:
        await insist_on_dossier(reading, caller, dossier_id)
        rows = await _rows(reading, ledger_account, dossier_id, page)
    return page.of(rows, _shown_as(LedgerAccountBody))


def _relation_row(item: RelationItem) -> dict[str, Any]:
    name = item.name or item.code
    return {**item.model_dump(), **comparable(item.model_dump()), "name": name, "name_key": name_key(name)}


async def _store(
    tx: AsyncConnection, table: Table, dossier_id: UUID, source: str, rows: list[dict[str, Any]], *, replace: bool
) -> BulkResult:
    unique = {row["code"]: row for row in rows}
    filled = [{"id": new_id(), "dossier_id": dossier_id, "source": source, **row} for _, row in sorted(unique.items())]
    # Sorted, so that two imports of one dossier at once take their row locks in the same order.
    for start in range(0, len(filled), BATCH):
        await _PUT[table.name].run_many(tx, filled[start : start + BATCH])
    removed: Sequence[Record] = []
    if replace:
        which = {"dossier_id": dossier_id, "source": source, "kept": list(unique)}
        removed = await _REMOVE_OTHERS[table.name].all(tx, which)
    return BulkResult(stored=len(filled), removed=len(removed))


async def _rows(
    reading: AsyncConnection, table: Table, dossier_id: UUID, page: PageRequest, *wanted: ColumnElement[bool]
) -> Sequence[Row[Any]]:
    statement = select(table).where(table.c.dossier_id == dossier_id, *wanted).order_by(table.c.id).limit(page.rows)
    if page.after:
        statement = statement.where(table.c.id > cursor_id(page.after[0]))
    return (await reading.execute(statement)).all()


def _shown_as(body: type[Body]) -> Callable[[Row[Any]], Body]:
    return lambda row: body.model_validate(dict(row._mapping))
