"""Bookings that the accountant typed in himself, found by the number of a document before it is sent."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from connector_octopus.profile import FEED_IS_BELIEVED_S
from koppel_bookkeeping import Document
from koppel_bookkeeping.entries_in_books import Resemblance, SoughtDocument, resemblance, sought
from koppel_connector.ledger import feed_entries
from koppel_connector.testing import party
from koppel_connector.testing import sample as filed
from koppel_mesh.clock import utc_now
from koppel_mesh.messages import DocumentKind

from .documents import delivery
from .harness import CONNECTOR, Sandbox, Vendor

FEED = "GET buysellbookings/modified"


def document(number: int) -> Mapping[str, Any]:
    return filed(number, DocumentKind.PURCHASE_INVOICE, party(1)).document


def looked_for(number: int) -> SoughtDocument:
    found = sought(Document.model_validate(document(number)))
    assert found is not None
    return found


async def searched(vendor: Vendor, number: int = 1) -> Resemblance:
    wanted = looked_for(number)
    return resemblance(wanted, await CONNECTOR.search_books(vendor, [wanted]))


async def age(vendor: Vendor, seconds: float = FEED_IS_BELIEVED_S) -> None:
    """Have what the feed told be older."""
    kept = await vendor.memory.recall(feed_entries.KEPT)
    assert kept is not None
    observed_at = kept.observed_at - timedelta(seconds=seconds)
    await vendor.memory.remember(feed_entries.KEPT, kept.value, observed_at=observed_at)


def reads(vendor: Vendor) -> int:
    return [call.operation for call in vendor.calls].count(FEED)


async def test_searches_one_after_the_other_are_one_read_of_the_feed(vendor: Vendor, sandbox: Sandbox) -> None:
    number = sandbox.type_in(document(1))
    vendor.calls.clear()
    for first in range(0, 100, 50):
        await CONNECTOR.search_books(vendor, [looked_for(each) for each in range(first, first + 50)])
    assert reads(vendor) == 1
    (entry,) = (await searched(vendor)).same
    assert (entry.entry_number, entry.remote_id) == (number, "3/A1/1")
    assert reads(vendor) == 1


async def test_the_next_read_asks_for_what_changed_since(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.type_in(document(1))
    await searched(vendor, 2)
    sandbox.books.bookings["3/A1/1"]["@modified"] -= 100_000
    sandbox.type_in(document(2))
    assert not (await searched(vendor, 2)).entries, "the feed is not read before its pace"
    await age(vendor)
    assert (await searched(vendor, 2)).same
    assert (await searched(vendor, 1)).same, "what was read before is kept"
    assert reads(vendor) == 2


async def test_a_read_back_keeps_what_it_reads_for_the_next_search(vendor: Vendor, sandbox: Sandbox) -> None:
    context = delivery(vendor)
    await vendor.send(context)
    await searched(vendor)
    await age(vendor)
    sandbox.type_in(document(1))
    vendor.calls.clear()
    await CONNECTOR.read_back(vendor, [context])
    assert (await searched(vendor)).same
    assert reads(vendor) == 1


async def test_the_number_may_stand_in_the_reference(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.type_in(document(1))
    booking = sandbox.booking("3/A1/1")
    booking["reference"], booking["comment"] = booking["comment"], "drukwerk"
    assert (await searched(vendor)).same


async def test_a_changed_booking_is_told_anew_and_a_deleted_one_is_forgotten(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.type_in(document(1), cents=1)
    assert (await searched(vendor)).alike
    await age(vendor)
    booking = sandbox.booking("3/A1/1")
    sandbox.books.put(sandbox.books.bookings, "3/A1/1", {**booking, "amount": looked_for(1).total})
    assert (await searched(vendor)).same
    sandbox.remove("3/A1/1")
    await CONNECTOR.changes_in_books(vendor, utc_now() - timedelta(hours=1))
    assert not (await searched(vendor)).entries


async def test_an_older_document_has_the_feed_read_from_its_month_on(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.type_in(document(1))
    booking = sandbox.booking("3/A1/1")
    today = utc_now().date()
    older = today - timedelta(days=150)
    sandbox.books.put(sandbox.books.bookings, "3/A1/1", {**booking, "documentDate": older.isoformat()})
    wanted = replace(looked_for(1), issued_on=today)
    assert not await CONNECTOR.search_books(vendor, [wanted]), "nobody books a document before there is one"
    (entry,) = await CONNECTOR.search_books(vendor, [replace(wanted, issued_on=older)])
    assert entry.issued_on == older
    await age(vendor)
    assert not await CONNECTOR.search_books(vendor, [wanted]), "what no document needs is not kept for ever"


async def test_of_too_many_bookings_the_newest_are_kept(vendor: Vendor, sandbox: Sandbox, monkeypatch: Any) -> None:
    monkeypatch.setattr(feed_entries, "KEPT_MAX", 1)
    for number in (1, 2):
        sandbox.type_in(document(number))
    booking = sandbox.booking("3/A1/2")
    later = date.fromisoformat(booking["documentDate"]) + timedelta(days=1)
    sandbox.books.put(sandbox.books.bookings, "3/A1/2", {**booking, "documentDate": later.isoformat()})
    assert (await searched(vendor, 2)).alike
    assert not (await searched(vendor, 1)).entries
