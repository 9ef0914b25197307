"""The journals of a bookyear as they are now: which periods are open in them, and which number comes next (octopus §2.5, §3).

One list answers both. The periods go to the calendar of ``koppel_connector.ledger.periods``; the next number is remembered, so
that a stream of documents asks for it once. People who book by hand take numbers too, and Octopus refuses a wrong one (-13).
"""

from typing import Final

from koppel_bookkeeping import CannotBook
from koppel_bookkeeping.periods import Period
from koppel_connector import DeliveryContext, values
from koppel_connector.ledger.periods import Calendar
from koppel_mesh.clock import utc_now

from .api import Octopus, Row, key_id
from .master_data import periods_in

NUMBER_IS_BELIEVED_S: Final = 900.0


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
    row = next((row for row in rows if values.text(row.get("journalKey")) == journal), None)
    if row is None:
        raise CannotBook("journal_unknown", f"{journal} in bookyear {bookyear}")
    next_number = (values.integer(row.get("lastBookedDocumentNr")) or 0) + 1
    await octopus.vendor.memory.remember(_key(bookyear, journal), next_number, observed_at=asked_at)
    return row


async def next_number(octopus: Octopus, bookyear: int, journal: str) -> int:
    """Return the number of the next document in a journal of a bookyear."""
    memory = octopus.vendor.memory
    if (kept := await memory.recall(_key(bookyear, journal), NUMBER_IS_BELIEVED_S)) is not None:
        return int(kept.value)
    row = await journal_row(octopus, bookyear, journal)
    return (values.integer(row.get("lastBookedDocumentNr")) or 0) + 1


async def number_was_used(octopus: Octopus, bookyear: int, journal: str, number: int) -> None:
    """Remember that our document has this number."""
    await octopus.vendor.memory.remember(_key(bookyear, journal), number + 1)


async def forget_number(octopus: Octopus, bookyear: int, journal: str) -> None:
    """Forget what the next number was: Octopus has just refused it, or nobody knows whether it is used."""
    await octopus.vendor.memory.forget(_key(bookyear, journal))


def _key(bookyear: int, journal: str) -> str:
    return f"next_number {bookyear} {journal}"
