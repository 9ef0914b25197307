"""Which receipt book the tickets of a register, or of all registers of a location, belong to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.clock import brussels_date
from koppel_mesh.http.problems import FieldError, HttpProblem
from koppel_mesh.prepared_sql import Record, Statement
from koppel_receipts import OUTSIDE_SCOPE

from .models import Ticket
from .ticket_takings import TicketTakings

REGISTERS_MAX = 500


class RegisterKind(StrEnum):
    """What a ticket names: the register itself, or where it stands."""

    REGISTER = "register"
    LOCATION = "location"


class RegisterItem(BaseModel):
    """A register or a location, as tickets name it by id or by name, and its receipt book."""

    model_config = ConfigDict(extra="forbid")
    kind: RegisterKind = RegisterKind.REGISTER
    name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")
    ]
    receipt_book_id: UUID


class Registers(BaseModel):
    """The registers of a dossier: all of them, those that were there before are gone."""

    model_config = ConfigDict(extra="forbid")
    items: list[RegisterItem] = Field(max_length=REGISTERS_MAX)
    next: None = None


@dataclass(frozen=True, slots=True)
class TicketBook:
    """What of a receipt book decides whether it takes a ticket."""

    id: UUID
    ends_on: date | None
    vat_rates: tuple[str, ...]
    cash_book_id: UUID | None
    places: frozenset[str]
    """What tickets may call the place of business: the book's name and what it says of the place."""

    def takes(self, takings: TicketTakings) -> bool:
        """Return whether the book takes the rates of a ticket."""
        rates = {Decimal(rate) for rate in self.vat_rates}
        return not rates or all(key.category == OUTSIDE_SCOPE or key.rate in rates for key in takings.amounts)

    def is_open(self, on: date) -> bool:
        """Return whether the book takes tickets of a day."""
        return self.ends_on is None or on <= self.ends_on


@dataclass(frozen=True, slots=True)
class TicketBooks:
    """The receipt books of a dossier."""

    all: Sequence[TicketBook]
    of_registers: Mapping[tuple[str, str], TicketBook]
    """By kind and name of the register or the location."""


BooksUsed = Mapping[tuple[str, date], UUID | None]
"""By register and day."""

# Two lists at once would leave a mixture of both.
_LOCK = Statement("SELECT pg_advisory_xact_lock(hashtextextended('registers ' || :dossier_id, 0))")
_BOOKS = Statement("""
    SELECT id, ends_on, vat_rates, cash_book_id, name, place_of_business FROM receipt_book WHERE dossier_id = :dossier_id
""")
_REMOVE = Statement("DELETE FROM register WHERE dossier_id = :dossier_id")
_ADD = Statement("""
    INSERT INTO register (dossier_id, kind, name, firm_id, book_id)
    SELECT :dossier_id, kind, name, :firm_id, book_id
    FROM unnest(CAST(:kinds AS text[]), CAST(:names AS text[]), CAST(:books AS uuid[])) AS given (kind, name, book_id)
""")
_ALL = Statement("""
    SELECT kind, name, book_id FROM register WHERE dossier_id = :dossier_id ORDER BY kind, name
""")
# Of each day the book of the last ticket up to it, so that a late one finds the book of then; else that of the next ticket.
_USED = Statement("""
    SELECT given.register, given.day, coalesce(
        (SELECT book_id FROM ticket WHERE dossier_id = :dossier_id AND register = given.register AND sold_on <= given.day
            ORDER BY sold_on DESC, received_at DESC LIMIT 1),
        (SELECT book_id FROM ticket WHERE dossier_id = :dossier_id AND register = given.register AND sold_on > given.day
            ORDER BY sold_on, received_at LIMIT 1)) AS book_id
    FROM unnest(CAST(:registers AS text[]), CAST(:days AS date[])) AS given (register, day)
""")


