"""The scheduler over HTTP (contract §6)."""

import asyncio
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel
from sqlalchemy import func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller, require
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.http.paging import Page, PageParams, PageRequest, invalid_cursor
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DocumentKind, DocumentState, Trigger
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context
from koppel_mesh.visibility import VISIBLE, visible

from . import exports, store
from .exports import ExportRequest, Progress, Started
from .handlers import QUEUED
from .rules import WaitsFor
from .tables import waiting

router = APIRouter(prefix="/v1", tags=["exports"])
Reader = Annotated[Caller, Depends(require("dossiers:read"))]
Exporter = Annotated[Caller, Depends(require("exports:write"))]
LISTEN_PAUSE_S = 0.05
ASKED_MAX = 20
"""Of how many held documents dossier-api is asked; a person answers about one at a time."""
log = structlog.get_logger(__name__)
_NEVER_BY_ITSELF = datetime(9999, 12, 31, tzinfo=UTC)


class ScheduledDocument(BaseModel):
    """A document that waits: when it goes, or what for."""

    document_id: UUID
    revision: int
    kind: DocumentKind
    number: str | None
    issue_date: date | None
    state: DocumentState
    due_at: datetime | None
    trigger: Trigger | None
    waits_for: WaitsFor
    late: bool


class Counted(BaseModel):
    """How many documents wait for one thing. ``overdue`` ones that stay are an alarm: the loops do not run."""

    waits_for: WaitsFor
    count: int
    overdue: int


class Waiting(BaseModel):
    """How many documents wait."""

    items: list[Counted]
    next: None = None


_WAITING = Statement(f"""
    SELECT waits_for, count(*) AS number, count(*) FILTER (WHERE overdue) AS overdue
    FROM waiting WHERE {VISIBLE} GROUP BY waits_for
""")
_FIRM = Statement(f"""
    SELECT firm_id FROM dossier WHERE dossier_id = :dossier_id AND version > :stub_version AND {VISIBLE}
""")


@router.post("/dossiers/{dossier_id}/exports", status_code=202, response_model=Started)
async def start_export(
    dossier_id: UUID, request: ExportRequest, caller: Exporter, context: CurrentContext, key: IdempotencyKey
) -> Response:
    """Send documents now, whatever the dossier's rules say."""
    deadline = _deadline(context)
    firm_id = await _heard_of(context, caller, dossier_id, request.document_ids or [], deadline)
    await _let_go(context, dossier_id, request.document_ids or [], deadline)
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        started = await exports.start(tx, caller, firm_id, dossier_id, request, new_id())
        answer: Response = await key.remember(tx, status=202, body=started)
    context.wake(QUEUED)
    return answer


async def _heard_of(
    context: Context, caller: Caller, dossier_id: UUID, document_ids: list[UUID], deadline: float
) -> UUID:
    """Return the dossier's firm once it and these documents are known here; where none are named, its newest one."""
    firm_id = await _dossier_heard_of(context, caller, dossier_id, deadline)
    awaited = document_ids or await _newest(context, dossier_id)
    while True:
        async with context.database.reading() as connection:
            missing = await exports.unheard_of(connection, dossier_id, awaited) if awaited else []
        if not missing:
            return firm_id
        if _now() >= deadline:
            break
        await asyncio.sleep(LISTEN_PAUSE_S)
    if not document_ids:
        # The export goes without it rather than not at all; the schedule, or another export, takes it.
        return firm_id
    errors = [FieldError(field="document_ids", rule="unknown", message=str(missed)) for missed in missing[:100]]
    raise HttpProblem(422, "unknown_document", "The dossier has no such document.", errors=errors)


async def _let_go(context: Context, dossier_id: UUID, document_ids: list[UUID], deadline: float) -> None:
    """Wait a little for documents that a person has just answered about or completed: dossier-api lets them go already."""
    async with context.database.reading() as connection:
        held = await exports.held_back(connection, dossier_id, document_ids) if document_ids else []
    free = [each for each in held[:ASKED_MAX] if await _state_of(context, each) in exports.EXPORTABLE]
    while free and _now() < deadline:
        await asyncio.sleep(LISTEN_PAUSE_S)
        async with context.database.reading() as connection:
            free = await exports.held_back(connection, dossier_id, free)


