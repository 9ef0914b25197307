"""Invoice numbers of a dossier: no two books can give the same, and each is given once (R123).

Formats are proven apart when they are set. What was numbered under a format that a book had earlier, or elsewhere, is known
by the table ``invoice_number``.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_bookkeeping.business_keys import document_number_key
from koppel_mesh.http.problems import FieldError, HttpProblem
from koppel_mesh.prepared_sql import Record, Statement

from .number_formats import FormatError, NumberFormat, common_number, of_book

_LOCK_DOSSIER = Statement("SELECT pg_advisory_xact_lock(hashtextextended('number formats ' || :dossier_id, 0))")
_FORMATS = Statement("""
    SELECT id, key, name, number_format, number_prefix FROM receipt_book WHERE dossier_id = :dossier_id
    UNION ALL
    SELECT id, key, name, number_format, '' FROM invoice_book WHERE dossier_id = :dossier_id AND number_format IS NOT NULL
""")
_TAKE = Statement("""
    INSERT INTO invoice_number (dossier_id, number_key, number, taken_by) VALUES (:dossier_id, :number_key, :number, :taken_by)
    ON CONFLICT DO NOTHING RETURNING number
""")


async def formats_of(tx: AsyncConnection, dossier_id: UUID) -> Sequence[Record]:
    """Return the books of a dossier that number invoices, and hold their formats still until ``tx`` ends."""
    await _LOCK_DOSSIER.run(tx, {"dossier_id": str(dossier_id)})
    return await formats_in(tx, dossier_id)


async def formats_in(connection: AsyncConnection, dossier_id: UUID) -> Sequence[Record]:
    """Return the books of a dossier that number invoices, as they are now."""
    return await _FORMATS.all(connection, {"dossier_id": dossier_id})


def insist_on_format(books: Sequence[Record], book: Mapping[str, Any]) -> None:
    """Raise unless a book's format is one, and gives no number that another of ``books`` can give.

    Args:
        books: as ``formats_of`` returns them.
        book: ``id``, ``key``, ``number_format`` and ``number_prefix``.

    Raises:
        HttpProblem: 422 with the rule and the number in common.
    """
    try:
        wanted = of_book(book)
    except FormatError as error:
        raise refused("number_format", error.rule, str(error)) from error
    for other in books:
        if other.id == book["id"]:
            continue
        if (common := common_number(wanted, of_book(dict(other.items())))) is not None:
            both = f"The book {other.name} can give the same number: {common.upper()}."
            raise refused("number_format", "number_collision", both)


async def take(tx: AsyncConnection, dossier_id: UUID, number: str, taken_by: UUID) -> bool:
    """Take a number for an invoice; False when the dossier has an invoice with that number, however it is spelled."""
    key = document_number_key(number)
    taken = {"dossier_id": dossier_id, "number_key": key, "number": number, "taken_by": taken_by}
    return await _TAKE.one_or_none(tx, taken) is not None


async def next_number(
    tx: AsyncConnection, dossier_id: UUID, book_format: NumberFormat, last: int, on: date, taken_by: UUID
) -> tuple[int, str]:
    """Take the next number of a book, and return it as a number and as the format writes it.

    One that the dossier has used is passed over: it was given under a format of before, or elsewhere.

    Args:
        tx: the transaction, which holds the book.
        dossier_id: of the book.
        book_format: of the book.
        last: the number that the book gave last; 0 before the first.
        on: the day of the invoice.
        taken_by: the invoice or the period.
    """
    number = last + 1
    while not await take(tx, dossier_id, text := book_format.render(number, on), taken_by):
        number += 1
    return number, text


def by_text(journals: Mapping[UUID, str]) -> dict[str, str]:
    """Return journals by connection as JSON keeps them."""
    return {str(connection_id): code for connection_id, code in journals.items()}


def refused(field: str, rule: str, message: str) -> HttpProblem:
    """Return the problem of a book that cannot be kept like this."""
    errors = [FieldError(field=field, rule=rule, message=message)]
    return HttpProblem(422, rule, "The book cannot be kept like this.", message, errors=errors)
