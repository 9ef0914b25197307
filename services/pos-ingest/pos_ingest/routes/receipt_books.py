"""Receipt books of a dossier."""

from uuid import UUID

from fastapi import APIRouter, Response

from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.paging import Page, PageParams, uuid_cursor
from koppel_mesh.http.server import CurrentContext
from pos_ingest import receipt_books
from pos_ingest.dossiers import Writer, insist_on_dossier
from pos_ingest.receipt_books import NewReceiptBook, ReceiptBook, ReceiptBookChanges

router = APIRouter(prefix="/v1/dossiers/{dossier_id}", tags=["receipt books"])


@router.post("/receipt-books", status_code=201, response_model=ReceiptBook)
async def add_receipt_book(
    dossier_id: UUID, body: NewReceiptBook, context: CurrentContext, caller: Writer, key: IdempotencyKey
) -> Response:
    """Make a receipt book. No number that its format can produce may be one of another book of the dossier."""
    dossier = await insist_on_dossier(context, caller, dossier_id)
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        book_id = await receipt_books.add(tx, dossier, body)
        made = await receipt_books.book_of(tx, caller, dossier_id, book_id)
        answer: Response = await key.remember(tx, status=201, body=ReceiptBook(**dict(made)))
        return answer


@router.get("/receipt-books")
async def list_receipt_books(
    dossier_id: UUID, context: CurrentContext, caller: Writer, page: PageParams
) -> Page[ReceiptBook]:
    """List the receipt books of a dossier, the oldest first."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.reading() as reading:
        rows = await receipt_books.books_of(reading, caller, dossier_id, after=uuid_cursor(page), limit=page.rows)
    return page.of(rows, lambda row: ReceiptBook(**dict(row)))


@router.get("/receipt-books/{book_id}")
async def read_receipt_book(dossier_id: UUID, book_id: UUID, context: CurrentContext, caller: Writer) -> ReceiptBook:
    """Return a receipt book."""
    async with context.database.reading() as reading:
        return ReceiptBook(**dict(await receipt_books.book_of(reading, caller, dossier_id, book_id)))


@router.patch("/receipt-books/{book_id}")
async def change_receipt_book(
    dossier_id: UUID, book_id: UUID, body: ReceiptBookChanges, context: CurrentContext, caller: Writer
) -> ReceiptBook:
    """Change settings of a receipt book, for what comes later. A setting that is null is taken away."""
    async with context.database.transaction() as tx:
        book = await receipt_books.book_of(tx, caller, dossier_id, book_id)
        await receipt_books.change(tx, book, body)
        return ReceiptBook(**dict(await receipt_books.book_of(tx, caller, dossier_id, book_id)))
