"""Journals of Scrada are receipt books here: what is read of them, their payment methods, and lines into them."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any, Final
from uuid import UUID, uuid5

from pydantic import BeforeValidator, Field, PlainValidator, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.clock import brussels_date
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from pos_ingest import entries, receipt_books
from pos_ingest.cash_books.models import ENTRIES_MAX
from pos_ingest.closing.periods import A_DAY
from pos_ingest.fields import EARLIEST_DAY, no_boolean
from pos_ingest.rules import CASH
from pos_ingest.takings import DayTakings, Kind
from pos_ingest.tickets.models import MethodType
from pos_ingest.tickets.vat_types import ONE_STOP_SHOP, VAT_TYPES, takes_rate

from . import cash_books
from .call import BY, PERIODS, Amount, BookDay, Call, Reference, ScradaBody, Text, moment
from .cash_books import CashLine
from .errors import ErrorCode, ErrorType, ScradaError, invalid, of_validation

BOOKS_MAX: Final = receipt_books.BOOKS_MAX
VAT_TYPE_IDS: Final = {
    UUID("cbff0b5e-96e3-4201-91d0-51304cee2605"): ("Z", Decimal(0)),
    UUID("7befe0fc-7131-4b15-9fe6-ca4b9280b63c"): ("S", Decimal(6)),
    UUID("647ed17b-fb6f-4772-baf5-928de98f4db1"): ("S", Decimal(12)),
    UUID("8424d909-78b9-483c-9b1d-4584fb537846"): ("S", Decimal(21)),
    UUID("cc9b638f-3b54-44c8-91e5-83d337ae6591"): ("O", Decimal(0)),
}
"""Belgium's, as Scrada's documentation lists them: box 00, 01, 02, 03, and none."""
_METHODS: Final = {
    CASH: (MethodType.CASH, {"EN": "Cash", "NL": "Contant", "FR": "Espèces"}),
    "debit_card": (MethodType.DEBIT_CARD, {"EN": "Debit card", "NL": "Bankkaart", "FR": "Carte de débit"}),
    "credit_card": (MethodType.CREDIT_CARD, {"EN": "Credit card", "NL": "Kredietkaart", "FR": "Carte de crédit"}),
    "transfer": (MethodType.TRANSFER, {"EN": "Transfer", "NL": "Overschrijving", "FR": "Virement"}),
    "gift_card": (MethodType.GIFT_CARD, {"EN": "Gift card", "NL": "Cadeaubon", "FR": "Carte cadeau"}),
    "other": (MethodType.OTHER, {"EN": "Other", "NL": "Andere", "FR": "Autre"}),
}
_CLOSED = Statement("SELECT max(ends_on) AS through FROM receipt_period WHERE book_id = :book_id")
_INVOICE_NUMBERS = Statement("""
    SELECT id, number FROM external_invoice WHERE dossier_id = :dossier_id AND id = ANY(CAST(:ids AS uuid[]))
""")
_LAST = Statement("SELECT content FROM entry WHERE book_id = :book_id ORDER BY seq DESC LIMIT 1")
_NUMBER: Final = re.compile(r"[0-9]{1,3}")
_Text = Annotated[str | None, Field(max_length=300, pattern=r"^[^\x00-\x1f]*$")]


class LineType(IntEnum):
    """The kinds of Scrada's screen; only 1 is attested in its API, the others are numbered in the screen's order."""

    NORMAL = 1
    SPECIFIC = 2
    CORRECTION = 3
    OTHER = 4


_KINDS: Final = {
    LineType.NORMAL: Kind.NORMAL,
    LineType.SPECIFIC: Kind.SINGLE,
    LineType.CORRECTION: Kind.CORRECTION,
    LineType.OTHER: Kind.CLOSED,
}


def _vat_type(value: object) -> UUID | int | None:
    """Return Scrada's id of a VAT type, or its number."""
    if value in (None, ""):
        return None
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 <= value < 1000 and value % 1 == 0:
        return int(value)
    if isinstance(value, str):
        with suppress(ValueError):
            return int(value) if _NUMBER.fullmatch(value) else UUID(value)
    raise ValueError("the id of a VAT type is wanted, or its number")


def _none_of_empty(value: object) -> object:
    return None if value == "" else value


class JournalLine(ScradaBody):
    """A line to add."""

    line_type: Annotated[LineType, BeforeValidator(no_boolean)] = LineType.NORMAL
    vat_type_id: Annotated[UUID | int | None, PlainValidator(_vat_type), Field(alias="vatTypeID")] = None
    """Scrada's id, or the number of the VAT type as in its tickets and invoices."""
    vat_perc: Annotated[Decimal | None, Field(ge=0, lt=100, decimal_places=2)] = None
    amount: Amount
    remark: _Text = None
    correction_date: BookDay | None = None
    invoice_id: Annotated[UUID | None, BeforeValidator(_none_of_empty), Field(alias="invoiceID")] = None
    """Of the invoice that was made of it later; the two below say its number where we do not have it."""
    invoice_number: Text = None
    invoice_reference: Text = None


