"""Entries that a vendor's feed of changes reported, kept in the connection's memory and searched by the number of a document.

A vendor that has no search by number reports what changed since a moment, and may be asked that a few times a day. So the answers
are kept, and the next read asks for what changed since. A read-back reads the same feed and keeps what it sees: a stream of
documents costs no call more. Rows are read one at a time, and the newest ``KEPT_MAX`` entries are kept: a feed may hold the books
of years.
"""

import heapq
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar, Final, Generic, TypeVar

from koppel_bookkeeping.business_keys import document_number_keys, document_number_lock
from koppel_bookkeeping.entries_in_books import EntryInBooks, SoughtDocument
from koppel_connector.contract.memory import Memory, Remembered
from koppel_mesh.clock import BRUSSELS, brussels_date, utc_now

KEPT_MAX: Final = 20_000
"""Of these the newest are kept."""
KEPT_DAYS: Final = 92
"""What is dated earlier is dropped, unless a document that is due is as old."""
LOOKBACK_DAYS_MAX: Final = 400
KEPT: Final = "entries that the feed reported"
"""The key in the memory."""

RowT = TypeVar("RowT")


@dataclass(frozen=True)
class FeedEntry:
    """What is kept of an entry."""

    dated: str
    """ISO date of the document."""
    texts: Sequence[str]
    """Where the number of the document may stand."""
    rest: Sequence[Any]
    """What the connector needs to show it: JSON, Decimals, dates."""


@dataclass(frozen=True)
class _Known:
    """What the feed reported of entries dated on a day or later."""

    since: date
    entries: dict[str, list[Any]]
    """By the vendor's id: the fields of a ``FeedEntry``."""

    @classmethod
    def of(cls, kept: Remembered) -> "_Known":
        return cls(kept.value["since"], dict(kept.value["entries"]))


class FeedEntries(ABC, Generic[RowT]):
    """The entries of one connection's books, as its feed reported them."""

    believed_s: ClassVar[float]
    """So long a search is answered from what is kept."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    @abstractmethod
    async def changed_since(self, moment: datetime) -> Iterable[RowT]:
        """Return the rows of what was made or changed since; read as they are used."""

    @abstractmethod
    def kept_of(self, row: RowT) -> tuple[str, FeedEntry]:
        """Return the vendor's id of an entry, and what is kept of it."""

    @abstractmethod
    async def entry(self, remote_id: str, known: FeedEntry, number: str) -> EntryInBooks:
        """Return an entry with the number of a document."""

    async def search(self, documents: Sequence[SoughtDocument]) -> list[EntryInBooks]:
        """Return the entries with the number of one of the documents: one read of the feed at most.

        Raises:
            ConnectorError: the feed has to be read and cannot be.
        """
        known = await self._reported(_month_of_oldest(documents))
        keys = {key for each in documents for key in document_number_keys(each.number)}
        locks = {document_number_lock(each.number) for each in documents}
        found = []
        for remote_id, kept in known.entries.items():
            entry = FeedEntry(*kept)
            alike = (text for text in entry.texts if document_number_lock(text) in locks)
            number = next((text for text in alike if keys & set(document_number_keys(text))), None)
            if number is not None:
                found.append(await self.entry(remote_id, entry, number))
        return found

    async def read(self, since: datetime, see: Callable[[RowT], None]) -> None:
        """Show each entry made or changed since a moment, and keep what the feed reported for the next search."""
        asked_at, kept = utc_now(), await self._memory.recall(KEPT)
        since = since if kept is None else min(since, kept.observed_at)
        rows = _seen(await self.changed_since(since), see)
        if kept is None:
            for _ in rows:
                pass
        else:
            await self._keep(_Known.of(kept), rows, asked_at)

    async def forget(self, remote_ids: Iterable[str]) -> None:
        """Keep nothing of entries that were deleted."""
        if (kept := await self._memory.recall(KEPT)) is None:
            return
        known = _Known.of(kept)
        for remote_id in remote_ids:
            known.entries.pop(remote_id, None)
        await self._remember(known, kept.observed_at)

    async def _reported(self, needed: date) -> _Known:
        """Return what the feed reported of entries dated from ``needed`` on; it is read where that is not known, or too old."""
        asked_at, kept = utc_now(), await self._memory.recall(KEPT)
        if kept is None or kept.value["since"] > needed:
            rows = await self.changed_since(datetime.combine(needed, time.min, BRUSSELS))
            return await self._keep(_Known(needed, {}), rows, asked_at)
        known = _Known.of(kept)
        if (asked_at - kept.observed_at).total_seconds() < self.believed_s:
            return known
        since = max(known.since, min(needed, asked_at.date() - timedelta(days=KEPT_DAYS)))
        return await self._keep(_Known(since, known.entries), await self.changed_since(kept.observed_at), asked_at)

    async def _keep(self, known: _Known, rows: Iterable[RowT], asked_at: datetime) -> _Known:
        """Put what is read over what was known."""
        entries = known.entries
        for row in rows:
            remote_id, entry = self.kept_of(row)
            entries[remote_id] = [entry.dated, list(entry.texts), list(entry.rest)]
            if len(entries) > 2 * KEPT_MAX:
                entries = _newest(entries, known.since)
        kept = _Known(known.since, _newest(entries, known.since))
        await self._remember(kept, asked_at)
        return kept

    async def _remember(self, known: _Known, observed_at: datetime) -> None:
        await self._memory.remember(KEPT, {"since": known.since, "entries": known.entries}, observed_at=observed_at)


def _seen(rows: Iterable[RowT], see: Callable[[RowT], None]) -> Iterator[RowT]:
    for row in rows:
        see(row)
        yield row


def _newest(entries: Mapping[str, list[Any]], since: date) -> dict[str, list[Any]]:
    first = since.isoformat()
    dated = ((remote_id, kept) for remote_id, kept in entries.items() if kept[0] >= first)
    return dict(heapq.nlargest(KEPT_MAX, dated, key=lambda each: (each[1][0], each[0])))


def _month_of_oldest(documents: Sequence[SoughtDocument]) -> date:
    """Return the first day of the month of the oldest: no document is booked before there is one."""
    today = brussels_date(utc_now())
    oldest = min(each.issued_on or today for each in documents)
    return max(min(oldest, today), today - timedelta(days=LOOKBACK_DAYS_MAX)).replace(day=1)
