"""Manual export: which documents it takes, and how far an export has come."""

import json
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller
from koppel_mesh.http.dates import Day
from koppel_mesh.messages import DocumentKind, DocumentState, Trigger
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.visibility import VISIBLE

from .tables import document, untaken

DOCUMENT_IDS_MAX = 1000
UNCLAIMED_AFTER_S = 60
"""A document that went longer ago and no connector has taken is not exported: its dossier had no connection then."""
EXPORTABLE = (
    DocumentState.AWAITING_APPROVAL,
    DocumentState.FILED,
    DocumentState.EXPORTED,
    DocumentState.BOOKED,
)
"""By hand everything goes at any time (R051, R055), but for what nobody has typed in yet."""

_PROGRESS = Statement("""
    WITH latest AS (
        SELECT DISTINCT ON (i.document_id, d.connection_id) i.document_id, d.state
        FROM export_item i JOIN delivery d ON d.document_id = i.document_id AND d.revision >= i.revision
        WHERE i.export_id = :export_id AND d.state <> 'superseded'
        ORDER BY i.document_id, d.connection_id, d.revision DESC
    ), outcome AS (
        SELECT document_id, CASE
            WHEN bool_and(state = 'not_taken') THEN 'pending'
            WHEN bool_or(state = 'failed') THEN 'failed'
            WHEN bool_or(state NOT IN ('exported', 'booked', 'not_taken')) THEN 'pending'
            WHEN bool_or(state = 'exported') THEN 'exported'
            ELSE 'booked' END AS outcome
        FROM latest GROUP BY document_id
    )
    SELECT count(*) FILTER (WHERE outcome = 'exported') AS exported,
           count(*) FILTER (WHERE outcome = 'booked') AS booked,
           count(*) FILTER (WHERE outcome = 'failed') AS failed
    FROM outcome
""")
_KNOWN = Statement("""
    SELECT document_id FROM document WHERE dossier_id = :dossier_id AND document_id = ANY(CAST(:ids AS uuid[]))
""")
_HELD_BACK = Statement("""
    SELECT document_id FROM document WHERE dossier_id = :dossier_id AND document_id = ANY(CAST(:ids AS uuid[]))
        AND state <> ALL(CAST(:exportable AS text[])) ORDER BY document_id
""")
_EXPORT = Statement("""
    INSERT INTO export (export_id, dossier_id, firm_id, trigger, filters, include_exported, remarks, count, created_by)
    VALUES (:export_id, :dossier_id, :firm_id, 'manual', CAST(:filters AS jsonb), :include_exported, :remarks, :count,
        :created_by)
""")
_ITEMS = Statement("""
    INSERT INTO export_item (export_id, document_id, revision, again)
    SELECT CAST(:export_id AS uuid), d.document_id, d.revision, CAST(:include_exported AS boolean)
        AND coalesce(d.sent_revision = d.revision, false)
        AND NOT EXISTS (SELECT FROM untaken u WHERE u.document_id = d.document_id)
    FROM document d WHERE d.document_id = ANY(CAST(:ids AS uuid[]))
""")
_TAKEN = Statement("""
    UPDATE document SET sent_revision = revision, sent_at = now(), due_at = NULL, trigger = NULL,
        waits_for = 'nothing', late = false
    WHERE document_id = ANY(CAST(:ids AS uuid[]))
""")
_HEAD = Statement(f"SELECT * FROM export WHERE export_id = :export_id AND {VISIBLE}")


class ExportRequest(BaseModel):
    """What a manual export takes; everything given must hold."""

    model_config = ConfigDict(extra="forbid")

    from_on: Day | None = Field(None, alias="from", description="First document date.")
    to_on: Day | None = Field(None, alias="to", description="Last document date.")
    kinds: Annotated[list[DocumentKind], Field(min_length=1, max_length=len(DocumentKind))] | None = None
    document_ids: Annotated[list[UUID], Field(min_length=1, max_length=DOCUMENT_IDS_MAX)] | None = None
    include_exported: bool = Field(False, description="Also what went already: made sure of, never doubled.")
    remarks: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")] | None = Field(
        None, description="A word of the entrepreneur to the accountant."
    )

    @model_validator(mode="after")
    def _from_before_to(self) -> "ExportRequest":
        if self.from_on and self.to_on and self.from_on > self.to_on:
            raise ValueError("from is later than to")
        return self

    def filters(self) -> dict[str, Any]:
        """Return what was asked for, to be kept beside the export."""
        asked = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {name: asked[name] for name in ("from", "to", "kinds", "document_ids") if name in asked}