class JournalPayment(ScradaBody):
    """What was paid by one method."""

    payment_method_id: Annotated[UUID, Field(alias="paymentMethodID")]
    amount: Amount


class JournalLines(ScradaBody):
    """Lines of a day, and how they were paid."""

    date: BookDay
    last_journal_line_id: Annotated[UUID | None, Field(alias="lastJournalLineID")] = None
    lines: Annotated[list[JournalLine], Field(min_length=1, max_length=1000)]
    payment_methods: Annotated[list[JournalPayment] | None, Field(max_length=50)] = None
    cash_book_transactions: Annotated[list[CashLine] | None, Field(max_length=ENTRIES_MAX)] = None
    external_reference: Reference | None = None


async def list_all(call: Call) -> list[dict[str, Any]]:
    """Return every journal of the company."""
    async with call.context.database.reading() as reading:
        dossier_id = call.company.dossier_id
        rows = await receipt_books.books_of(reading, call.caller, dossier_id, after=None, limit=BOOKS_MAX)
        return [await _shown(call, reading, row) for row in rows]


async def read(call: Call) -> dict[str, Any]:
    """Return a journal."""
    async with call.context.database.reading() as reading:
        return await _shown(call, reading, await _book(call, reading))


async def payment_methods(call: Call) -> list[dict[str, Any]]:
    """Return the payment methods of a journal; their ids are the journal's own."""
    async with call.context.database.reading() as reading:
        book = await _book(call, reading)
    return [
        {
            "id": str(method_id(book.id, name)),
            "name": names[call.language],
            "nameEN": names["EN"],
            "nameNL": names["NL"],
            "nameFR": names["FR"],
            "type": int(kind),
            "position": place,
            "active": True,
        }
        for place, (name, (kind, names)) in enumerate(_METHODS.items())
    ]


async def add_lines(call: Call) -> dict[str, Any]:
    """Enter lines of a day and return their ids."""
    given = await call.body(JournalLines)
    async with call.context.database.transaction() as tx:
        chain = await entries.Chain.locked(call.context, tx, (await _book(call, tx)).id)
        takings = _takings(given, call.ids[0], await _invoice_numbers(call, tx, given.lines))
        last = _last_line(chain.last)
        is_other = given.last_journal_line_id is not None and str(given.last_journal_line_id) != last
        # A till that got no answer sends the same again, with the line that was the last before the first time.
        if is_other and not await chain.has(takings.external_reference):
            raise ScradaError(409, ErrorType.CONFLICT, ErrorCode.OTHER_LAST_LINE, (last or "-",))
        done = await entries.append(call.context, tx, call.ids[0], given.date, takings, by=BY)
        moved = await _move(call, tx, given, chain.cash_book_id, done.entries[-1])
    added = entries.content_of(done.entries[-1])["lines"]
    return {"journalLines": [line["id"] for line in added], "cashBookLines": moved, "message": None}


async def _move(
    call: Call, tx: AsyncConnection, given: JournalLines, cash_book_id: UUID | None, entry: Record
) -> list[str]:
    """Enter what moved in the drawer beside the takings, once for each entry of the journal."""
    if not given.cash_book_transactions:
        return []
    if cash_book_id is None:
        raise invalid("cashBookTransactions", "the journal is linked to no cash book")
    lines = given.cash_book_transactions
    return await cash_books.add_beside_takings(call, tx, cash_book_id, given.date, lines, str(entry.id))


def method_id(book_id: UUID, name: str) -> UUID:
    """Return the id of a payment method of a book."""
    return uuid5(book_id, f"payment method {name}")


async def _invoice_numbers(call: Call, tx: AsyncConnection, lines: Sequence[JournalLine]) -> dict[UUID, str]:
    """Return the numbers of the invoices that lines name by id; one that we do not have is another program's, with its number."""
    named = {line.invoice_id for line in lines if line.invoice_id is not None}
    if not named:
        return {}
    asked = {"dossier_id": call.company.dossier_id, "ids": sorted(named)}
    found = {row.id: row.number for row in await _INVOICE_NUMBERS.all(tx, asked)}
    for place, line in enumerate(lines):
        is_unknown = line.invoice_id is not None and line.invoice_id not in found
        if is_unknown and not (line.invoice_number or line.invoice_reference):
            raise invalid(f"lines.{place}.invoiceID", "the company has no such invoice: say invoiceNumber")
    return found