async def _state_of(context: Context, document_id: UUID) -> str | None:
    path = f"/dossier-api/v1/documents/{document_id}"
    try:
        found = await context.mesh.get_json(path, deadline_s=max(context.settings.export_patience_s, 0.5))
    except InternalCallError as error:
        log.warning("cannot ask for the state of a document", document=str(document_id), error=str(error))
        return None
    return str(found["state"])


async def _dossier_heard_of(context: Context, caller: Caller, dossier_id: UUID, deadline: float) -> UUID:
    """Return the dossier's firm once it is known here; 404 when it is not by then.

    dossier-api answered the caller before its facts reached us, so what is not known yet is waited for a little.
    """
    while True:
        async with context.database.reading() as connection:
            firm_id = await _firm_of(connection, caller, dossier_id)
        if firm_id is not None:
            return firm_id
        if _now() >= deadline:
            raise not_found("dossier")
        await asyncio.sleep(LISTEN_PAUSE_S)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _deadline(context: Context) -> float:
    patience_s: float = context.settings.export_patience_s
    return _now() + patience_s


async def _newest(context: Context, dossier_id: UUID) -> list[UUID]:
    """Ask dossier-api for the document that came last: who hands one in and exports "everything" at once means it too."""
    path = f"/dossier-api/v1/documents?dossier_id={dossier_id}&limit=1"
    try:
        listed = await context.mesh.get_json(path, deadline_s=max(context.settings.export_patience_s, 0.5))
    except InternalCallError as error:
        log.warning("cannot ask for the newest document", dossier=str(dossier_id), error=str(error))
        return []
    return [UUID(item["id"]) for item in listed["items"]]


async def _firm_of(connection: AsyncConnection, caller: Caller, dossier_id: UUID) -> UUID | None:
    asked = {"dossier_id": dossier_id, "stub_version": store.STUB_VERSION, "firm_id": caller.firm_id}
    found = await _FIRM.one_or_none(connection, asked)
    return None if found is None else found.firm_id


@router.get("/waiting")
async def count_waiting(caller: Reader, context: CurrentContext) -> Waiting:
    """Count the documents that wait, by what they wait for; and those that should have gone by now."""
    async with context.database.reading() as connection:
        rows = await _WAITING.all(connection, {"firm_id": caller.firm_id})
    return Waiting(items=[Counted(waits_for=row.waits_for, count=row.number, overdue=row.overdue) for row in rows])


@router.get("/exports/{export_id}")
async def get_export(export_id: UUID, caller: Reader, context: CurrentContext) -> Progress:
    """Return how far an export has come."""
    async with context.database.reading() as connection:
        found = await exports.progress(connection, caller, export_id)
    if found is None:
        raise not_found("export")
    return found


@router.get("/dossiers/{dossier_id}/schedule")
async def get_schedule(
    dossier_id: UUID, caller: Reader, context: CurrentContext, page: PageParams
) -> Page[ScheduledDocument]:
    """Return what waits, the soonest first; what waits for a person comes last."""
    await _dossier_heard_of(context, caller, dossier_id, _deadline(context))
    moment = func.coalesce(waiting.c.due_at, literal(_NEVER_BY_ITSELF))
    query = (
        select(waiting, moment.label("moment"))
        .where(waiting.c.dossier_id == dossier_id, visible(waiting, caller))
        .order_by(moment, waiting.c.document_id)
        .limit(page.rows)
    )
    if page.after:
        query = query.where(tuple_(moment, waiting.c.document_id) > tuple_(*map(literal, _position(page))))
    async with context.database.reading() as connection:
        rows = (await connection.execute(query)).mappings().all()
    return page.of(rows, _scheduled, lambda row: [row["moment"].isoformat(), str(row["document_id"])])


def _position(page: PageRequest) -> tuple[datetime, UUID]:
    try:
        moment, document_id = page.after or []
        return datetime.fromisoformat(moment).astimezone(UTC), UUID(document_id)
    except (ValueError, OverflowError) as error:
        raise invalid_cursor() from error


def _scheduled(row: Any) -> ScheduledDocument:
    return ScheduledDocument(
        **{name: row[name] for name in ScheduledDocument.model_fields if name != "issue_date"},
        issue_date=row["issue_on"],
    )
