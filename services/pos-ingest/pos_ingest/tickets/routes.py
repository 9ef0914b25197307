"""Tickets over HTTP (contract §7b): their registers, the tickets, the end of a day, and the till's own totals."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import bindparam, select

from koppel_mesh.clock import brussels_date
from koppel_mesh.http.media_types import insist_on_json
from koppel_mesh.http.paging import Page, PageParams, uuid_cursor
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.prepared_sql import Record, Statement
from pos_ingest import receipt_books
from pos_ingest.cash_books.lines import CashKind
from pos_ingest.cash_books.models import Part, Remark
from pos_ingest.dossiers import Writer, insist_on_dossier, who
from pos_ingest.fields import BusinessDay

from . import cash_movements, finishing, intake, problems, registers, z_totals
from .movements import Explained
from .problems import TicketProblems
from .registers import Registers
from .results import TicketResult
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


class CashMovement(BaseModel):
    """Money that a till put in the drawer, or took from it."""

    id: UUID
    register_id: str
    receipt_id: str
    date: date
    amount: Decimal = Field(description="Positive for money that came into the drawer")
    kind: CashKind | None = Field(description="None: nobody has said what it was")
    party: str
    invoice_number: str
    remark: str
    state: Literal["waiting", "entered"]
    refusal: str | None = Field(description="Why it waits: unclear, drawer_below_zero, no_cash_book")
    cash_entry_id: UUID | None = Field(description="The line of the cash book")


class CashMovementKind(BaseModel):
    """What it was."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["BACA", "CABA", "CLIE", "SUPP", "PRTA", "PRDE"]
    party: Part = Field("", description="Of a payment: who paid or was paid")
    invoice_number: Part = Field("", description="Of a payment: which invoice it is for")
    remark: Remark = Field("", description="Empty: what the till said")


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
    """Take up to 5,000 tickets, each once by its register and receipt; the answers stand in the order of the tickets.

    Sent again, with an ``Idempotency-Key`` or without, each ticket that was taken is answered as a ``duplicate``.
    """
    dossier = await insist_on_dossier(context, caller, dossier_id)
    insist_on_json(request)
    with await receive(request) as body:
        return await intake.take(context, dossier, body)


@router.post("/receipt-books/{book_id}/days/{date}/finish")
async def finish_day(
    dossier_id: UUID,
    book_id: UUID,
    day: Annotated[BusinessDay, Path(alias="date")],
    context: CurrentContext,
    caller: Writer,
) -> FinishedDay:
    """Enter the tickets up to and with a day. It happens by itself after midnight; what comes later is a correction."""
    await insist_on_dossier(context, caller, dossier_id)
    if day > brussels_date(context.now()):
        errors = [FieldError(field="date", rule="future_date", message=f"{day} has not begun in Brussels.")]
        raise HttpProblem(422, "future_date", "The day has not begun.", errors=errors)
    async with context.database.reading() as reading:
        await receipt_books.book_of(reading, caller, dossier_id, book_id)
    done = await finishing.finish(context, book_id, day)
    return FinishedDay(tickets=done.tickets, entries=list(done.entries))


@router.put("/registers/{register}/days/{date}/z-totals")
async def set_z_totals(
    dossier_id: UUID,
    register: RegisterName,
    day: Annotated[BusinessDay, Path(alias="date")],
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
    day: Annotated[BusinessDay, Path(alias="date")],
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
    day: Annotated[BusinessDay, Path(alias="date")],
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


@router.get("/cash-movements")
async def list_cash_movements(
    dossier_id: UUID, context: CurrentContext, caller: Writer, page: PageParams
) -> Page[CashMovement]:
    """List what tickets put in the drawer or took from it, the latest first."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.reading() as reading:
        rows = await cash_movements.listed(reading, dossier_id, after=uuid_cursor(page), limit=page.rows)
    return page.of(rows, _movement)


@router.post("/cash-movements/{cash_movement_id}/explain")
async def explain_cash_movement(
    dossier_id: UUID, cash_movement_id: UUID, body: CashMovementKind, context: CurrentContext, caller: Writer
) -> CashMovement:
    """Say what money was that a till put in the drawer or took from it."""
    await insist_on_dossier(context, caller, dossier_id)
    said = Explained(CashKind(body.kind), body.party, body.invoice_number, body.remark)
    async with context.database.transaction() as tx:
        return _movement(await cash_movements.explain(tx, dossier_id, cash_movement_id, said))


def _movement(row: Record) -> CashMovement:
    state: Literal["entered", "waiting"] = "entered" if row.entered_at is not None else "waiting"
    renamed = {"date": row.moved_on, "register_id": row.register, "receipt_id": row.receipt, "state": state}
    return CashMovement(**renamed, **{name: row[name] for name in CashMovement.model_fields if name not in renamed})


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
