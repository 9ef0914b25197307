"""Open problems, and trying again (P6)."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import Row, select

from dossier_api.models.problems import ProblemItem
from dossier_api.tables import OPEN, problem
from dossier_api.visibility import DocumentReader, Exporter, one_of
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.http.paging import Page, PageParams, cursor_id
from koppel_mesh.http.problems import HttpProblem
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.visibility import VISIBLE, visible

router = APIRouter(prefix="/v1", tags=["problems"])
_ONE = Statement(f"SELECT * FROM problem WHERE id = :id AND {VISIBLE}")


@router.get("/problems")
async def list_problems(
    context: CurrentContext,
    caller: DocumentReader,
    page: PageParams,
    dossier_id: UUID | None = None,
    document_id: UUID | None = None,
) -> Page[ProblemItem]:
    """List open problems, newest first."""
    statement = select(problem).where(OPEN, visible(problem, caller)).order_by(problem.c.id.desc())
    if dossier_id is not None:
        statement = statement.where(problem.c.dossier_id == dossier_id)
    if document_id is not None:
        statement = statement.where(problem.c.document_id == document_id)
    if page.after:
        statement = statement.where(problem.c.id < cursor_id(page.after[0]))
    async with context.database.reading() as reading:
        rows = (await reading.execute(statement.limit(page.rows))).all()
    return page.of(rows, _item)


@router.post("/problems/{problem_id}/retry", status_code=202, response_model=ProblemItem)
async def retry_problem(problem_id: UUID, context: CurrentContext, caller: Exporter) -> ProblemItem:
    """Ask the connector to try again now. The problem closes when that succeeds, not before."""
    async with context.database.reading() as reading:
        row = await one_of(reading, _ONE, caller, problem_id, "problem")
    if row.resolved_at is not None:
        raise HttpProblem(409, "problem_resolved", "This problem is resolved.")
    try:
        await context.mesh.post_json(_retry_path(row))
    except InternalCallError as error:
        raise _refusal(error) from error
    return _item(row)


def _retry_path(row: Record) -> str:
    if row.delivery_id is not None:
        return f"/{row.connector}/v1/deliveries/{row.delivery_id}/retry"
    return f"/{row.connector}/v1/connections/{row.connection_id}/check"


def _refusal(error: InternalCallError) -> HttpProblem:
    if error.is_transient or error.status in {401, 403}:
        title = "The connector cannot be reached right now."
        return HttpProblem(503, "connector_away", title, headers={"Retry-After": "5"})
    return HttpProblem(409, "cannot_retry", "The connector does not try again.", f"{error.code} {error.detail}".strip())


def _item(row: Row[Any] | Record) -> ProblemItem:
    return ProblemItem(**{name: getattr(row, name) for name in ProblemItem.model_fields})