class Started(BaseModel):
    """A manual export that was accepted."""

    id: UUID
    count: int


class Progress(BaseModel):
    """How far an export has come. The four numbers add up to ``count``.

    A document that goes to several packages is ``failed`` when one of them refused it, ``exported`` when all have it and
    ``booked`` when all have booked it; until then it is ``pending``, as is one that waits for a person.
    """

    id: UUID
    dossier_id: UUID
    trigger: Trigger
    count: int
    exported: int
    booked: int
    failed: int
    pending: int
    include_exported: bool
    remarks: str | None
    created_at: datetime


async def unheard_of(tx: AsyncConnection, dossier_id: UUID, ids: list[UUID]) -> list[UUID]:
    """Return which of ``ids`` are not documents of this dossier, as far as is known."""
    known = {row.document_id for row in await _KNOWN.all(tx, {"dossier_id": dossier_id, "ids": ids})}
    return [document_id for document_id in ids if document_id not in known]


async def held_back(tx: AsyncConnection, dossier_id: UUID, ids: list[UUID]) -> list[UUID]:
    """Return which of ``ids`` do not go even by hand, as far as is known: they wait for an entry or an answer, or are dropped."""
    asked = {"dossier_id": dossier_id, "ids": ids, "exportable": [state.value for state in EXPORTABLE]}
    return [row.document_id for row in await _HELD_BACK.all(tx, asked)]


async def start(
    tx: AsyncConnection, caller: Caller, firm_id: UUID, dossier_id: UUID, request: ExportRequest, export_id: UUID
) -> Started:
    """Queue everything ``request`` asks for; from this commit on the schedule sends none of it.

    The locks make two exports at once take each document once: the second one waits and then sees it sent.
    """
    query = select(document.c.document_id)
    rows = (
        await tx.execute(
            query.where(*_asked_for(firm_id, dossier_id, request)).order_by(document.c.document_id).with_for_update()
        )
    ).all()
    ids = [row.document_id for row in rows]
    await _EXPORT.run(
        tx,
        {
            "export_id": export_id,
            "dossier_id": dossier_id,
            "firm_id": firm_id,
            "filters": json.dumps(request.filters()),
            "include_exported": request.include_exported,
            "remarks": request.remarks,
            "count": len(ids),
            "created_by": caller.subject,
        },
    )
    await _ITEMS.run(tx, {"export_id": export_id, "ids": ids, "include_exported": request.include_exported})
    await _TAKEN.run(tx, {"ids": ids})
    return Started(id=export_id, count=len(rows))


def _asked_for(firm_id: UUID, dossier_id: UUID, request: ExportRequest) -> list[Any]:
    wanted: list[Any] = [
        document.c.firm_id == firm_id,
        document.c.dossier_id == dossier_id,
        document.c.state.in_(EXPORTABLE),
    ]
    if request.from_on:
        wanted.append(document.c.document_on >= request.from_on)
    if request.to_on:
        wanted.append(document.c.document_on <= request.to_on)
    if request.kinds:
        wanted.append(document.c.kind.in_(request.kinds))
    if request.document_ids:
        wanted.append(document.c.document_id.in_(request.document_ids))
    if not request.include_exported:
        long_ago = document.c.sent_at < func.now() - timedelta(seconds=UNCLAIMED_AFTER_S)
        wanted.append(or_(document.c.sent_revision.is_distinct_from(document.c.revision), long_ago & _is_untaken()))
    return wanted


def _is_untaken() -> Any:
    return select(untaken.c.document_id).where(untaken.c.document_id == document.c.document_id).exists()


async def progress(connection: AsyncConnection, caller: Caller, export_id: UUID) -> Progress | None:
    """Return how far an export of the caller's firm has come; None when there is none."""
    head = await _HEAD.one_or_none(connection, {"export_id": export_id, "firm_id": caller.firm_id})
    if head is None:
        return None
    counts = await _PROGRESS.one(connection, {"export_id": export_id})
    return Progress(
        id=export_id,
        dossier_id=head.dossier_id,
        trigger=head.trigger,
        count=head.count,
        exported=counts.exported,
        booked=counts.booked,
        failed=counts.failed,
        pending=head.count - counts.exported - counts.booked - counts.failed,
        include_exported=head.include_exported,
        remarks=head.remarks,
        created_at=head.created_at,
    )
