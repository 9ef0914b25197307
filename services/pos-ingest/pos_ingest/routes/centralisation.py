"""The centralisation book over all receipt books of a dossier."""

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from koppel_mesh.http.dates import Day
from koppel_mesh.http.paging import Page
from koppel_mesh.http.problems import HttpProblem
from koppel_mesh.http.server import CurrentContext
from pos_ingest import receipt_books
from pos_ingest.centralisation import PeriodTotals, ReturnPeriod, centralised, first_day, next_first_day, takings
from pos_ingest.dossiers import Writer, insist_on_dossier

router = APIRouter(prefix="/v1/dossiers/{dossier_id}", tags=["centralisation"])
PERIODS_MAX = 200
FIRST_YEAR, LAST_YEAR = 1970, 9000


@router.get("/centralisation")
async def read_centralisation(
    dossier_id: UUID,
    context: CurrentContext,
    caller: Writer,
    from_: Annotated[Day, Query(alias="from")],
    to: Annotated[Day, Query(description="The return periods of both days are included")],
    return_period: Annotated[ReturnPeriod, Query()] = "quarter",
) -> Page[PeriodTotals]:
    """Return takings, taxable base and VAT by rate in each return period: of every book, and of all together."""
    await insist_on_dossier(context, caller, dossier_id)
    begins = _begins(from_, to, return_period)
    async with context.database.reading() as reading:
        books = await receipt_books.books_of(reading, caller, dossier_id, after=None, limit=receipt_books.BOOKS_MAX)
        end = begins[-1] - timedelta(days=1)
        sums = await takings(reading, caller, dossier_id, return_period, begins[0], end)
    return Page(items=centralised(books, sums, begins[:-1], return_period))


def _begins(first: date, last: date, period: ReturnPeriod) -> list[date]:
    """Return the first day of each period, and that of the period after the last."""
    if not FIRST_YEAR <= first.year <= last.year <= LAST_YEAR or first > last:
        raise HttpProblem(422, "invalid_period", "from is a day not after to.")
    begins = [first_day(first, period)]
    while begins[-1] <= last:
        begins.append(next_first_day(begins[-1], period))
        if len(begins) > PERIODS_MAX:
            raise HttpProblem(422, "invalid_period", f"That is more than {PERIODS_MAX} return periods.")
    return begins
