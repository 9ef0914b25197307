"""Cash books: what is read and set of them, and lines into them, under the balances that their sender knows."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid5

from pydantic import BeforeValidator, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.http.problems import HttpProblem
from koppel_mesh.prepared_sql import Record
from pos_ingest.cash_books import books, entries
from pos_ingest.cash_books.lines import CashKind
from pos_ingest.cash_books.models import ENTRIES_MAX, CashBookChanges, CodaSettings, NewCashEntries, NewCashEntry
from pos_ingest.fields import Whole, no_boolean

from .call import BY, PERIODS, Amount, BookDay, Call, Reference, ScradaBody, moment
from .errors import SPELLINGS, invalid, of_problem, of_validation

BOOKS_MAX: Final = 200
_PERIOD_NAMES: Final = {number: name for name, number in PERIODS.items()}


class LineType(IntEnum):
    """What moves money in or out of a drawer. Those above 9 are of the company's own making there, and are none here."""

    PRIVATE_TAKE = 1
    PRIVATE_DEPOSIT = 2
    CUSTOMER = 3
    SUPPLIER = 4
    BANK_TO_CASH = 5
    CASH_TO_BANK = 6
    COST = 7
    CASH_DIFFERENCE = 8
    DAILY_RECEIPTS_CASH = 9


class InputType(IntEnum):
    """Which way the money goes."""

    RECEIVE = 2
    EXPENSE = 3
    BOTH = 4


COMMENT_IS_OPTIONAL: Final = 2
_TYPES: Final = {
    CashKind.PRIVATE_WITHDRAWAL: (LineType.PRIVATE_TAKE, InputType.EXPENSE),
    CashKind.PRIVATE_DEPOSIT: (LineType.PRIVATE_DEPOSIT, InputType.RECEIVE),
    CashKind.CUSTOMER_PAYMENT: (LineType.CUSTOMER, InputType.BOTH),
    CashKind.SUPPLIER_PAYMENT: (LineType.SUPPLIER, InputType.BOTH),
    CashKind.BANK_TO_CASH: (LineType.BANK_TO_CASH, InputType.RECEIVE),
    CashKind.CASH_TO_BANK: (LineType.CASH_TO_BANK, InputType.EXPENSE),
    CashKind.TAKINGS: (LineType.DAILY_RECEIPTS_CASH, InputType.RECEIVE),
}
_LANGUAGES: Final = ("EN", "NL", "FR", "DE")
_NAMES: Final = {
    CashKind.PRIVATE_WITHDRAWAL: ("Private withdrawal", "Privé-opname", "Prélèvement privé", "Privatentnahme"),
    CashKind.PRIVATE_DEPOSIT: ("Private deposit", "Privé-storting", "Apport privé", "Privateinlage"),
    CashKind.CUSTOMER_PAYMENT: ("Customer", "Klant", "Client", "Kunde"),
    CashKind.SUPPLIER_PAYMENT: ("Supplier", "Leverancier", "Fournisseur", "Lieferant"),
    CashKind.BANK_TO_CASH: ("Bank to cash", "Bank naar kas", "Banque vers caisse", "Bank an Kasse"),
    CashKind.CASH_TO_BANK: ("Cash to bank", "Kas naar bank", "Caisse vers banque", "Kasse an Bank"),
    CashKind.TAKINGS: ("Daily receipts in cash", "Dagontvangsten contant", "Recettes en espèces", "Tageseinnahmen bar"),
}
_KIND_OF_TYPE: Final = {line_type: kind for kind, (line_type, _) in _TYPES.items()}
_WITHOUT_A_MARK: Final = {
    LineType.COST: "no code stands for a cost on a statement: say 4 (supplier)",
    LineType.CASH_DIFFERENCE: "a difference follows from a count of the drawer (POST …/cash-books/{id}/counts)",
}


