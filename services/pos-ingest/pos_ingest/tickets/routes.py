"""Tickets over HTTP (contract §7b): their registers, the tickets, the end of a day, and the till's own totals."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import bindparam, select

from koppel_mesh.clock import brussels_date
from koppel_mesh.http.dates import Day
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.prepared_sql import Record, Statement
from pos_ingest import receipt_books
from pos_ingest.dossiers import Writer, insist_on_dossier, who

from . import finishing, intake, problems, registers, z_totals
from .intake import TicketResult
from .problems import TicketProblems
from .registers import Registers
from .stream import receive
from .tables import z_total
from .z_totals import Difference, ZReport

router = APIRouter(prefix="/v1/dossiers/{dossier_id}", tags=["tickets"])
RegisterName = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
_TICKETS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "array", "maxItems": intake.TICKETS_MAX, "items": {}}}},
    }
}
_Z_TOTAL = Statement(
    select(z_total).where(
        z_total.c.dossier_id == bindparam("dossier_id"),
        z_total.c.register == bindparam("register"),
        z_total.c.sold_on == bindparam("day"),
    )
)


class FinishedDay(BaseModel):
    """What a finished day put in the book."""

    tickets: int
    entries: list[UUID]
    """Of the chain, in their order."""


class ZTotals(BaseModel):
    """A till's own totals of a day beside those of its tickets."""

    register_id: str
    date: date
    state: Literal["equal", "differs", "accepted"]
    till: ZReport
    of_tickets: dict[str, Any] = Field(description="Their number, the takings by VAT rate and the payments by method")
    differences: list[Difference]
    accepted_by: str | None
    reason: str | None
    given_at: datetime


class Acceptance(BaseModel):
    """Why the figures of the tickets are right."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason


@router.put("/registers")
async def set_registers(dossier_id: UUID, body: Registers, context: CurrentContext, caller: Writer) -> Registers:
    """Say which receipt book each register, or each location, writes to. The list takes the place of the one before."""
    dossier = await insist_on_dossier(context, caller, dossier_id)
    async with context.database.transaction() as tx:
        await registers.replace(tx, dossier, body)
        return await registers.listed(tx, dossier.id)


@router.get("/registers")
async def list_registers(dossier_id: UUID, context: CurrentContext, caller: Writer) -> Registers:
    """List the registers of a dossier and the books that they write to."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.reading() as reading:
        return await registers.listed(reading, dossier_id)


@router.post("/tickets", status_code=207, openapi_extra=_TICKETS)
async def add_tickets(
    dossier_id: UUID, request: Request, context: CurrentContext, caller: Writer
) -> list[TicketResult]:
    """Take up to 5,000 tickets, each once by its register and receipt; the answers stand in the order of the tickets."""
    dossier = await insist_on_dossier(context, caller, dossier_id)
    with await receive(request) as body:
        return await intake.take(context, dossier, body)


@router.post("/receipt-books/{book_id}/days/{date}/finish")
async def finish_day(
    dossier_id: UUID, book_id: UUID, day: Annotated[Day, Path(alias="date")], context: CurrentContext, caller: Writer
) -> FinishedDay:
    """Enter the tickets up to and with a day. It happens by itself after midnight; what comes later is a correction."""
    await insist_on_dossier(context, caller, dossier_id)
    if day > brussels_date(context.now()):
        errors = [FieldError(field="date", rule="future_date", message=f"{day} has not begun in Brussels.")]
        raise HttpProblem(422, "future_date", "The day has not begun.", errors=errors)
    async with context.database.transaction() as tx:
        await receipt_books.book_of(tx, caller, dossier_id, book_id)
        done = await finishing.finish(context, tx, book_id, day)
        await finishing.note_success(tx, book_id)
    return FinishedDay(tickets=done.tickets, entries=[row.id for row in done.entries])


@router.put("/registers/{register}/days/{date}/z-totals")
async def set_z_totals(
    dossier_id: UUID,
    register: RegisterName,
    day: Annotated[Day, Path(alias="date")],
    body: ZReport,
    context: CurrentContext,
    caller: Writer,
) -> ZTotals:
    """Compare the till's own totals of a day with its tickets. A difference stays open until tickets or a person solve it."""
    dossier = await insist_on_dossier(context, caller, dossier_id)
    async with context.database.transaction() as tx:
        return _shown(await z_totals.keep(tx, dossier, register, day, body))


@router.get("/registers/{register}/days/{date}/z-totals")
async def read_z_totals(
    dossier_id: UUID,
    register: RegisterName,
    day: Annotated[Day, Path(alias="date")],
    context: CurrentContext,
    caller: Writer,
) -> ZTotals:
    """Return the till's own totals of a day beside those of its tickets."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.reading() as reading:
        asked = {"dossier_id": dossier_id, "register": register, "day": day}
        row = await _Z_TOTAL.one_or_none(reading, asked)
    if row is None:
        raise not_found("Z report")
    return _shown(row)


@router.post("/registers/{register}/days/{date}/z-totals/accept")
async def accept_tickets(
    dossier_id: UUID,
    register: RegisterName,
    day: Annotated[Day, Path(alias="date")],
    body: Acceptance,
    context: CurrentContext,
    caller: Writer,
) -> ZTotals:
    """Take the figures of the tickets for right, with a reason."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.transaction() as tx:
        row = await z_totals.accept(tx, dossier_id, register, day, by=who(caller), reason=body.reason)
    return _shown(row)


@router.get("/ticket-problems")
async def list_ticket_problems(dossier_id: UUID, context: CurrentContext, caller: Writer) -> TicketProblems:
    """List what of the tickets waits for a person."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.reading() as reading:
        return await problems.open_problems(reading, dossier_id)


def _shown(row: Record) -> ZTotals:
    given, counted = z_totals.report_of(row), z_totals.counted_of(row)
    return ZTotals(
        register_id=row.register,
        date=row.sold_on,
        state=row.state,
        till=given,
        of_tickets=counted.to_json(),
        differences=list(z_totals.differences(given, counted)),
        accepted_by=row.accepted_by,
        reason=row.reason,
        given_at=row.given_at,
    )
