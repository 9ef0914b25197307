"""Cash books of a dossier (contract §7b)."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from koppel_mesh.http.idempotency import IdempotencyKey
from koppel_mesh.http.paging import Page, PageParams, invalid_cursor, uuid_cursor
from koppel_mesh.http.server import CurrentContext
from koppel_mesh.prepared_sql import Statement
from pos_ingest.dossiers import Writer, insist_on_dossier, who

from . import books, counts, entries
from .models import (
    CashBook,
    CashBookChanges,
    CashEntry,
    CashStatement,
    Count,
    EnteredEntries,
    NewCashBook,
    NewCashEntries,
    NewCount,
)

router = APIRouter(prefix="/v1/dossiers/{dossier_id}", tags=["cash books"])

_ENTRIES = Statement("""
    SELECT * FROM cash_entry WHERE book_id = :book_id AND (CAST(:after AS bigint) IS NULL OR seq < :after)
    ORDER BY seq DESC LIMIT :limit
""")
_STATEMENTS = Statement("""
    SELECT s.*, h.document_id FROM cash_statement s LEFT JOIN hand_in h ON h.id = s.id
    WHERE s.book_id = :book_id AND (CAST(:after AS uuid) IS NULL OR s.id < :after) ORDER BY s.id DESC LIMIT :limit
""")


@router.post("/cash-books", status_code=201, response_model=CashBook)
async def add_cash_book(
    dossier_id: UUID, body: NewCashBook, context: CurrentContext, caller: Writer, key: IdempotencyKey
) -> Response:
    """Make a cash book, with what is in the drawer when it begins."""
    dossier = await insist_on_dossier(context, caller, dossier_id)
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        book_id = await books.add(tx, dossier, body)
        made = books.shown(await books.book_of(tx, caller, dossier_id, book_id))
        answer: Response = await key.remember(tx, status=201, body=made)
        return answer


@router.get("/cash-books")
async def list_cash_books(
    dossier_id: UUID, context: CurrentContext, caller: Writer, page: PageParams
) -> Page[CashBook]:
    """List the cash books of a dossier, the oldest first."""
    await insist_on_dossier(context, caller, dossier_id)
    async with context.database.reading() as reading:
        rows = await books.books_of(reading, caller, dossier_id, after=uuid_cursor(page), limit=page.rows)
    return page.of(rows, books.shown)


@router.get("/cash-books/{cash_book_id}")
async def read_cash_book(dossier_id: UUID, cash_book_id: UUID, context: CurrentContext, caller: Writer) -> CashBook:
    """Return a cash book with its balance."""
    async with context.database.reading() as reading:
        return books.shown(await books.book_of(reading, caller, dossier_id, cash_book_id))


@router.patch("/cash-books/{cash_book_id}")
async def change_cash_book(
    dossier_id: UUID, cash_book_id: UUID, body: CashBookChanges, context: CurrentContext, caller: Writer
) -> CashBook:
    """Change settings of a cash book, for what comes later."""
    async with context.database.transaction() as tx:
        book = await books.book_of(tx, caller, dossier_id, cash_book_id, lock=True)
        await books.change(tx, book, body)
        return books.shown(await books.book_of(tx, caller, dossier_id, cash_book_id))


@router.put(
    "/cash-books/{cash_book_id}/entries",
    status_code=201,
    response_model=EnteredEntries,
    responses={200: {"model": EnteredEntries, "description": "These lines came before."}},
)
async def enter_cash_entries(
    dossier_id: UUID,
    cash_book_id: UUID,
    body: NewCashEntries,
    context: CurrentContext,
    caller: Writer,
    response: Response,
) -> EnteredEntries:
    """Enter lines of a day. Where the drawer has another balance than ``start_balance`` it is 409, with the one it has."""
    async with context.database.transaction() as tx:
        book = await books.book_of(tx, caller, dossier_id, cash_book_id, lock=True)
        rows, balance, is_new = await entries.enter(context, tx, book, body, by=who(caller))
    response.status_code = 201 if is_new else 200
    return EnteredEntries(items=[_entry(row) for row in rows], balance=balance)


@router.get("/cash-books/{cash_book_id}/entries")
async def list_cash_entries(
    dossier_id: UUID, cash_book_id: UUID, context: CurrentContext, caller: Writer, page: PageParams
) -> Page[CashEntry]:
    """List the lines of a cash book, the latest first."""
    async with context.database.reading() as reading:
        book = await books.book_of(reading, caller, dossier_id, cash_book_id)
        asked = {"book_id": book.id, "after": _seq_cursor(page), "limit": page.rows}
        rows = await _ENTRIES.all(reading, asked)
    return page.of(rows, _entry, lambda row: [str(row.seq)])


@router.get("/cash-books/{cash_book_id}/statements")
async def list_cash_statements(
    dossier_id: UUID, cash_book_id: UUID, context: CurrentContext, caller: Writer, page: PageParams
) -> Page[CashStatement]:
    """List the statements of a cash book, the latest first."""
    async with context.database.reading() as reading:
        book = await books.book_of(reading, caller, dossier_id, cash_book_id)
        asked = {"book_id": book.id, "after": uuid_cursor(page), "limit": page.rows}
        rows = await _STATEMENTS.all(reading, asked)
    return page.of(rows, lambda row: CashStatement(**{name: row[name] for name in CashStatement.model_fields}))


@router.post("/cash-books/{cash_book_id}/counts", status_code=201, response_model=Count)
async def count_drawer(
    dossier_id: UUID, cash_book_id: UUID, body: NewCount, context: CurrentContext, caller: Writer, key: IdempotencyKey
) -> Response:
    """Say what was counted in the drawer; a difference changes nothing until a person confirms it."""
    async with context.database.transaction() as tx:
        if (earlier := await key.claim(tx)) is not None:
            return earlier
        book = await books.book_of(tx, caller, dossier_id, cash_book_id, lock=True)
        row = await counts.add(context, tx, book, body, by=who(caller))
        answer: Response = await key.remember(tx, status=201, body=counts.shown(row))
        return answer


@router.get("/cash-books/{cash_book_id}/counts")
async def list_counts(
    dossier_id: UUID, cash_book_id: UUID, context: CurrentContext, caller: Writer, page: PageParams
) -> Page[Count]:
    """List the counts of a drawer, the latest first."""
    async with context.database.reading() as reading:
        book = await books.book_of(reading, caller, dossier_id, cash_book_id)
        rows = await counts.counts_of(reading, book.id, after=uuid_cursor(page), limit=page.rows)
    return page.of(rows, counts.shown)


@router.post("/cash-books/{cash_book_id}/counts/{count_id}/confirm")
async def confirm_count(
    dossier_id: UUID, cash_book_id: UUID, count_id: UUID, context: CurrentContext, caller: Writer
) -> Count:
    """Enter the difference of a count as a line of its own."""
    async with context.database.transaction() as tx:
        book = await books.book_of(tx, caller, dossier_id, cash_book_id, lock=True)
        return counts.shown(await counts.confirm(tx, book, count_id, by=who(caller)))


def _entry(row: Any) -> CashEntry:
    return CashEntry(date=row.entry_on, **{name: row[name] for name in CashEntry.model_fields if name != "date"})


def _seq_cursor(page: PageParams) -> int | None:
    if page.after is None:
        return None
    try:
        return min(int(page.after[0]), 2**63 - 1)
    except ValueError:
        raise invalid_cursor() from None