async def replace(tx: AsyncConnection, dossier: Record, given: Registers) -> None:
    """Let these be the registers of a dossier.

    Raises:
        HttpProblem: 422 where one stands there twice or its book is none of the dossier's.
    """
    await _LOCK.run(tx, {"dossier_id": str(dossier.id)})
    books = {row.id for row in await _BOOKS.all(tx, {"dossier_id": dossier.id})}
    errors: list[FieldError] = []
    seen: set[tuple[str, str]] = set()
    for place, item in enumerate(given.items):
        if item.receipt_book_id not in books:
            message = "The dossier has no such receipt book."
            errors.append(FieldError(field=f"items.{place}.receipt_book_id", rule="unknown_book", message=message))
        if (item.kind, item.name) in seen:
            message = f"The {item.kind} {item.name} stands there twice."
            errors.append(FieldError(field=f"items.{place}.name", rule="register_twice", message=message))
        seen.add((item.kind, item.name))
    if errors:
        title = "The registers cannot be kept like this."
        raise HttpProblem(422, errors[0].rule, title, errors[0].message, errors=errors)
    await _REMOVE.run(tx, {"dossier_id": dossier.id})
    await _ADD.run(
        tx,
        {
            "dossier_id": dossier.id,
            "firm_id": dossier.firm_id,
            "kinds": [item.kind.value for item in given.items],
            "names": [item.name for item in given.items],
            "books": [item.receipt_book_id for item in given.items],
        },
    )


async def listed(connection: AsyncConnection, dossier_id: UUID) -> Registers:
    """Return the registers of a dossier."""
    rows = await _ALL.all(connection, {"dossier_id": dossier_id})
    items = [RegisterItem(kind=RegisterKind(row.kind), name=row.name, receipt_book_id=row.book_id) for row in rows]
    return Registers(items=items)


async def books_of(connection: AsyncConnection, dossier_id: UUID) -> TicketBooks:
    """Return the receipt books of a dossier, and which registers and locations write to them."""
    rows = await _BOOKS.all(connection, {"dossier_id": dossier_id})
    books = {
        row.id: TicketBook(
            row.id,
            row.ends_on,
            tuple(row.vat_rates),
            row.cash_book_id,
            frozenset(name for name in (row.name, row.place_of_business) if name),
        )
        for row in rows
    }
    registers = await _ALL.all(connection, {"dossier_id": dossier_id})
    of_registers = {(row.kind, row.name): books[row.book_id] for row in registers if row.book_id in books}
    return TicketBooks(tuple(books.values()), of_registers)


async def books_used(
    connection: AsyncConnection, dossier_id: UUID, books: TicketBooks, tickets: Iterable[Ticket]
) -> BooksUsed:
    """Return the books to which registers wrote last, of those tickets that have several books to choose from."""
    unclear = {
        (ticket.register, on)
        for ticket in tickets
        if _assigned(books, ticket) is None and len(_candidates(books, ticket, on := brussels_date(ticket.moment))) > 1
    }
    if not unclear:
        return {}
    registers, days = zip(*sorted(unclear), strict=True)
    asked = {"dossier_id": dossier_id, "registers": list(registers), "days": list(days)}
    return {(row.register, row.day): row.book_id for row in await _USED.all(connection, asked)}


def book_for(books: TicketBooks, ticket: Ticket, on: date, used: BooksUsed) -> TicketBook | None:
    """Return the book of a ticket of a day; None where nothing says which it is.

    It is the register's, else the location's. Of a register that nobody assigned it is the one open book that is called as
    the location is, else the one open book that there is; where there are several, the one to which the register wrote last.

    Args:
        books: of the dossier.
        ticket: of any register.
        on: its day, in Brussels.
        used: as ``books_used`` returns it.
    """
    if (assigned := _assigned(books, ticket)) is not None:
        return assigned
    candidates = _candidates(books, ticket, on)
    if len(candidates) == 1:
        return candidates[0]
    return next((book for book in candidates if book.id == used.get((ticket.register, on))), None)


def _assigned(books: TicketBooks, ticket: Ticket) -> TicketBook | None:
    named = [(RegisterKind.REGISTER, name) for name in (ticket.register_id, ticket.register_name) if name]
    named += [(RegisterKind.LOCATION, name) for name in ticket.locations]
    return next((book for kind, name in named if (book := books.of_registers.get((kind.value, name)))), None)


def _candidates(books: TicketBooks, ticket: Ticket, on: date) -> list[TicketBook]:
    still_open = [book for book in books.all if book.is_open(on)]
    return [book for book in still_open if not book.places.isdisjoint(ticket.locations)] or still_open
