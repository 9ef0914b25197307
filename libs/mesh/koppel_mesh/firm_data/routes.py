"""The three calls about the data of a firm that every service with tables has.

Who administers a firm (scope ``admin``) sees what Koppel holds of it and takes it along (GDPR articles 15 and 20). Deleting is
the operator's, by a token that is bound to no firm: a stolen token of a firm must not be able to destroy its books.
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from koppel_mesh.auth import Caller, require
from koppel_mesh.http.current_context import CurrentContext
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found

from .export import held_of, holdings_of, lines_of
from .leaving import ask_for_deletion, delete_firm, deletion_asked_at

NDJSON = "application/x-ndjson"
router = APIRouter(prefix="/v1/firms/{firm_id}", tags=["firm data"])
Administrator = Annotated[Caller, Depends(require("admin"))]


class HeldTable(BaseModel):
    """What one table holds of a firm; ``kept`` rows stay until ``kept_until`` although the firm leaves."""

    model_config = ConfigDict(from_attributes=True)
    table: str
    rows: int
    kept: int
    kept_until: date | None
    kept_because: str


class FirmHoldings(BaseModel):
    """What this service holds of a firm."""

    firm_id: UUID
    deletion_asked_at: datetime | None
    tables: list[HeldTable]


class DeletedData(BaseModel):
    """What became of the data of a firm: rows by table that were deleted now, and what is left and why.

    While ``complete`` is false, ask again, or leave the rest to the service. ``under_way`` counts what is being worked on: it
    is not cut short, and nothing is deleted before it has come to an end. ``to_do`` says by table what a person does about those
    of them that do not end by themselves.
    """

    firm_id: UUID
    complete: bool
    deleted: dict[str, int]
    under_way: dict[str, int]
    to_do: dict[str, str]
    left: list[HeldTable]


def _may_see(caller: Caller, firm_id: UUID) -> None:
    if not caller.may_see(firm_id):
        raise not_found("firm")


@router.get(
    "/data", response_class=StreamingResponse, responses={200: {"content": {NDJSON: {"schema": {"type": "string"}}}}}
)
async def export_firm_data(firm_id: UUID, caller: Administrator, context: CurrentContext) -> StreamingResponse:
    """Stream everything that this service holds of a firm: a line for each row, ``{"table": …, "row": {…}}``, without secrets.

    The last line is ``{"end": true, "rows": …}``; without it the stream broke off.
    """
    _may_see(caller, firm_id)
    lines = lines_of(context.database, holdings_of(context.service), firm_id)
    return StreamingResponse(lines, media_type=NDJSON, headers={"Cache-Control": "private, no-store"})


@router.get("/holdings")
async def show_firm_holdings(firm_id: UUID, caller: Administrator, context: CurrentContext) -> FirmHoldings:
    """Say what this service holds of a firm: how many rows of each table, and how many stay until when, and why."""
    _may_see(caller, firm_id)
    asked_at = await deletion_asked_at(context, firm_id)
    return FirmHoldings(firm_id=firm_id, deletion_asked_at=asked_at, tables=await _left(context, firm_id))


@router.delete("/data")
async def delete_firm_data(
    firm_id: UUID,
    caller: Administrator,
    context: CurrentContext,
    confirm: Annotated[UUID | None, Query(description="The id of the firm once more.")] = None,
) -> DeletedData:
    """Delete what this service holds of a firm that leaves, but for what a duty keeps.

    It works for some seconds; the service goes on by itself until ``complete``, and this call may be repeated meanwhile.
    """
    _may_see(caller, firm_id)
    if caller.firm_id is not None:
        raise HttpProblem(403, "bound_to_a_firm", "Only the operator deletes a firm, by a token that is bound to none.")
    if confirm != firm_id:
        wrong = FieldError(field="query.confirm", rule="not_the_firm", message="It does not name the firm.")
        raise HttpProblem(422, "not_confirmed", "confirm has to be the id of the firm once more.", errors=[wrong])
    await ask_for_deletion(context, firm_id, caller.subject)
    done = await delete_firm(context, firm_id)
    return DeletedData(
        firm_id=firm_id,
        complete=done.is_complete,
        deleted=dict(done.deleted),
        under_way=done.under_way,
        to_do={
            holding.table.name: holding.to_do.replace("{service}", context.name)
            for holding in holdings_of(context.service)
            if holding.to_do and holding.table.name in done.under_way
        },
        left=await _left(context, firm_id),
    )


async def _left(context: CurrentContext, firm_id: UUID) -> list[HeldTable]:
    found = await held_of(
        context.database,
        holdings_of(context.service),
        firm_id,
        now=context.now(),
        settings=context.settings,
    )
    return [HeldTable.model_validate(each) for each in found]
