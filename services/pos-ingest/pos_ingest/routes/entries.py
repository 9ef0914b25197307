"""A day's takings into a receipt book, and the sealed chain out of it."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from koppel_mesh.http.paging import Page, PageParams, invalid_cursor
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.prepared_sql import Record
from koppel_receipts import exporting
from pos_ingest import chain, entries, receipt_books
from pos_ingest.dossiers import Writer, insist_on_dossier, who
from pos_ingest.fields import BusinessDay
from pos_ingest.seals import public_keys
from pos_ingest.takings import DayTakings

router = APIRouter(tags=["entries"])
_BOOK = "/v1/dossiers/{dossier_id}/receipt-books/{book_id}"


class SealItem(BaseModel):
    """A seal over an entry, and thereby over all before it."""

    key_id: UUID
    signature: str = Field(description="Ed25519, base64url")


class EntryItem(BaseModel):
    """An entry of the chain."""

    id: UUID
    seq: int
    at: str
    date: date
    content: dict[str, Any]
    running_totals: dict[str, str] = Field(
        description="Takings including VAT of the whole book up to here, such as S:21"
    )
    previous_hash: str
    hash: str
    seal: SealItem | None = Field(None, description="On the last entry of a day")


class Entered(BaseModel):
    """What was entered: closed days that were left out, then the takings."""

    entries: list[EntryItem]


@router.put(
    f"{_BOOK}/days/{{date}}",
    status_code=201,
    response_model=Entered,
    responses={200: {"model": Entered, "description": "These takings were entered before: their entry alone."}},
)
async def enter_day(
    dossier_id: UUID,
    book_id: UUID,
    on: Annotated[BusinessDay, Path(alias="date")],
    body: DayTakings,
    context: CurrentContext,
    caller: Writer,
) -> Response:
    """Enter takings of a day; days between the last entry and this one are entered as closed before them.

    The same reference with the same takings is answered with 200 and the entry of the takings, without closed days.
    """
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.transaction() as tx:
        await receipt_books.book_of(tx, caller, dossier_id, book_id)
        done = await entries.append(context, tx, book_id, on, body, by=who(caller))
        answer = Entered(entries=[_item(row) for row in done.entries])
    return JSONResponse(answer.model_dump(mode="json"), 201 if done.is_new else 200)


@router.get(f"{_BOOK}/chain")
async def read_chain(
    dossier_id: UUID, book_id: UUID, context: CurrentContext, caller: Writer, page: PageParams
) -> Page[EntryItem]:
    """List the entries of a book in their order, each with its hash, the last of a day with its seal."""
    try:
        after = int(page.after[0]) if page.after else 0
    except ValueError:
        raise invalid_cursor() from None
    async with context.database.reading() as reading:
        await receipt_books.book_of(reading, caller, dossier_id, book_id)
        rows = await chain.read(reading, book_id, after=after, limit=page.rows)
    return page.of(rows, _item, lambda row: [str(row.seq)])


@router.get(
    f"{_BOOK}/export",
    response_class=StreamingResponse,
    responses={200: {"content": {exporting.MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
async def export_book(dossier_id: UUID, book_id: UUID, context: CurrentContext, caller: Writer) -> StreamingResponse:
    """Return the whole book as a file that `koppel verify-receipts` checks without any service."""
    async with context.database.reading() as reading:
        book = await receipt_books.book_of(reading, caller, dossier_id, book_id)
    headers = {"Content-Disposition": f'attachment; filename="receipts-{book.key}.ndjson"'}
    return StreamingResponse(chain.export(context, book), media_type=exporting.MEDIA_TYPE, headers=headers)


@router.get("/v1/seal-keys")
async def list_seal_keys(context: CurrentContext) -> dict[str, Any]:
    """Return the public halves of all keys that sealed or seal, as a JSON Web Key Set (RFC 7517, RFC 8037)."""
    async with context.database.reading() as reading:
        return {"keys": await public_keys(reading)}


def _item(row: Record) -> EntryItem:
    return EntryItem(**chain.as_item(row))