class CashLine(ScradaBody):
    """A line to add; either of the two types says what it is, the id where both are given."""

    line_type: Annotated[LineType, BeforeValidator(no_boolean)] | None = None
    transaction_type_id: Annotated[UUID | None, Field(alias="transactionTypeID")] = None
    amount: Amount
    remark: Annotated[str | None, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")] = None
    external_reference: Reference | None = None


class CashLines(ScradaBody):
    """Lines of a day, and the balances before and after them."""

    date: BookDay
    start_balance: Amount
    end_balance: Amount
    lines: Annotated[list[CashLine], Field(min_length=1, max_length=ENTRIES_MAX)]


class CashBookSettings(ScradaBody):
    """What may be written of a cash book; what is left out, or null, stays as it is."""

    active: Literal[True] | None = None
    name: Annotated[str | None, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")] = None
    start_date: date | str | None = None
    end_date: None = None
    start_balance: Amount | None = None
    warn_balance_too_high: None = None
    coda_file_type: Annotated[Whole | None, Field(ge=1, le=2)] = None
    coda_generation_period_type: Annotated[Whole | None, Field(ge=1, le=3)] = None
    coda_generation_start_week_day: Annotated[Whole | None, Field(ge=0, le=6)] = None
    allow_entry_after_coda: Literal[False] | None = None
    add_payment_reference: Literal[False] | None = None


async def list_all(call: Call) -> list[dict[str, Any]]:
    """Return every cash book of the company."""
    async with call.context.database.reading() as reading:
        dossier_id = call.company.dossier_id
        rows = await books.books_of(reading, call.caller, dossier_id, after=None, limit=BOOKS_MAX)
    return [_shown(call, row) for row in rows]


async def read(call: Call) -> dict[str, Any]:
    """Return a cash book."""
    async with call.context.database.reading() as reading:
        return _shown(call, await _book(call, reading))


async def write(call: Call) -> None:
    """Set what is given. When it begins, and with how much, does not change."""
    given = await call.body(CashBookSettings)
    async with call.context.database.transaction() as tx:
        book = await _book(call, tx, lock=True)
        if given.start_balance is not None and given.start_balance != book.start_balance:
            raise invalid("startBalance", f"the cash book began with {book.start_balance}")
        if given.start_date is not None and str(given.start_date)[:10] != book.start_on.isoformat():
            raise invalid("startDate", f"the cash book began on {book.start_on}")
        coda = CodaSettings(
            period=_PERIOD_NAMES.get(given.coda_generation_period_type or 0, book.coda_period),
            week_starts_on=_or(given.coda_generation_start_week_day, book.coda_week_starts_on),
            lines=book.coda_lines if given.coda_file_type is None else "one" if given.coda_file_type == 1 else "two",
        )
        changes = {"coda": coda} | ({"name": given.name} if given.name else {})
        await books.change(tx, book, CashBookChanges.model_validate(changes))


async def transaction_types(call: Call) -> list[dict[str, Any]]:
    """Return what a line may be; the ids are the cash book's own."""
    async with call.context.database.reading() as reading:
        book = await _book(call, reading)
        kinds = await _kinds(reading, book)
    return [
        {
            "id": str(type_id(book.id, kind)),
            **{f"name{language}": name for language, name in zip(_LANGUAGES, _NAMES[kind], strict=True)},
            "position": place,
            "inputType": int(_TYPES[kind][1]),
            "lineType": int(_TYPES[kind][0]),
            "commentType": COMMENT_IS_OPTIONAL,
        }
        for place, kind in enumerate(kinds)
    ]


async def add_lines(call: Call) -> list[str]:
    """Enter lines and return their ids in order."""
    given = await call.body(CashLines)
    async with call.context.database.transaction() as tx:
        book = await _book(call, tx, lock=True)
        body = entries_of(book.id, given.date, given.start_balance, given.lines, end=given.end_balance)
        rows, _, _ = await entries.enter(call.context, tx, book, body, by=BY)
    return [str(row.id) for row in rows]


async def add_beside_takings(
    call: Call, tx: AsyncConnection, cash_book_id: UUID, on: date, lines: Sequence[CashLine], reference: str
) -> list[str]:
    """Enter lines that came with a day's takings, after what these did to the drawer; return their ids.

    Args:
        call: the call.
        tx: the transaction of the takings.
        cash_book_id: of the cash book that the journal is linked to.
        on: the day.
        lines: as they came.
        reference: by which the same lines are known again.
    """
    book = await books.book_of(tx, call.caller, call.company.dossier_id, cash_book_id, lock=True)
    known = [line.model_copy(update={"external_reference": f"{reference} {n}"}) for n, line in enumerate(lines)]
    try:
        rows, _, _ = await entries.enter(call.context, tx, book, entries_of(book.id, on, book.balance, known), by=BY)
    except HttpProblem as problem:
        raise of_problem(problem, {**SPELLINGS, "entries": "cashBookTransactions"}) from problem
    return [str(row.id) for row in rows]


def entries_of(
    book_id: UUID, on: date, start: Decimal, lines: Sequence[CashLine], end: Decimal | None = None
) -> NewCashEntries:
    """Return lines as the cash book takes them; without ``end`` they lead where they lead."""
    made = start + sum((line.amount for line in lines), Decimal(0))
    try:
        return NewCashEntries(
            date=on,
            start_balance=start,
            end_balance=made if end is None else end,
            entries=[_entry(book_id, place, line) for place, line in enumerate(lines)],
        )
    except ValidationError as error:
        raise of_validation(error) from error


def type_id(book_id: UUID, kind: CashKind) -> UUID:
    """Return the id of a transaction type of a cash book."""
    return uuid5(book_id, f"transaction type {kind}")


def _entry(book_id: UUID, place: int, line: CashLine) -> NewCashEntry:
    if line.transaction_type_id is not None:
        kinds = {type_id(book_id, kind): kind for kind in _TYPES}
        kind = kinds.get(line.transaction_type_id)
        if kind is None:
            raise invalid(f"lines.{place}.transactionTypeID", "the cash book has no such transaction type")
    elif line.line_type is None:
        raise invalid(f"lines.{place}.transactionTypeID", "say the transaction type or lineType")
    else:
        kind = _KIND_OF_TYPE.get(line.line_type)
        if kind is None:
            raise invalid(f"lines.{place}.lineType", _WITHOUT_A_MARK[line.line_type])
    return NewCashEntry(
        kind=kind, amount=line.amount, remark=line.remark or "", external_reference=line.external_reference or None
    )


async def _kinds(connection: AsyncConnection, book: Record) -> list[CashKind]:
    linked = await entries.is_linked(connection, book.id)
    return [kind for kind in _TYPES if not (linked and kind is CashKind.TAKINGS)]


async def _book(call: Call, connection: AsyncConnection, *, lock: bool = False) -> Record:
    return await books.book_of(connection, call.caller, call.company.dossier_id, call.ids[0], lock=lock)


def _or(given: int | None, known: int) -> int:
    return known if given is None else given


def _shown(call: Call, book: Record) -> dict[str, Any]:
    return {
        "id": str(book.id),
        "active": True,
        "name": book.name,
        "startDate": moment(book.start_on),
        "endDate": None,
        "iban": book.iban,
        "startBalance": book.start_balance,
        "currentBalance": book.balance,
        "lastLineDate": moment(book.last_entry_on),
        "warnBalanceTooHigh": None,
        "codaFileType": 1 if book.coda_lines == "one" else 2,
        "codaGenerationPeriodType": PERIODS[book.coda_period],
        "codaGenerationStartWeekDay": book.coda_week_starts_on,
        "allowEntryAfterCoda": False,
        "addPaymentReference": False,
        "invoicedTill": moment(book.closed_through),
        "paidTill": None,
        "minimumPossibleLineDate": moment(books.minimum_on(book)),
        "maximumPossibleLineDate": moment(call.today),
    }
