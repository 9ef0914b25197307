"""Dossiers: made, listed, changed."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy import ColumnElement, Row, bindparam, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dossier_api.documents import require_approval
from dossier_api.models.dossiers import ConnectionBody, DossierBody, DossierDetail, DossierPatch, NewDossier
from dossier_api.outgoing_events import dossier_changed
from dossier_api.tables import OPEN_SQL, PENDING, document, dossier
from dossier_api.views import dossier_body
from dossier_api.visibility import DossierReader, DossierWriter, one_of
from koppel_mesh.auth import Caller
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.paging import Page, PageParams, cursor_id
from koppel_mesh.http.problems import FieldError, HttpProblem
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.ids import new_id
from koppel_mesh.outbox import publish
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.visibility import VISIBLE, visible

router = APIRouter(prefix="/v1", tags=["dossiers"])
_NEW = (
    "id",
    "firm_id",
    "name",
    "enterprise_number",
    "language",
    "email",
    "reference",
    "export_frequency",
    "approval_required",
    "lock_after_export",
)
_CREATE = Statement(insert(dossier).values({name: bindparam(name) for name in _NEW}).returning(dossier))
_ONE = Statement(f"SELECT * FROM dossier WHERE id = :id AND {VISIBLE}")
# It excludes whoever shares the dossier to rely on it, and not rows that merely refer to it: a report that holds its document
# would wait here with its problem, and we there for that document.
_LOCK = Statement(f"SELECT * FROM dossier WHERE id = :id AND {VISIBLE} FOR NO KEY UPDATE")
_CONNECTIONS = Statement("SELECT * FROM connection WHERE dossier_id = :dossier_id ORDER BY id")
_OPEN_PROBLEMS = Statement(f"SELECT count(*) AS number FROM problem WHERE dossier_id = :dossier_id AND {OPEN_SQL}")
_ANY_DOCUMENT = Statement("SELECT id FROM document WHERE dossier_id = :dossier_id LIMIT 1")


@router.post("/dossiers", status_code=201, response_model=DossierBody)
async def create_dossier(
    body: NewDossier, context: CurrentContext, caller: DossierWriter, idempotency: IdempotencyKey
) -> Response:
    """Make a dossier. Its enterprise number need not be unique in the office."""
    row = {
        "id": new_id(),
        "firm_id": _firm_of(body, caller),
        "name": body.name,
        "enterprise_number": body.enterprise_number,
        "language": body.language,
        "email": body.email,
        "reference": body.reference,
        "export_frequency": body.export.frequency,
        "approval_required": body.export.approval_required,
        "lock_after_export": body.export.lock_after_export,
    }
    async with context.database.transaction() as tx:
        if (earlier := await idempotency.claim(tx)) is not None:
            return earlier
        made = await _CREATE.one(tx, row)
        await publish(tx, dossier_changed(made))
        return await idempotency.remember(tx, status=201, body=dossier_body(made))


@router.get("/dossiers")
async def list_dossiers(
    context: CurrentContext,
    caller: DossierReader,
    page: PageParams,
    pending: bool = False,
    q: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00-\x1f]*$")] = None,
) -> Page[DossierBody]:
    """List dossiers, oldest first; ``pending`` keeps those with papers in quick entry or documents ready to export."""
    statement = select(dossier).where(visible(dossier, caller)).order_by(dossier.c.id).limit(page.rows)
    if page.after:
        statement = statement.where(dossier.c.id > cursor_id(page.after[0]))
    if pending:
        waits = select(1).where(document.c.dossier_id == dossier.c.id, PENDING).exists()
        statement = statement.where(waits)
    if q and q.strip():
        statement = statement.where(_matches(q.strip()))
    async with context.database.reading() as reading:
        rows = (await reading.execute(statement)).all()
    return page.of(rows, dossier_body)


@router.get("/dossiers/{dossier_id}")
async def get_dossier(dossier_id: UUID, context: CurrentContext, caller: DossierReader) -> DossierDetail:
    """Return a dossier with its connections and how many problems are open."""
    async with context.database.reading() as reading:
        row = await one_of(reading, _ONE, caller, dossier_id, "dossier")
        links = await _CONNECTIONS.all(reading, {"dossier_id": dossier_id})
        still_open = await _OPEN_PROBLEMS.one(reading, {"dossier_id": dossier_id})
    return DossierDetail(
        **dossier_body(row).model_dump(),
        connections=[
            ConnectionBody(
                connection_id=link.id,
                connector=link.connector,
                state=link.state,
                connected_via_user=link.connected_via_user,
            )
            for link in links
        ],
        open_problems=still_open.number,
    )


@router.patch("/dossiers/{dossier_id}")
async def change_dossier(
    dossier_id: UUID, body: DossierPatch, context: CurrentContext, caller: DossierWriter
) -> DossierBody:
    """Change some of a dossier. Its enterprise number stays once documents were filed under it."""
    async with context.database.transaction() as tx:
        row = await one_of(tx, _LOCK, caller, dossier_id, "dossier")
        changes = {name: value for name, value in _changes(body).items() if getattr(row, name) != value}
        if not changes:
            return dossier_body(row)
        if "enterprise_number" in changes:
            await _insist_on_no_documents(tx, dossier_id)
        statement = update(dossier).where(dossier.c.id == dossier_id)
        changes |= {"version": row.version + 1, "updated_at": context.now()}
        changed: Row[Any] = (await tx.execute(statement.values(changes).returning(dossier))).one()
        await publish(tx, dossier_changed(changed))
        if changes.get("approval_required"):
            await require_approval(tx, dossier_id, context.now())
    return dossier_body(changed)


def _changes(body: DossierPatch) -> dict[str, Any]:
    given = {name: getattr(body, name) for name in body.model_fields_set - {"export"}}
    if "export" in body.model_fields_set:
        rules = {name: getattr(body.export, name) for name in body.export.model_fields_set}
        given |= {"export_frequency" if name == "frequency" else name: value for name, value in rules.items()}
    return given


def _matches(q: str) -> ColumnElement[bool]:
    columns = (dossier.c.name, dossier.c.reference, dossier.c.enterprise_number)
    bare = q.upper().removeprefix("BE").replace(".", "").replace(" ", "") or q
    return or_(
        *(func.lower(column).contains(q.lower(), autoescape=True) for column in columns),
        dossier.c.enterprise_number.contains(bare, autoescape=True),
    )


async def _insist_on_no_documents(tx: AsyncConnection, dossier_id: UUID) -> None:
    if await _ANY_DOCUMENT.one_or_none(tx, {"dossier_id": dossier_id}) is not None:
        raise HttpProblem(
            409, "enterprise_number_in_use", "Documents were filed under this enterprise number.", "Make a new dossier."
        )


def _firm_of(body: NewDossier, caller: Caller) -> UUID:
    if caller.firm_id is None and body.firm_id is None:
        error = FieldError(field="body.firm_id", rule="missing", message="a token bound to no firm must name one")
        raise HttpProblem(422, "firm_id_required", "For which firm is this dossier?", errors=[error])
    if caller.firm_id is not None and body.firm_id not in {None, caller.firm_id}:
        raise HttpProblem(422, "other_firm", "This token is bound to another firm.")
    return caller.firm_id or body.firm_id  # type: ignore[return-value]
