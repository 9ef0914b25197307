"""Closing a receipt book by hand, and what was closed (contract §7b)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from koppel_mesh.clock import brussels_date
from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.paging import Page, PageParams, uuid_cursor
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.messages import ProblemData
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.visibility import VISIBLE
from pos_ingest import receipt_books
from pos_ingest.cash_books.models import CashStatement
from pos_ingest.dossiers import Writer, who
from pos_ingest.failures import forget_failures
from pos_ingest.fields import BusinessDay
from pos_ingest.tickets.finishing import finish

from .cash_statements import close_cash
from .hand_in import HAND_IN, retry
from .receipt_periods import close_receipts

router = APIRouter(prefix="/v1", tags=["periods"])
_LIST = Statement("""
    SELECT p.*, h.document_id, h.problem FROM receipt_period p LEFT JOIN hand_in h ON h.id = p.id
    WHERE p.book_id = :book_id AND (CAST(:after AS uuid) IS NULL OR p.id < :after) ORDER BY p.id DESC LIMIT :limit
""")
_WORK = Statement(f"SELECT * FROM hand_in WHERE id = :id AND {VISIBLE}")


class CloseThrough(BaseModel):
    """Until which day to close, that day included."""

    model_config = ConfigDict(extra="forbid")
    through: BusinessDay


class PeriodItem(BaseModel):
    """A closed period of a receipt book."""

    id: UUID
    starts_on: date
    ends_on: date
    number: str | None = Field(description="Of the invoice; empty where there was nothing to invoice")
    total: Decimal = Field(description="Takings, VAT included")
    takings: dict[str, Decimal] = Field(description="By VAT category and rate")
    first_seq: int = Field(description="The entries of the book that are in it")
    last_seq: int
    closed_by: str
    closed_at: datetime
    document_id: UUID | None = Field(
        description="The document that it is in the dossier; empty until dossier-api has it"
    )
    problem: ProblemData | None = Field(description="What keeps it from the dossier")


class Closed(BaseModel):
    """What was closed by this call."""

    periods: list[PeriodItem]
    cash_statements: list[CashStatement]


class HandIn(BaseModel):
    """What is on its way to the dossier."""

    id: UUID
    document_id: UUID | None
    problem: ProblemData | None


@router.post("/dossiers/{dossier_id}/receipt-books/{book_id}/close", response_model=Closed)
async def close_receipt_book(
    dossier_id: UUID, book_id: UUID, body: CloseThrough, context: CurrentContext, caller: Writer, key: IdempotencyKey
) -> Response:
    """Enter the tickets of a receipt book and close it, and the cash book it is linked to, through a day.

    What was closed before stays as it is.
    """
    if body.through > brussels_date(context.now()):
        message = f"{body.through} has not begun in Brussels."
        errors = [FieldError(field="through", rule="future_date", message=message)]
        raise HttpProblem(422, "future_date", "What is still to come cannot be closed.", message, errors=errors)
    async with context.database.reading() as reading:
        book = await receipt_books.book_of(reading, caller, dossier_id, book_id)
        if (earlier := await key.answered(reading)) is not None:
            return earlier
    await finish(context, book_id, body.through)
    periods = await close_receipts(context, book_id, body.through, by=who(caller))
    statements = await close_cash(context, book.cash_book_id, body.through) if book.cash_book_id else []
    await forget_failures(context, book_id, *([book.cash_book_id] if book.cash_book_id else []))
    closed = Closed(
        periods=[_period({**row, "document_id": None, "problem": None}) for row in map(dict, periods)],
        cash_statements=[_statement({**row, "document_id": None}) for row in map(dict, statements)],
    )
    async with context.database.transaction() as tx:
        answer: Response = await key.claim(tx) or await key.remember(tx, status=200, body=closed)
    return answer


@router.get("/dossiers/{dossier_id}/receipt-books/{book_id}/periods")
async def list_periods(
    dossier_id: UUID, book_id: UUID, context: CurrentContext, caller: Writer, page: PageParams
) -> Page[PeriodItem]:
    """List the closed periods of a receipt book, the latest first."""
    async with context.database.reading() as reading:
        book = await receipt_books.book_of(reading, caller, dossier_id, book_id)
        asked = {"book_id": book.id, "after": uuid_cursor(page), "limit": page.rows}
        rows = await _LIST.all(reading, asked)
    return page.of(rows, _period)


@router.post("/deliveries/{delivery_id}/retry", status_code=202)
async def retry_hand_in(delivery_id: UUID, context: CurrentContext, caller: Writer) -> HandIn:
    """Hand in again what dossier-api refused, made anew; ``POST /dossier-api/v1/problems/{id}/retry`` asks this."""
    async with context.database.transaction() as tx:
        row = await _WORK.one_or_none(tx, {"id": delivery_id, "firm_id": caller.firm_id})
        if row is None:
            raise not_found("delivery")
        await retry(tx, row)
    context.wake(HAND_IN)
    return HandIn(id=row.id, document_id=row.document_id, problem=_problem(row))


def _period(row: Any) -> PeriodItem:
    known = {name: row[name] for name in PeriodItem.model_fields}
    return PeriodItem(**{**known, "problem": _problem(row)})


def _statement(row: Any) -> CashStatement:
    return CashStatement(**{name: row[name] for name in CashStatement.model_fields})


def _problem(row: Any) -> ProblemData | None:
    return ProblemData.model_validate(row["problem"]) if row["problem"] else None
