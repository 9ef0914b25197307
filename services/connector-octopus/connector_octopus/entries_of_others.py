"""Bookings with the number of a document, whoever made them, from what the feed of changes told (octopus §2.7).

Octopus has no search by number, and its feed may be read 48 times a day. So what it told is kept in the connection's memory, and
the next read asks for what changed since. A read-back reads the same feed and keeps what it sees: a stream costs no call more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from koppel_bookkeeping.business_keys import document_number_keys, document_number_lock
from koppel_bookkeeping.document import Counterparty
from koppel_bookkeeping.entries_in_books import EntryInBooks, SoughtDocument
from koppel_connector import Vendor, values
from koppel_connector.contract import Memory
from koppel_connector.ledger.records import Records
from koppel_mesh.clock import BRUSSELS, utc_now

from .api import Octopus, Row, place_of
from .mapping import relation_of
from .master_data import SALES, Relation
from .profile import FEED_IS_BELIEVED_S, handle
from .settings import OctopusSettings

KEPT_BOOKINGS_MAX: Final = 20_000
KEPT_DAYS: Final = 92
"""What is dated earlier is dropped, unless a document that is due is as old."""
LOOKBACK_DAYS_MAX: Final = 400
TOLD: Final = "bookings that the feed told"
"""The key in the memory."""


@dataclass(frozen=True)
class _Told:
    """What the feed told of the bookings dated on a day or later."""

    since: date
    bookings: Mapping[str, Sequence[Any]]
    """By place: what ``_kept_of`` keeps of each."""


async def search(vendor: Vendor[OctopusSettings], documents: Sequence[SoughtDocument]) -> list[EntryInBooks]:
    """Return the bookings whose comment or reference is the number of one of the documents: one read of the feed at most.

    Raises:
        ConnectorError: the feed has to be read and cannot be.
    """
    octopus = Octopus(vendor)
    told = await _told(octopus, _month_of_oldest(documents))
    keys = {key for each in documents for key in document_number_keys(each.number)}
    locks = {document_number_lock(each.number) for each in documents}
    found = []
    for place, kept in told.bookings.items():
        *_, comment, reference, _ours = kept
        alike = (text for text in (comment, reference) if document_number_lock(text) in locks)
        number = next((text for text in alike if keys & set(document_number_keys(text))), None)
        if number is not None:
            found.append(await _entry(octopus, place, kept, number))
    return found


async def bookings_since(octopus: Octopus, since: datetime) -> list[Row]:
    """Return the bookings made or changed since a moment, and keep what the feed told for the next search."""
    memory, asked_at = octopus.vendor.memory, utc_now()
    kept = await memory.recall(TOLD)
    if kept is None:
        return await octopus.bookings_since(since)
    rows = await octopus.bookings_since(min(since, kept.observed_at))
    await _keep(memory, _Told(kept.value["since"], kept.value["bookings"]), rows, asked_at)
    return rows


async def forget(memory: Memory, remote_ids: Iterable[str]) -> None:
    """Keep nothing of bookings that were deleted."""
    if (kept := await memory.recall(TOLD)) is None:
        return
    gone = set(remote_ids)
    left = {place: each for place, each in kept.value["bookings"].items() if place not in gone}
    await memory.remember(TOLD, {**kept.value, "bookings": left}, observed_at=kept.observed_at)


# ── what is kept ──


async def _told(octopus: Octopus, needed: date) -> _Told:
    """Return what the feed told of bookings dated from ``needed`` on; it is read where that is not known, or too old."""
    memory, asked_at = octopus.vendor.memory, utc_now()
    kept = await memory.recall(TOLD)
    if kept is None or kept.value["since"] > needed:
        rows = await octopus.bookings_since(datetime.combine(needed, time.min, BRUSSELS))
        return await _keep(memory, _Told(needed, {}), rows, asked_at)
    told = _Told(kept.value["since"], kept.value["bookings"])
    if (asked_at - kept.observed_at).total_seconds() < FEED_IS_BELIEVED_S:
        return told
    rows = await octopus.bookings_since(kept.observed_at)
    since = max(told.since, min(needed, asked_at.date() - timedelta(days=KEPT_DAYS)))
    return await _keep(memory, _Told(since, told.bookings), rows, asked_at)


async def _keep(memory: Memory, told: _Told, rows: Iterable[Row], asked_at: datetime) -> _Told:
    """Put what was read over what was known, the newest first where there is too much."""
    merged = {**told.bookings, **{_id(row): _kept_of(row) for row in rows}}
    first = told.since.isoformat()
    dated = sorted(((kept[1], place) for place, kept in merged.items() if kept[1] >= first), reverse=True)
    kept = {place: merged[place] for _, place in dated[:KEPT_BOOKINGS_MAX]}
    await memory.remember(TOLD, {"since": told.since, "bookings": kept}, observed_at=asked_at)
    return _Told(told.since, kept)


def _kept_of(row: Row) -> list[Any]:
    """Return what recognises a booking: the year that people know, date, amount, currency, relation and its three texts."""
    return [
        values.text(row.get("bookyearPeriodeNr"))[:4],
        values.text(row.get("documentDate"))[:10],
        values.amount(row.get("amount")),
        values.text(row.get("currencyCode")),
        relation_of(row),
        *(values.text(row.get(name)) for name in ("comment", "reference", "orderReference")),
    ]


def _id(row: Row) -> str:
    return "/".join(map(str, place_of(row)))


def _month_of_oldest(documents: Sequence[SoughtDocument]) -> date:
    """Return the first day of the month of the oldest: nobody books a document before there is one."""
    today = utc_now().astimezone(BRUSSELS).date()
    oldest = min(each.issued_on or today for each in documents)
    return max(min(oldest, today), today - timedelta(days=LOOKBACK_DAYS_MAX)).replace(day=1)


# ── what is found ──


async def _entry(octopus: Octopus, place: str, kept: Sequence[Any], number: str) -> EntryInBooks:
    label, dated, amount, currency, relation, *_, ours = kept
    bookyear, journal, sequence = place.split("/")
    remote_id, entry_number, url = handle(octopus.vendor, (bookyear, journal, sequence), label)
    return EntryInBooks(
        remote_id=remote_id,
        side="sale" if journal.startswith(SALES) else "purchase",
        document_number=number,
        counterparty=await _counterparty(octopus, relation),
        issued_on=date.fromisoformat(dated),
        total=amount,
        currency=currency or None,
        entry_number=entry_number,
        entry_url=url,
        reference=ours or None,
    )


async def _counterparty(octopus: Octopus, relation: int | None) -> Counterparty:
    """Return whose it is; a relation made since the import is asked for."""
    if relation is None:
        return Counterparty()
    known = Records(octopus.vendor.master_data, Relation).by_id(str(relation))
    if known is None:
        rows = await octopus.relations_like(relationId=str(relation))
        known = Relation.read(rows[0]) if rows else None
    return known.counterparty if known else Counterparty()
