"""Exact's answers for ``koppel_connector.ledger.periods``: FinancialPeriods, and the Status of a Journal in one (§3.5).

Exact blocks an endpoint for an hour after ten errors (§4.3), so both are asked before an entry is sent.
A missing right is mostly answered with an empty list (§3.3): nothing is known then, and the entry is sent.
"""

from koppel_bookkeeping.periods import Period
from koppel_connector import odata, values
from koppel_connector.contract import DeliveryContext
from koppel_connector.ledger.periods import Calendar
from koppel_connector.odata import Row

from .api import Exact

_CLOSED = 1


class ExactPeriods:
    """The periods of one division."""

    def __init__(self, exact: Exact) -> None:
        self._exact = exact

    async def periods(self) -> list[Period]:
        """Return every period that exists, of all financial years."""
        return [period for row in await self._exact.financial_periods() if (period := period_in(row)) is not None]

    async def is_closed(self, journal: str, period: Period) -> bool:
        """Return whether a journal is closed in a period."""
        rows = await self._exact.journal_states(journal, period.year, period.number)
        return any(values.decimal(row.get("Status")) == _CLOSED for row in rows if is_about(row, journal, period))


def calendar(exact: Exact, context: DeliveryContext) -> Calendar:
    """Return the division's calendar as a delivery sees it."""
    return Calendar(ExactPeriods(exact), context.vendor.memory, context.delivery.due_at)


def period_in(row: Row) -> Period | None:
    """Return the period of a row; None where it cannot be read."""
    year, number = values.integer(row.get("FinYear")), values.integer(row.get("FinPeriod"))
    starts_on, ends_on = odata.day(row.get("StartDate")), odata.day(row.get("EndDate"))
    if year is None or number is None or starts_on is None or ends_on is None:
        return None
    return Period(year, number, starts_on, ends_on)


def is_about(row: Row, journal: str, period: Period) -> bool:
    """Whether a row is of this journal and period; not every resource applies every filter."""
    asked = {"Journal": journal, "Year": str(period.year), "Period": str(period.number)}
    return all(str(row[name]).strip() == wanted for name, wanted in asked.items() if row.get(name) is not None)
