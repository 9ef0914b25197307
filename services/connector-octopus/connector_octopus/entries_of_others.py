"""Octopus's part of ``koppel_connector.ledger.feed_entries``: bookings, whoever made them, as the feed of changes tells them.

Octopus has no search by number, and its feed may be read 48 times a day (octopus §1.5, §2.7).
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import ClassVar

from koppel_bookkeeping.document import Counterparty
from koppel_bookkeeping.entries_in_books import EntryInBooks
from koppel_connector import values
from koppel_connector.ledger.feed_entries import FeedEntries, FeedEntry
from koppel_connector.ledger.records import Records

from .api import Octopus
from .mapping import relation_of
from .master_data import SALES, Relation
from .profile import FEED_IS_BELIEVED_S, handle
from .relation_search import find
from .rows import Row, day_in, id_of_place, is_known, note_unreadable, place_of


class FeedBookings(FeedEntries[Row]):
    """The bookings of one dossier."""

    believed_s: ClassVar[float] = FEED_IS_BELIEVED_S

    def __init__(self, octopus: Octopus) -> None:
        super().__init__(octopus.vendor.memory)
        self._octopus = octopus

    async def changed_since(self, moment: datetime) -> Iterable[Row]:
        """Read the feed of all journals and bookyears; a booking that does not tell where it stands is logged and left out."""
        return _with_place(await self._octopus.bookings_since(moment))

    def kept_of(self, row: Row) -> tuple[str, FeedEntry]:
        """Keep both texts that may hold the number, the year that people know, amount, currency, relation and our reference."""
        return id_of_place(place_of(row)), FeedEntry(
            dated.isoformat() if (dated := day_in(row.get("documentDate"))) else "",
            [values.text(row.get(name)) for name in ("comment", "reference")],
            [
                str(values.integer(row.get("bookyearPeriodeNr")) or "")[:4],
                values.amount(row.get("amount")),
                values.text(row.get("currencyCode")),
                relation_of(row),
                values.text(row.get("orderReference")),
            ],
        )

    async def entry(self, remote_id: str, told: FeedEntry, number: str) -> EntryInBooks:
        """Return a booking with its counterparty; a relation made since the import is asked for."""
        label, amount, currency, relation, reference = told.rest
        bookyear, journal, sequence = remote_id.split("/")
        _, entry_number, url = handle(self._octopus.vendor, (bookyear, journal, sequence), label)
        return EntryInBooks(
            remote_id=remote_id,
            side="sale" if journal.startswith(SALES) else "purchase",
            document_number=number,
            counterparty=await self._counterparty(relation),
            issued_on=date.fromisoformat(told.dated),
            total=amount,
            currency=currency or None,
            entry_number=entry_number,
            entry_url=url,
            reference=reference or None,
        )

    async def _counterparty(self, relation: int | None) -> Counterparty:
        if relation is None:
            return Counterparty()
        known = Records(self._octopus.vendor.master_data, Relation).by_id(str(relation))
        if known is None:
            known = next(iter(await find(self._octopus, "relationId", str(relation))), None)
        return known.counterparty if known else Counterparty()


def _with_place(rows: Iterable[Row]) -> Iterator[Row]:
    unread = 0
    for row in rows:
        if is_known(place_of(row)):
            yield row
        else:
            unread += 1
    note_unreadable("bookings", unread)
