"""The centralisation book: what all receipt books of a dossier come to in each return period, by VAT rate.

The law asks for it where there are several places of business (docs/receipts.md).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.visibility import VISIBLE
from koppel_receipts import OUTSIDE_SCOPE, split_vat, totals_key, written

ReturnPeriod = Literal["month", "quarter"]
_MONTHS = {"month": 1, "quarter": 3}

_TAKINGS = Statement(f"""
    SELECT b.id AS book_id, date_trunc(:period, e.entry_on)::date AS begins_on, line ->> 'vat_category' AS vat_category,
        (line ->> 'vat_rate')::numeric AS vat_rate, sum((line ->> 'amount')::numeric) AS amount
    FROM (SELECT id FROM receipt_book WHERE dossier_id = :dossier_id AND {VISIBLE}) b
        JOIN entry e ON e.book_id = b.id AND e.entry_on BETWEEN :begin AND :end
        CROSS JOIN jsonb_array_elements(e.content -> 'lines') line
    WHERE line ->> 'kind' <> 'closed' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
""")


class RateTotal(BaseModel):
    """Takings of one VAT category and rate."""

    vat_category: str
    vat_rate: str
    takings: str = Field(description="Including VAT")
    base: str
    vat: str


class BookTotals(BaseModel):
    """What one receipt book comes to."""

    book_id: UUID
    name: str
    place_of_business: str | None
    totals: list[RateTotal]
    outside_scope: str = Field(description="Received, and no takings: gift cards sold, tips, returnable packaging")


class PeriodTotals(BaseModel):
    """What all books come to in a return period: the sums of theirs."""

    begins_on: date
    ends_on: date
    totals: list[RateTotal]
    outside_scope: str
    books: list[BookTotals]


def first_day(of: date, period: ReturnPeriod) -> date:
    """Return the day on which the return period of a day begins."""
    months = _MONTHS[period]
    return of.replace(month=(of.month - 1) // months * months + 1, day=1)


def next_first_day(begins_on: date, period: ReturnPeriod) -> date:
    """Return the day on which the return period after this one begins."""
    months = begins_on.month - 1 + _MONTHS[period]
    return date(begins_on.year + months // 12, months % 12 + 1, 1)


async def takings(
    connection: AsyncConnection, caller: Caller, dossier_id: UUID, period: ReturnPeriod, begin: date, end: date
) -> list[Record]:
    """Return the sum of each book, return period, VAT category and rate; amounts include VAT.

    ``begin`` and ``end`` are the first and the last day of return periods.
    """
    asked = {"dossier_id": dossier_id, "firm_id": caller.firm_id, "period": period, "begin": begin, "end": end}
    return await _TAKINGS.all(connection, asked)


def centralised(
    books: Sequence[Record], sums: Iterable[Record], begins: Iterable[date], period: ReturnPeriod
) -> list[PeriodTotals]:
    """Return each return period with its books. Base and VAT are those within the book's total of the period."""
    by_period: dict[tuple[date, UUID], list[Record]] = defaultdict(list)
    for row in sums:
        by_period[row.begins_on, row.book_id].append(row)
    found = []
    for begins_on in begins:
        of_books = [_book(book, by_period[begins_on, book.id]) for book in books]
        found.append(
            PeriodTotals(
                begins_on=begins_on,
                ends_on=next_first_day(begins_on, period) - timedelta(days=1),
                totals=_added(total for book in of_books for total in book.totals),
                outside_scope=written(sum((Decimal(book.outside_scope) for book in of_books), Decimal(0))),
                books=of_books,
            )
        )
    return found


def _book(book: Record, rows: Sequence[Record]) -> BookTotals:
    outside = sum((row.amount for row in rows if row.vat_category == OUTSIDE_SCOPE), Decimal(0))
    return BookTotals(
        book_id=book.id,
        name=book.name,
        place_of_business=book.place_of_business,
        totals=[_total(row) for row in rows if row.vat_category != OUTSIDE_SCOPE],
        outside_scope=written(outside),
    )


def _total(row: Record) -> RateTotal:
    split = split_vat(row.amount, row.vat_rate)
    return RateTotal(
        vat_category=row.vat_category,
        vat_rate=f"{row.vat_rate.normalize():f}",
        takings=written(row.amount),
        base=written(split.base),
        vat=written(split.vat),
    )


def _added(totals: Iterable[RateTotal]) -> list[RateTotal]:
    of_rate: dict[str, list[RateTotal]] = defaultdict(list)
    for total in totals:
        of_rate[totals_key(total.vat_category, Decimal(total.vat_rate))].append(total)
    return [
        RateTotal(
            vat_category=same[0].vat_category,
            vat_rate=same[0].vat_rate,
            takings=written(sum((Decimal(each.takings) for each in same), Decimal(0))),
            base=written(sum((Decimal(each.base) for each in same), Decimal(0))),
            vat=written(sum((Decimal(each.vat) for each in same), Decimal(0))),
        )
        for _, same in sorted(of_rate.items())
    ]
