"""Cash books of a dossier: made and found."""

from collections.abc import Awaitable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller
from koppel_mesh.http.problems import FieldError, HttpProblem, not_found
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.visibility import VISIBLE
from pos_ingest.closing.periods import A_DAY

from .ibans import fictitious_iban
from .models import CashBook, CashBookChanges, CodaSettings, NewCashBook, TillKinds
from .tables import cash_book

_LOCK_DOSSIER = Statement("SELECT pg_advisory_xact_lock(hashtextextended('cash books ' || :dossier_id, 0))")
_OF_DOSSIER = Statement("SELECT name, iban FROM cash_book WHERE dossier_id = :dossier_id")
_BOOK = f"SELECT * FROM cash_book WHERE id = :id AND dossier_id = :dossier_id AND {VISIBLE}"
_ONE = Statement(_BOOK)
_LOCKED = Statement(f"{_BOOK} FOR NO KEY UPDATE")
_LIST = Statement(f"""
    SELECT * FROM cash_book WHERE dossier_id = :dossier_id AND {VISIBLE} AND (CAST(:after AS uuid) IS NULL OR id > :after)
    ORDER BY id LIMIT :limit
""")


async def book_of(
    connection: AsyncConnection, caller: Caller, dossier_id: UUID, book_id: UUID, *, lock: bool = False
) -> Record:
    """Return a book's row, held still until the transaction ends where ``lock`` says so; 404 unless the caller may see it."""
    asked = {"id": book_id, "dossier_id": dossier_id, "firm_id": caller.firm_id}
    row = await (_LOCKED if lock else _ONE).one_or_none(connection, asked)
    if row is None:
        raise not_found("cash book")
    return row


async def books_of(
    connection: AsyncConnection, caller: Caller, dossier_id: UUID, *, after: UUID | None, limit: int
) -> list[Record]:
    """Return the books of a dossier that the caller may see, by id."""
    asked = {"dossier_id": dossier_id, "firm_id": caller.firm_id, "after": after, "limit": limit}
    return await _LIST.all(connection, asked)


async def add(tx: AsyncConnection, dossier: Record, given: NewCashBook) -> UUID:
    """Make a book and return its id.

    Raises:
        HttpProblem: 422 where its name or its IBAN is another book's of the dossier.
    """
    await _LOCK_DOSSIER.run(tx, {"dossier_id": str(dossier.id)})
    others = await _OF_DOSSIER.all(tx, {"dossier_id": dossier.id})
    taken = {row.iban for row in others}
    book_id = new_id()
    free = next(iban for attempt in range(len(others) + 1) if (iban := fictitious_iban(book_id, attempt)) not in taken)
    values: dict[str, Any] = {
        "id": book_id,
        "dossier_id": dossier.id,
        "firm_id": dossier.firm_id,
        "name": given.name,
        "iban": given.iban or free,
        "start_on": given.start_date,
        "start_balance": given.start_balance,
        "balance": given.start_balance,
        **_columns(given.model_dump(include={"coda", "till"})),
    }
    await _named(tx.execute(insert(cash_book).values(values)))
    return book_id


async def change(tx: AsyncConnection, book: Record, changes: CashBookChanges) -> None:
    """Change what is named of a book; errors as those of ``add``."""
    named = changes.model_dump(exclude_unset=True)
    values = _columns(named)
    if "name" in named:
        values["name"] = named["name"]
    if values:
        await _named(tx.execute(update(cash_book).where(cash_book.c.id == book.id).values(values)))


def _columns(named: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of what is named in ``coda`` and ``till``."""
    coda = {f"coda_{name}": value for name, value in named.get("coda", {}).items()}
    return coda | {name.replace("cash", "till"): value for name, value in named.get("till", {}).items()}


async def _named(work: Awaitable[Any]) -> None:
    try:
        await work
    except IntegrityError as error:
        field = "iban" if "cash_book_iban" in str(error.orig) else "name"
        message = f"Another cash book of this dossier has this {field}."
        errors = [FieldError(field=field, rule="already_used", message=message)]
        raise HttpProblem(
            422, "already_used", "The cash book cannot be kept like this.", message, errors=errors
        ) from error


def minimum_on(book: Record) -> Any:
    """Return the first day on which a line may still be entered: there is no way back, and what is on a statement stays."""
    days = [book.start_on, book.last_entry_on, book.closed_through + A_DAY if book.closed_through else None]
    return max(day for day in days if day is not None)


def shown(book: Record) -> CashBook:
    """Return a book as callers see it."""
    return CashBook(
        id=book.id,
        dossier_id=book.dossier_id,
        name=book.name,
        iban=book.iban,
        start_date=book.start_on,
        start_balance=book.start_balance,
        balance=book.balance,
        last_entry_date=book.last_entry_on,
        minimum_date=minimum_on(book),
        closed_through=book.closed_through,
        coda=CodaSettings(period=book.coda_period, week_starts_on=book.coda_week_starts_on, lines=book.coda_lines),
        till=TillKinds(cash_in=book.till_in, cash_out=book.till_out),
    )
