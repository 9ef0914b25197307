"""P3: what the books hold is the document, to the cent; and what they no longer hold so is not called booked."""

# Tests explain themselves by their names and assert without ceremony.
# ruff: noqa: D102

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from koppel_bookkeeping.sides import CREDIT_NOTES
from koppel_connector.testing.books import KEPT_BY_BOOKS, differences
from koppel_connector.testing.document_factory import SAMPLE_KINDS, Sample, entered, party, with_signs_reversed
from koppel_connector.testing.harness import VendorHarness
from koppel_connector.testing.testbed import RUNNING_LOOPS, Testbed, open_testbed
from koppel_mesh.messages import DocumentKind
from koppel_mesh.service import Service

from .base import ConformanceBase


class BookedRight(ConformanceBase):
    """The booking is the document, and reading back is what proves it."""

    async def test_the_books_hold_what_the_document_says(self, testbed: Testbed, harness: VendorHarness) -> None:
        await self._send_and_compare(testbed, harness, [kind for kind in SAMPLE_KINDS if kind not in CREDIT_NOTES])

    async def test_a_credit_note_is_booked_with_its_sign(self, testbed: Testbed, harness: VendorHarness) -> None:
        if not self.kinds(testbed) & CREDIT_NOTES:
            # What becomes of a kind that is not taken is a scenario of its own.
            pytest.skip("the vendor takes no credit notes")
        await self._send_and_compare(testbed, harness, sorted(CREDIT_NOTES))

    async def test_signs_that_a_person_reversed_are_booked_reversed(
        self, testbed: Testbed, harness: VendorHarness
    ) -> None:
        await self._send_and_compare(testbed, harness, SAMPLE_KINDS, with_signs_reversed)

    async def test_an_entered_pdf_without_ubl_is_booked(self, testbed: Testbed, harness: VendorHarness) -> None:
        await self._send_and_compare(testbed, harness, SAMPLE_KINDS, entered)

    async def _send_and_compare(
        self,
        testbed: Testbed,
        harness: VendorHarness,
        wanted: Sequence[DocumentKind],
        changed: Callable[[Sample], Sample] = lambda document: document,
    ) -> None:
        samples = [changed(harness.document(1, kind)) for kind in wanted if kind in self.kinds(testbed)]
        assert samples, "the vendor takes no kind that the suite has a sample of"
        await testbed.deliver(*(testbed.ready(*each) for each in samples))
        await self.until_booked(testbed, harness)
        await self.compare(testbed, harness, samples)

    async def compare(self, testbed: Testbed, harness: VendorHarness, samples: Sequence[Sample]) -> None:
        """Compare what the books hold of each document with the document."""
        of_document = {str(row.document_id): row.remote_ref for row in await testbed.deliveries()}
        held = {booking.reference: booking for booking in await harness.books()}
        for each in samples:
            booking = held[of_document[each.document["id"]]]
            if self.reads_back(testbed):
                untold = [name for name in KEPT_BY_BOOKS if getattr(booking, name) is None]
                assert not untold, f"the harness does not tell what the books hold: {untold}"
            found = differences(booking, each)
            assert not found, f"{each.document['kind']}: {found}"

    async def test_one_relation_serves_many_documents(self, testbed: Testbed, harness: VendorHarness) -> None:
        before = (await harness.objects()).get("relation")
        if before is None:
            # Nothing to share: a mailbox or a folder keeps no customers.
            pytest.skip("the vendor keeps no relations")
        kind = next(kind for kind in SAMPLE_KINDS if kind in self.kinds(testbed))
        samples = [harness.document(number, kind, party(8 if number == 5 else 7)) for number in range(1, 6)]
        await testbed.deliver(testbed.ready(*samples[0]))
        await self.until_booked(testbed, harness)
        await testbed.deliver(*(testbed.ready(*each) for each in samples[1:]))
        await self.until_booked(testbed, harness)
        await self.compare(testbed, harness, samples)
        assert (await harness.objects())["relation"] == before + 2, "one for each of the two counterparties"

    async def test_a_changed_booking_is_not_called_booked(
        self,
        service: Service,
        harness: VendorHarness,
        vendor_settings: dict[str, Any],
        make_database: Callable[..., str],
    ) -> None:
        async with self._exported(service, harness, vendor_settings, make_database(service)) as testbed:
            (row,) = await testbed.deliveries()
            await harness.change(row.remote_ref)
            await self._read_back_and_told(testbed, "changed")

    async def test_a_vanished_booking_is_not_called_booked(
        self,
        service: Service,
        harness: VendorHarness,
        vendor_settings: dict[str, Any],
        make_database: Callable[..., str],
    ) -> None:
        async with self._exported(service, harness, vendor_settings, make_database(service)) as testbed:
            (row,) = await testbed.deliveries()
            await harness.remove(row.remote_ref)
            await self._read_back_and_told(testbed, "gone")
            assert await harness.bookings() == {}, "a person decides whether it goes again"

    @asynccontextmanager
    async def _exported(
        self, service: Service, harness: VendorHarness, vendor_settings: dict[str, Any], database_url: str
    ) -> AsyncIterator[Testbed]:
        """Give a testbed whose one document the vendor has taken and nobody has read back yet."""
        settings: dict[str, Any] = {"unbooked_after_s": 0.3, **vendor_settings}
        async with open_testbed(service, database_url, start=False, **settings) as testbed:
            await harness.connect(testbed)
            if not self.reads_back(testbed):
                # There is nothing to read: what was taken is all there is to know.
                pytest.skip("the vendor's books cannot be read")
            testbed.start([name for name in RUNNING_LOOPS if name != "read-back"])
            await self.send(testbed, harness)
            await testbed.until_state("exported")
            await harness.process()
            yield testbed

    async def _read_back_and_told(self, testbed: Testbed, what: str) -> None:
        testbed.start(["read-back"])

        async def told() -> bool:
            (row,) = await testbed.deliveries()
            return row.problem is not None or row.state == "booked"

        await testbed.until(told, "the books were read")
        (row,) = await testbed.deliveries()
        assert row.state != "booked", f"the booking was {what} before it was read back"
        assert set(row.problem["message"]) == {"nl", "fr", "en"}
        assert await testbed.rows("SELECT 1 FROM attempt WHERE phase = 'read_back'"), "the vendor was not asked"
