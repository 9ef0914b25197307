"""Receipt books: what people set of them, and how they are found."""

from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller
from koppel_mesh.http.problems import not_found
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.visibility import VISIBLE

from .fields import BusinessDay, Key, Name, Whole
from .numbering import by_text, formats_of, insist_on_format, refused
from .rules import BELGIAN_RATES
from .tables import receipt_book

BOOKS_MAX = 200
"""Of one dossier: their number formats are compared with each other."""

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50, pattern=r"^[^\x00-\x1f]*$")]


class Period(StrEnum):
    """How often a book's takings become an invoice."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def _rate(value: str) -> str:
    try:
        rate = Decimal(value)
    except InvalidOperation:
        raise ValueError("a rate is written in percent, such as 21") from None
    if not rate.is_finite() or rate not in BELGIAN_RATES:
        raise ValueError("the rates in Belgium are 0, 6, 12 and 21")
    return f"{rate.normalize():f}"


Rate = Annotated[str, Field(max_length=10), AfterValidator(_rate)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    place_of_business: Name | None = Field(
        None, description="Name and address, where there are several: each has a book"
    )
    customer_code: Code | None = Field(
        None, description="Of the relation that the invoices are for; made where it is not there"
    )
    customer_name: Name | None = Field(None, description="Where no code is given; without either, the name of the book")
    cash_book_id: UUID | None = None
    journal: Code | None = Field(None, description="Comes before the customer's and the target's")
    journals: dict[UUID, Code] = Field(
        {}, max_length=20, description="By connection, where its books call the journal something else"
    )
    ends_on: BusinessDay | None = Field(None, description="The last day on which the book takes entries")


class NewReceiptBook(_Settings):
    """A receipt book to make."""

    name: Name
    key: Key | None = Field(None, description="What {BookKey} stands for; unset: B1, B2 …")
    number_format: Name = Field(examples=["G-{InvoiceNumber:5}"])
    number_prefix: str = Field("DR-", max_length=20, pattern=r"^[^\x00-\x1f{}]*$")
    period: Period = Period.MONTH
    week_starts_on: Whole = Field(1, ge=0, le=6, description="0 is Sunday")
    forward: bool = True
    vat_rates: list[Rate] = Field([], max_length=4, description="In percent; none: every rate of Belgium")


class ReceiptBookChanges(_Settings):
    """What to change of a receipt book; what is not named stays. It is for what comes later."""

    name: Name = ""
    number_format: Name = ""
    number_prefix: str = Field("", max_length=20, pattern=r"^[^\x00-\x1f{}]*$")
    period: Period = Period.MONTH
    week_starts_on: Whole = Field(1, ge=0, le=6)
    forward: bool = True
    vat_rates: list[Rate] = Field([], max_length=4)


class ReceiptBook(BaseModel):
    """A receipt book."""

    id: UUID
    dossier_id: UUID
    name: str
    key: str
    place_of_business: str | None
    customer_code: str | None
    customer_name: str | None
    number_format: str
    number_prefix: str
    period: Period
    week_starts_on: int
    forward: bool
    cash_book_id: UUID | None
    journal: str | None
    journals: dict[UUID, str]
    vat_rates: list[str]
    ends_on: date | None
    last_entry_on: date | None = Field(description="No entry goes before this day")


_COLUMNS = """b.*, (SELECT entry_on FROM entry WHERE book_id = b.id ORDER BY seq DESC LIMIT 1) AS last_entry_on"""
_BOOK = Statement(f"SELECT {_COLUMNS} FROM receipt_book b WHERE id = :id AND dossier_id = :dossier_id AND {VISIBLE}")
_KEYS = Statement("SELECT key FROM receipt_book WHERE dossier_id = :dossier_id")
_LIST = Statement(f"""
    SELECT {_COLUMNS} FROM receipt_book b WHERE dossier_id = :dossier_id AND {VISIBLE}
        AND (CAST(:after AS uuid) IS NULL OR id > :after) ORDER BY id LIMIT :limit
