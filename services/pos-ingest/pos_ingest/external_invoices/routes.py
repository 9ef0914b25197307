"""External invoices and their books over HTTP (contract §7b)."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.media_types import is_json, media_type_of
from koppel_mesh.http.paging import Page, PageParams, uuid_cursor
from koppel_mesh.http.problems import FieldError, HttpProblem, printable
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.prepared_sql import Record
from pos_ingest.closing.hand_in import HAND_IN
from pos_ingest.dossiers import Writer, insist_on_dossier

from . import books, invoices
from .models import InvoiceBook, InvoiceBookChanges, NewInvoiceBook, NewSalesInvoice, SalesInvoice

router = APIRouter(prefix="/v1/dossiers/{dossier_id}", tags=["external invoices"])
_XML = {"application/xml", "text/xml"}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return a schema without references, which would lead nowhere inside the document of the service."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if (name := schema.get("$ref")) is not None:
        return _inlined(definitions[name.rpartition("/")[2]], definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items() if key != "$defs"}


_SCHEMA = NewSalesInvoice.model_json_schema()
_TAKES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _inlined(_SCHEMA, _SCHEMA["$defs"])},
            "application/xml": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.post(
    "/sales-invoices",
    status_code=201,
    response_model=SalesInvoice,
    openapi_extra=_TAKES,
    responses={200: {"model": SalesInvoice, "description": "This invoice was taken already."}},
)
async def take_sales_invoice(
    dossier_id: UUID,
    request: Request,
    context: CurrentContext,
    caller: Writer,
    key: IdempotencyKey,
    book_id: UUID | None = None,
) -> Response:
    """Take an invoice or credit note as JSON, or as the UBL that it is (then ``book_id`` may name its book).

    It becomes a document of the dossier. A number is used once in a dossier, and is none that a book gives itself.
    """
    dossier = await insist_on_dossier(context, caller, dossier_id)
    media_type = media_type_of(request)
    is_ubl = media_type in _XML
    body = await request.body()
    # What was taken once is not judged again: an upgrade may have made the rules stricter since.
    async with context.database.reading() as reading:
        if (earlier := await key.answered(reading)) is not None:
            return earlier
        before = await invoices.ubl_taken_before(reading, dossier_id, body) if is_ubl else None
    given = before or (await invoices.read_ubl(body) if is_ubl else _parsed(body, media_type))
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        if isinstance(given, invoices.Taken):
            taken = given
        elif isinstance(given, invoices.GivenUbl):
            taken = await invoices.take_ubl(tx, dossier, given, book_id)
        else:
            taken = await invoices.take_invoice(tx, dossier, given)
        row = await invoices.shown(tx, caller.firm_id, dossier_id, taken.row.id)
        answer: Response = await key.remember(tx, status=201 if taken.is_new else 200, body=_shown(row))
    context.wake(HAND_IN)
    return answer


@router.get("/sales-invoices")
async def list_sales_invoices(
    dossier_id: UUID, context: CurrentContext, caller: Writer, page: PageParams
) -> Page[SalesInvoice]:
    """List the external invoices of a dossier, the newest first."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.reading() as reading:
        rows = await invoices.listed(reading, caller.firm_id, dossier_id, after=uuid_cursor(page), limit=page.rows)
    return page.of(rows, _shown)


@router.get("/sales-invoices/{sales_invoice_id}")
async def read_sales_invoice(
    dossier_id: UUID, sales_invoice_id: UUID, context: CurrentContext, caller: Writer
) -> SalesInvoice:
    """Return an external invoice and the document that it became."""
    async with context.database.reading() as reading:
        return _shown(await invoices.shown(reading, caller.firm_id, dossier_id, sales_invoice_id))


@router.post("/invoice-books", status_code=201, response_model=InvoiceBook)
async def add_invoice_book(
    dossier_id: UUID, body: NewInvoiceBook, context: CurrentContext, caller: Writer, key: IdempotencyKey
) -> Response:
    """Make a book of external invoices. No number that its format can give may be one of another book of the dossier."""
    dossier = await insist_on_dossier(context, caller, dossier_id)
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        book_id = await books.add(tx, dossier, body)
        made = await books.book_of(tx, caller, dossier_id, book_id)
        answer: Response = await key.remember(tx, status=201, body=books.shown(made))
        return answer


@router.get("/invoice-books")
async def list_invoice_books(
    dossier_id: UUID, context: CurrentContext, caller: Writer, page: PageParams
) -> Page[InvoiceBook]:
    """List the books of external invoices, the oldest first."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.reading() as reading:
        rows = await books.books_of(reading, caller, dossier_id, after=uuid_cursor(page), limit=page.rows)
    return page.of(rows, books.shown)


@router.get("/invoice-books/{invoice_book_id}")
async def read_invoice_book(
    dossier_id: UUID, invoice_book_id: UUID, context: CurrentContext, caller: Writer
) -> InvoiceBook:
    """Return a book of external invoices."""
    async with context.database.reading() as reading:
        return books.shown(await books.book_of(reading, caller, dossier_id, invoice_book_id))


@router.patch("/invoice-books/{invoice_book_id}")
async def change_invoice_book(
    dossier_id: UUID, invoice_book_id: UUID, body: InvoiceBookChanges, context: CurrentContext, caller: Writer
) -> InvoiceBook:
    """Change settings of a book, for invoices that come later. A setting that is null is taken away."""
    async with context.database.transaction() as tx:
        book = await books.book_of(tx, caller, dossier_id, invoice_book_id)
        await books.change(tx, book, body)
        return books.shown(await books.book_of(tx, caller, dossier_id, invoice_book_id))


def _parsed(body: bytes, media_type: str) -> NewSalesInvoice:
    if not is_json(media_type):
        title = "An invoice is handed in as application/json or application/xml (UBL)."
        raise HttpProblem(415, "unsupported_media_type", title)
    try:
        return NewSalesInvoice.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        errors = [
            FieldError(
                field=printable(".".join(str(step) for step in item["loc"]))[:300] or None,
                rule=item["type"],
                message=printable(item["msg"])[:500],
            )
            for item in found[:100]
        ]
        title = "The request is not what this route takes."
        raise HttpProblem(422, "invalid_request", title, errors=errors) from error


def _shown(row: Record) -> SalesInvoice:
    return SalesInvoice.model_validate(dict(row.items()))
