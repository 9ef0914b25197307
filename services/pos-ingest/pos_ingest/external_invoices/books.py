"""Books of external invoices: where their invoices are booked, and how they are numbered."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_bookkeeping.business_keys import document_number_key
from koppel_mesh.auth import Caller
from koppel_mesh.http.problems import HttpProblem, not_found
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.visibility import VISIBLE
from pos_ingest.numbering import by_text, formats_of, insist_on_format, refused

from .models import InvoiceBook, InvoiceBookChanges, NewInvoiceBook
from .tables import invoice_book

BOOKS_MAX = 200
_BOOK = Statement(f"SELECT * FROM invoice_book WHERE id = :id AND dossier_id = :dossier_id AND {VISIBLE}")
_LIST = Statement(f"""
    SELECT * FROM invoice_book
    WHERE dossier_id = :dossier_id AND {VISIBLE} AND (CAST(:after AS uuid) IS NULL OR id > :after) ORDER BY id LIMIT :limit
""")
_NAMED = Statement("SELECT * FROM invoice_book WHERE dossier_id = :dossier_id AND name = :name")
_NUMBERING = Statement("""
    SELECT id FROM invoice_book WHERE dossier_id = :dossier_id AND number_format IS NOT NULL ORDER BY name <> :name, id LIMIT 1
""")
_NAMES = Statement("SELECT name FROM invoice_book WHERE dossier_id = :dossier_id")
_OF_TILLS: Final = {"nl": "Kassafacturen", "fr": "Factures de caisse", "en": "Till invoices"}
_LETTERS_OF_TILLS: Final = ("K", "T", "KF", "TF", "KASSA")
_DIGITS_OF_TILLS: Final = 5
_USED = Statement("""
    SELECT number FROM invoice_number WHERE dossier_id = :dossier_id AND number_key ~ CAST(:given AS text) LIMIT 1
""")
_KEYS = Statement("SELECT key FROM invoice_book WHERE dossier_id = :dossier_id")


async def book_of(connection: AsyncConnection, caller: Caller, dossier_id: UUID, book_id: UUID) -> Record:
    """Return a book's row; 404 unless the caller may see it."""
    row = await _BOOK.one_or_none(connection, {"id": book_id, "dossier_id": dossier_id, "firm_id": caller.firm_id})
    if row is None:
        raise not_found("invoice book")
    return row


async def books_of(
    connection: AsyncConnection, caller: Caller, dossier_id: UUID, *, after: UUID | None, limit: int
) -> list[Record]:
    """Return the books of a dossier that the caller may see, by id."""
    wanted = {"dossier_id": dossier_id, "firm_id": caller.firm_id, "after": after, "limit": limit}
    return await _LIST.all(connection, wanted)


async def add(tx: AsyncConnection, dossier: Record, given: NewInvoiceBook) -> UUID:
    """Make a book and return its id.

    Args:
        tx: the transaction.
        dossier: ``id`` and ``firm_id``.
        given: its settings.

    Raises:
        HttpProblem: 422 where its name, its key or a number that it can give is another book's of the dossier.
    """
    books = await formats_of(tx, dossier.id)
    keys = {row.key for row in await _KEYS.all(tx, {"dossier_id": dossier.id})}
    if len(keys) >= BOOKS_MAX:
        raise refused("name", "too_many_books", f"A dossier has at most {BOOKS_MAX} invoice books.")
    values: dict[str, Any] = {"id": new_id(), "dossier_id": dossier.id, "firm_id": dossier.firm_id}
    values |= given.model_dump() | {"journals": by_text(given.journals)}
    values["key"] = given.key or next(key for number in range(1, BOOKS_MAX + 2) if (key := f"S{number}") not in keys)
    if given.number_format is not None:
        insist_on_format(books, {**values, "number_prefix": ""})
    await _named(tx.execute(insert(invoice_book).values(values)))
    made: UUID = values["id"]
    return made


async def ensure(tx: AsyncConnection, dossier: Record, name: str) -> Record:
    """Return the book of that name, which is made where it is new: as tills name the journal of an invoice."""
    row = await _NAMED.one_or_none(tx, {"dossier_id": dossier.id, "name": name})
    if row is None:
        await formats_of(tx, dossier.id)  # which lets one of two callers at once make it
        row = await _NAMED.one_or_none(tx, {"dossier_id": dossier.id, "name": name})
    if row is None:
        await add(tx, dossier, NewInvoiceBook(name=name))
        row = await _NAMED.one(tx, {"dossier_id": dossier.id, "name": name})
    return row


async def ensure_numbering(tx: AsyncConnection, dossier: Record, name: str) -> UUID:
    """Return the book that numbers the invoices of tills: the one of that name, else the oldest that numbers any.

    Where none numbers its invoices one is made, as tills expect of the journal of an invoice. Its numbers are none that the
    dossier has used: whoever gave those goes on with them, and a number that a book gives is refused from others.

    Args:
        tx: the transaction.
        dossier: ``id``, ``firm_id`` and ``language``.
        name: of the receipt book that the tickets are of.

    Raises:
        HttpProblem: 422 where every number format that we know of could give a number of another book, or one that is used.
    """
    wanted = {"dossier_id": dossier.id, "name": name}
    row = await _NUMBERING.one_or_none(tx, wanted)
    if row is None:
        await formats_of(tx, dossier.id)  # which lets one of two callers at once make it
        row = await _NUMBERING.one_or_none(tx, wanted)
    if row is not None:
        known: UUID = row.id
        return known
    base = _OF_TILLS.get(dossier.language, _OF_TILLS["en"])
    taken = {row.name for row in await _NAMES.all(tx, {"dossier_id": dossier.id})}
    free = next(
        each for number in range(1, BOOKS_MAX + 2) if (each := f"{base} {number}" if number > 1 else base) not in taken
    )
    for letters in _LETTERS_OF_TILLS:
        given = f"^{document_number_key(letters)}[0-9]{{{_DIGITS_OF_TILLS},}}$"
        if await _USED.one_or_none(tx, {"dossier_id": dossier.id, "given": given}) is not None:
            continue
        number_format = f"{letters}-{{InvoiceNumber:{_DIGITS_OF_TILLS}}}"
        try:
            return await add(tx, dossier, NewInvoiceBook(name=free, number_format=number_format))
        except HttpProblem as problem:
            if problem.code != "number_collision":
                raise
    message = "Make an invoice book whose number format gives no number of another book."
    raise refused("number_format", "invoice_book_needed", message)


async def change(tx: AsyncConnection, book: Record, changes: InvoiceBookChanges) -> None:
    """Change what is named of a book; errors as those of ``add``."""
    values = changes.model_dump(exclude_unset=True)
    if "journals" in values:
        values["journals"] = by_text(changes.journals)
    if not values:
        return
    books = await formats_of(tx, book.dossier_id)
    if values.get("number_format") is not None:
        insist_on_format(books, {**dict(book.items()), **values, "number_prefix": ""})
    await _named(tx.execute(update(invoice_book).where(invoice_book.c.id == book.id).values(values)))


def shown(row: Record) -> InvoiceBook:
    """Return a book as the API shows it."""
    return InvoiceBook.model_validate(dict(row.items()))


async def _named(work: Any) -> None:
    try:
        await work
    except IntegrityError as error:
        field = "key" if "invoice_book_key" in str(error.orig) else "name"
        raise refused(field, "already_used", f"Another invoice book of this dossier has this {field}.") from error
