"""The journals of a bookyear as they are now: which periods are open in them, and which number comes next (octopus §2.5, §3).

One list answers both. The periods go to the calendar of ``koppel_connector.ledger.periods``; the next number is remembered, so
that a stream of documents asks for it once. People who book by hand take numbers too, and Octopus refuses a wrong one (-13).
"""

from koppel_bookkeeping import CannotBook
from koppel_bookkeeping.periods import Period
from koppel_connector import DeliveryContext, values
from koppel_connector.ledger.document_numbers import DocumentNumbers
from koppel_connector.ledger.periods import Calendar
from koppel_mesh.clock import utc_now

from .api import Octopus
from .master_data import periods_in
from .rows import Row, key_id, key_text


class OctopusPeriods:
    """The periods of one dossier's bookyears."""

    def __init__(self, octopus: Octopus) -> None:
        self._octopus = octopus
        self._closed: set[int | None] | None = None

    async def periods(self) -> list[Period]:
        """Return every period of every bookyear; the number of one is never computed (octopus §2.2)."""
        rows = await self._bookyears()
        return [period for row in rows for period in periods_in(row)]

    async def is_closed(self, journal: str, period: Period) -> bool:
        """Return whether a journal is closed in a period: only what lies after its protected and its closed one is open."""
        if self._closed is None:
            await self._bookyears()
        row = await journal_row(self._octopus, period.year, journal)
        limits = [values.integer(row.get(name)) or 0 for name in ("protectedPeriod", "closedPeriod")]
        return period.year in (self._closed or ()) or values.flag(row.get("closed")) or period.number <= max(limits)

    async def _bookyears(self) -> list[Row]:
        rows = await self._octopus.bookyears()
        self._closed = {key_id(row.get("bookyearKey")) for row in rows if values.flag(row.get("closed"))}
        return rows


def calendar(octopus: Octopus, context: DeliveryContext) -> Calendar:
    """Return the dossier's calendar as a delivery sees it."""
    return Calendar(OctopusPeriods(octopus), context.vendor.memory, context.delivery.due_at, is_named=True)


async def journal_row(octopus: Octopus, bookyear: int, journal: str) -> Row:
    """Ask for a journal of a bookyear; what it says of its numbers is remembered.

    Raises:
        CannotBook: the bookyear has no such journal.
    """
    asked_at = utc_now()
    rows = await octopus.journals(bookyear)
    row = next((row for row in rows if key_text(row.get("journalKey")) == journal), None)
    if row is None:
        raise CannotBook("journal_unknown", f"{journal} in bookyear {bookyear}")
    await DocumentNumbers(octopus.vendor.memory, bookyear, journal).used(_last_number(row), asked_at)
    return row


async def next_number(octopus: Octopus, numbers: DocumentNumbers, bookyear: int, journal: str) -> int:
    """Return the number of the next document in a journal of a bookyear."""

    async def last() -> int:
        return _last_number(await journal_row(octopus, bookyear, journal))

    return await numbers.next(last)


def _last_number(row: Row) -> int:
    return values.integer(row.get("lastBookedDocumentNr")) or 0