def _takings(given: JournalLines, book_id: UUID, numbers: Mapping[UUID, str]) -> DayTakings:
    methods = {method_id(book_id, name): name for name in _METHODS}
    unknown = [place for place, each in enumerate(given.payment_methods or ()) if each.payment_method_id not in methods]
    if unknown:
        raise invalid(f"paymentMethods.{unknown[0]}.paymentMethodID", "the journal has no such payment method")
    paid: dict[str, Decimal] = {}
    for each in given.payment_methods or ():
        name = methods[each.payment_method_id]
        paid[name] = paid.get(name, Decimal(0)) + each.amount
    reference = f"scrada {given.external_reference or new_id()}"
    try:
        return DayTakings.model_validate(
            {
                "external_reference": reference,
                "lines": [_line(place, each, numbers) for place, each in enumerate(given.lines)],
                "payments": None
                if given.payment_methods is None
                else [{"method": name, "amount": total} for name, total in paid.items()],
            }
        )
    except ValidationError as error:
        raise of_validation(error) from error


def _line(place: int, given: JournalLine, numbers: Mapping[UUID, str]) -> dict[str, Any]:
    category, rate, exemption = _vat(place, given)
    known = numbers.get(given.invoice_id) if given.invoice_id else None
    number = known or given.invoice_number or given.invoice_reference
    return {
        "kind": _KINDS[given.line_type],
        "vat_category": category,
        "vat_rate": rate,
        "amount": given.amount,
        "description": given.remark or None,
        "exemption": exemption,
        "corrects_date": given.correction_date,
        "invoice_number": number or None,
    }


def _vat(place: int, given: JournalLine) -> tuple[str, Decimal, str | None]:
    """Return category, rate and VATEX code of a line."""
    if given.vat_type_id is None:
        if given.vat_perc is None:
            raise invalid(f"lines.{place}.vatTypeID", "say the VAT type or vatPerc")
        return ("S", given.vat_perc, None) if given.vat_perc else ("Z", Decimal(0), None)
    if isinstance(given.vat_type_id, int):
        return _vat_of_number(place, given.vat_type_id, given.vat_perc)
    known = VAT_TYPE_IDS.get(given.vat_type_id)
    if known is None:
        raise invalid(f"lines.{place}.vatTypeID", "there is no such VAT type in Belgium")
    if given.vat_perc not in (None, known[1]):
        raise invalid(f"lines.{place}.vatPerc", f"the VAT type has {known[1]} %")
    return *known, None


def _vat_of_number(place: int, vat_type: int, rate: Decimal | None) -> tuple[str, Decimal, str | None]:
    known = VAT_TYPES.get(vat_type)
    if known is None or vat_type in ONE_STOP_SHOP:
        raise invalid(f"lines.{place}.vatTypeID", f"daily receipts have no VAT type {vat_type}")
    if rate is None and len(known.rates) > 1:
        raise invalid(f"lines.{place}.vatPerc", f"say which rate: VAT type {vat_type} has several")
    of_line = known.rates[0] if rate is None else rate
    if not takes_rate(vat_type, of_line):
        raise invalid(f"lines.{place}.vatPerc", f"VAT type {vat_type} has no {of_line} %")
    return known.category, of_line, known.exemption


async def _book(call: Call, connection: Any) -> Record:
    return await receipt_books.book_of(connection, call.caller, call.company.dossier_id, call.ids[0])


def _last_line(entry: Record | None) -> str | None:
    return str(entries.content_of(entry)["lines"][-1]["id"]) if entry is not None else None


async def _shown(call: Call, connection: Any, book: Record) -> dict[str, Any]:
    last = await _LAST.one_or_none(connection, {"book_id": book.id})
    closed_through = (await _CLOSED.one(connection, {"book_id": book.id})).through
    first_open = [book.last_entry_on, closed_through + A_DAY if closed_through else None]
    return {
        "id": str(book.id),
        "active": book.ends_on is None or book.ends_on >= call.today,
        "name": book.name,
        "startDate": moment(brussels_date(book.created_at)),
        "endDate": moment(book.ends_on),
        "lastLineDate": moment(book.last_entry_on),
        "lastLineID": _last_line(last),
        "invoiceGenerationPeriodType": PERIODS[book.period],
        "invoiceGenerationStartWeekDay": book.week_starts_on,
        "customerName": book.customer_name,
        "customerReference": book.customer_code,
        "invoiceNumberExternalFormat": book.number_format,
        "cashbookID": str(book.cash_book_id) if book.cash_book_id else None,
        "allowMultipleEntries": True,
        "addFiguresUser": 2,
        "addFiguresApi": 2,
        "invoicedTill": moment(closed_through),
        "paidTill": moment(closed_through),
        "minimumPossibleLineDate": moment(max((day for day in first_open if day), default=EARLIEST_DAY)),
        "maximumPossibleLineDate": moment(min(call.today, book.ends_on or call.today)),
    }