""")
# Entries lock it too: none is made after the end that is being set.
_LOCK_BOOK = Statement("SELECT id FROM receipt_book WHERE id = :id FOR NO KEY UPDATE")
_LAST_ON = Statement("SELECT max(entry_on) AS day FROM entry WHERE book_id = :id")
_CASH_BOOK = Statement("SELECT id FROM cash_book WHERE id = :id AND dossier_id = :dossier_id")


async def book_of(connection: AsyncConnection, caller: Caller, dossier_id: UUID, book_id: UUID) -> Record:
    """Return a book's row, with its ``last_entry_on``; 404 unless the caller may see it."""
    asked = {"id": book_id, "dossier_id": dossier_id, "firm_id": caller.firm_id}
    row = await _BOOK.one_or_none(connection, asked)
    if row is None:
        raise not_found("receipt book")
    return row


async def books_of(
    connection: AsyncConnection, caller: Caller, dossier_id: UUID, *, after: UUID | None, limit: int
) -> list[Record]:
    """Return the books of a dossier that the caller may see, by id."""
    asked = {"dossier_id": dossier_id, "firm_id": caller.firm_id, "after": after, "limit": limit}
    return await _LIST.all(connection, asked)


async def add(tx: AsyncConnection, dossier: Record, given: NewReceiptBook) -> UUID:
    """Make a book and return its id.

    Raises:
        HttpProblem: 422 where its name, its key or a number that it can produce is another book's of the dossier.
    """
    books = await formats_of(tx, dossier.id)
    keys = {row.key for row in await _KEYS.all(tx, {"dossier_id": dossier.id})}
    if len(keys) >= BOOKS_MAX:
        raise refused("name", "too_many_books", f"A dossier has at most {BOOKS_MAX} receipt books.")
    free = next(key for number in range(1, BOOKS_MAX + 2) if (key := f"B{number}") not in keys)
    values = {"id": new_id(), "dossier_id": dossier.id, "firm_id": dossier.firm_id, **given.model_dump()}
    values |= {"key": given.key or free, "journals": by_text(given.journals)}
    await _insist_on_cash_book(tx, dossier.id, given.cash_book_id)
    insist_on_format(books, values)
    await _named(tx.execute(insert(receipt_book).values(values)))
    made: UUID = values["id"]
    return made


async def change(tx: AsyncConnection, book: Record, changes: ReceiptBookChanges) -> None:
    """Change what is named of a book; errors as those of ``add``."""
    values = changes.model_dump(exclude_unset=True)
    if not values:
        return
    if "journals" in values:
        values["journals"] = by_text(changes.journals)
    books = await formats_of(tx, book.dossier_id)
    # Read again under the lock: another change may have set the prefix or the format since the caller read the book.
    as_it_is = next(each for each in books if each.id == book.id)
    insist_on_format(books, {**dict(as_it_is.items()), **values})
    await _insist_on_cash_book(tx, book.dossier_id, values.get("cash_book_id"))
    await _LOCK_BOOK.run(tx, {"id": book.id})
    last_on = (await _LAST_ON.one(tx, {"id": book.id})).day
    if values.get("ends_on") and last_on and values["ends_on"] < last_on:
        raise refused("ends_on", "before_last_entry", f"The book has entries until {last_on}.")
    await _named(tx.execute(update(receipt_book).where(receipt_book.c.id == book.id).values(values)))


async def _insist_on_cash_book(tx: AsyncConnection, dossier_id: UUID, cash_book_id: UUID | None) -> None:
    if cash_book_id is None:
        return
    if await _CASH_BOOK.one_or_none(tx, {"id": cash_book_id, "dossier_id": dossier_id}) is None:
        raise refused("cash_book_id", "unknown_cash_book", "The dossier has no such cash book.")


async def _named(work: Any) -> None:
    try:
        await work
    except IntegrityError as error:
        field = "key" if "receipt_book_key" in str(error.orig) else "name"
        raise refused(field, "already_used", f"Another receipt book of this dossier has this {field}.") from error
