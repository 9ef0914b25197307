"""Documents: handed in, read, changed, approved, listed."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Select, select, tuple_

from dossier_api import erasing, machine
from dossier_api.amend import answer_question, change
from dossier_api.blobs import StoreAway
from dossier_api.document_row import new_row
from dossier_api.documents import file_intake, lock_document, read_deliveries, read_document, read_owner, write
from dossier_api.intake import take_in
from dossier_api.models.entry import DocumentPatch, QuestionAnswer
from dossier_api.tables import document
from dossier_api.views import document_body, document_summary
from dossier_api.visibility import DocumentReader, DocumentWriter, store_away
from koppel_bookkeeping import Document
from koppel_bookkeeping.document import DocumentSummary
from koppel_mesh.auth import Caller
from koppel_mesh.http.dates import Day
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.paging import Page, PageParams, PageRequest, by_id, cursor_id, invalid_cursor
from koppel_mesh.http.problems import HttpProblem
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.messages import DocumentKind, DocumentState
from koppel_mesh.visibility import visible

router = APIRouter(prefix="/v1", tags=["documents"])
log = structlog.get_logger(__name__)

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_TAKES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/xml": _BYTES,
            "application/pdf": _BYTES,
            "text/plain": _BYTES,
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "ubl": _BYTES["schema"],
                        "pdf": _BYTES["schema"],
                        "metadata": {"type": "string", "description": "JSON: direction, kind, reference, quick entry"},
                    },
                }
            },
        },
    }
}


@router.post(
    "/dossiers/{dossier_id}/documents",
    status_code=201,
    response_model=Document,
    openapi_extra=_TAKES,
    responses={200: {"model": Document, "description": "These bytes are in the dossier already."}},
)
async def hand_in_document(
    dossier_id: UUID,
    request: Request,
    context: CurrentContext,
    caller: DocumentWriter,
    idempotency: IdempotencyKey,
    direction: Annotated[Literal["sale", "purchase"] | None, Query()] = None,
) -> Response:
    """Take a document in: UBL, PDF, or both as multipart. The same bytes again answer 200 with the document they made."""
    async with context.database.reading() as reading:
        owner = await read_owner(reading, caller, dossier_id)
        # What was taken once is not judged again: an upgrade may have made the rules stricter since.
        if (earlier := await idempotency.answered(reading)) is not None:
            return earlier
    intake = await take_in(await request.body(), request.headers.get("content-type", ""), direction)
    drafted = new_row(intake, owner)
    try:
        await erasing.keep(context.database, (file.sha256 for file in intake.files))
        for file in intake.files:
            await context.resources.put(file.sha256, file.data)
    except StoreAway as error:
        log.warning("files could not be stored", dossier=str(dossier_id), error=str(error))
        raise store_away() from error
    async with context.database.transaction() as tx:
        if (earlier := await idempotency.claim(tx)) is not None:
            return earlier
        row, is_new = await file_intake(tx, intake, drafted, owner)
        deliveries = [] if is_new else await read_deliveries(tx, [row.id])
        return await idempotency.remember(tx, status=201 if is_new else 200, body=document_body(row, deliveries))


@router.get("/documents")
async def list_documents(
    context: CurrentContext,
    caller: DocumentReader,
    page: PageParams,
    dossier_id: UUID | None = None,
    state: DocumentState | None = None,
    kind: DocumentKind | None = None,
    from_: Annotated[Day | None, Query(alias="from", description="First issue date")] = None,
    to: Annotated[Day | None, Query(description="Last issue date")] = None,
) -> Page[DocumentSummary]:
    """List documents: latest arrival first, or, within a period, latest issue date first."""
    statement = select(document).where(visible(document, caller)).limit(page.rows)
    for column, value in ((document.c.dossier_id, dossier_id), (document.c.state, state), (document.c.kind, kind)):
        if value is not None:
            statement = statement.where(column == value)
    by_day = from_ is not None or to is not None
    if from_ is not None:
        statement = statement.where(document.c.issue_date >= from_)
    if to is not None:
        statement = statement.where(document.c.issue_date <= to)
    async with context.database.reading() as reading:
        rows = (await reading.execute(_ordered(statement, page, by_day=by_day))).all()
    return page.of(rows, document_summary, _by_day if by_day else by_id)


def _by_day(row: Any) -> list[str]:
    return [str(row.issue_date), str(row.id)]


def _ordered(statement: Select[Any], page: PageRequest, *, by_day: bool) -> Select[Any]:
    columns = document.c
    if page.after and len(page.after) != (2 if by_day else 1):
        raise HttpProblem(422, "invalid_cursor", "This cursor belongs to a list with other filters.")
    if not by_day:
        if page.after:
            statement = statement.where(columns.id < cursor_id(page.after[0]))
        return statement.order_by(columns.id.desc())
    if page.after:
        try:
            day = date.fromisoformat(page.after[0])
        except ValueError:
            raise invalid_cursor() from None
        statement = statement.where(tuple_(columns.issue_date, columns.id) < (day, cursor_id(page.after[1])))
    return statement.order_by(columns.issue_date.desc(), columns.id.desc())


@router.get("/documents/{document_id}")
async def get_document(document_id: UUID, context: CurrentContext, caller: DocumentReader) -> Document:
    """Return a document and where it went."""
    async with context.database.reading() as reading:
        # The document last: its state is never behind what its deliveries say.
        deliveries = await read_deliveries(reading, [document_id])
        return document_body(await read_document(reading, caller, document_id), deliveries)


@router.patch("/documents/{document_id}")
async def change_document(
    document_id: UUID, body: DocumentPatch, context: CurrentContext, caller: DocumentWriter
) -> Document:
    """Set journal and ledger accounts, or supply what a bare PDF says (quick entry), which moves it on."""
    async with context.database.transaction() as tx:
        row = await lock_document(tx, caller, document_id)
        changed = await change(tx, row, body, context.now())
        return document_body(changed, await read_deliveries(tx, [document_id]))


@router.post("/documents/{document_id}/approve")
async def approve_document(document_id: UUID, context: CurrentContext, caller: DocumentWriter) -> Document:
    """Let a document go that waits for approval."""
    async with context.database.transaction() as tx:
        row = await lock_document(tx, caller, document_id)
        changes = {"state": _approved(row.state), "approved_at": context.now(), "approved_by": _who(caller)}
        changed = await write(tx, row, changes, context.now())
        return document_body(changed, await read_deliveries(tx, [document_id]))


@router.post("/documents/{document_id}/answers")
async def answer_document(
    document_id: UUID, body: QuestionAnswer, context: CurrentContext, caller: DocumentWriter
) -> Document:
    """Answer a question about a document that is held; the answer is kept with who gave it."""
    async with context.database.transaction() as tx:
        row = await lock_document(tx, caller, document_id)
        changed = await answer_question(
            tx, row, body.question, body.answer, who=_who(caller), reason=body.reason, now=context.now()
        )
        return document_body(changed, await read_deliveries(tx, [document_id]))


def _approved(state: str) -> DocumentState:
    try:
        return machine.after(DocumentState(state), machine.Step.APPROVE, approval_required=True)
    except machine.IllegalStep:
        raise HttpProblem(
            409, "not_awaiting_approval", "Only a document that awaits approval can be approved.", f"It is {state}."
        ) from None


def _who(caller: Caller) -> str:
    return caller.subject[:200]
