"""P1, what others did: a document that somebody booked by hand is not booked again, unless a person says so."""

# Tests explain themselves by their names and assert without ceremony.
# ruff: noqa: D102

import pytest

from koppel_connector.testing.document_factory import SAMPLE_KINDS, party
from koppel_connector.testing.harness import VendorHarness
from koppel_connector.testing.testbed import Testbed

from .base import ConformanceBase


class BookedByOthers(ConformanceBase):
    """Before a document is first sent, the books are searched for entries of others."""

    async def test_what_somebody_typed_in_waits_for_a_person(self, testbed: Testbed, harness: VendorHarness) -> None:
        self._searched_or_skipped(testbed)
        samples = [harness.document(1, kind) for kind in SAMPLE_KINDS if kind in self.kinds(testbed)]
        numbers = [await harness.type_in(each) for each in samples]
        before = await harness.bookings()
        await testbed.deliver(*(testbed.ready(*each) for each in samples))
        rows = await testbed.until_state("review", self.closed(testbed))
        assert [row.state for row in rows] == ["review"] * len(rows), "booked beside what somebody booked by hand"
        assert await harness.bookings() == before
        of_document = {str(row.document_id): row for row in rows}
        in_order = [of_document[each.document["id"]] for each in samples]
        for row, number in zip(in_order, numbers, strict=True):
            assert row.problem["code"] == "entry_in_books"
            assert number in row.problem["detail"], f"entry {number} is not named: {row.problem['detail']}"
        await self._resolved(testbed, in_order[0].id, "booked")
        for row in in_order[1:]:
            await self._resolved(testbed, row.id, "resend")
        await testbed.until_state(self.closed(testbed), "exported")
        await harness.process()
        ended = {row.id: row for row in await testbed.until_state(self.closed(testbed))}
        assert ended[in_order[0].id].entry_number == numbers[0], "it is booked in the entry that was found"
        held = await harness.bookings()
        assert in_order[0].remote_ref not in held
        assert all(held[row.remote_ref] == 1 for row in in_order[1:]), "a person had them sent all the same"

    async def test_what_a_restored_database_has_forgotten_is_found(
        self, testbed: Testbed, harness: VendorHarness
    ) -> None:
        self._searched_or_skipped(testbed)
        ready, other = (testbed.ready(*harness.document(number)) for number in (1, 2))
        await testbed.deliver(ready, other)
        booked = {row.document_id: row for row in await self.until_booked(testbed, harness)}
        before = await harness.bookings()
        changed = booked[other.document_id]
        await harness.change(changed.remote_ref)
        for table in ("attempt", "delivery", "memory", "inbox"):
            await testbed.change(f"DELETE FROM {table}")
        await testbed.deliver(ready, other)
        again = {row.document_id: row for row in await testbed.until_state("booked", "review", self.closed(testbed))}
        assert again[ready.document_id].state == "booked", "it is its own entry"
        assert again[ready.document_id].entry_number == booked[ready.document_id].entry_number
        assert again[other.document_id].problem["code"] == "entry_in_books", "somebody changed it"
        assert changed.entry_number in again[other.document_id].problem["detail"]
        assert await harness.bookings() == before

    async def test_an_entry_with_another_total_is_warned_of(self, testbed: Testbed, harness: VendorHarness) -> None:
        self._searched_or_skipped(testbed)
        document = harness.document(1)
        number = await harness.type_in(document, cents=1)
        await testbed.deliver(testbed.ready(*document))
        (row,) = await self.until_booked(testbed, harness)
        (warning,) = [each for each in row.progress["warnings"] if each["code"] == "entry_alike_in_books"]
        assert number in warning["detail"]

    async def test_the_number_of_another_counterparty_says_nothing(
        self, testbed: Testbed, harness: VendorHarness
    ) -> None:
        self._searched_or_skipped(testbed)
        kind = next(kind for kind in reversed(SAMPLE_KINDS) if kind in self.kinds(testbed))
        await harness.type_in(harness.document(1, kind, party(21)))
        await testbed.deliver(testbed.ready(*harness.document(1, kind, party(22))))
        (row,) = await self.until_booked(testbed, harness)
        assert not row.progress.get("warnings")

    def _searched_or_skipped(self, testbed: Testbed) -> None:
        if testbed.kit.profile.book_search is None:
            # A mailbox, a folder: nobody can look there.
            pytest.skip("the vendor's books cannot be searched")

    async def _resolved(self, testbed: Testbed, delivery_id: object, decision: str) -> None:
        async with testbed.owner() as owner:
            answer = await owner.post(f"/v1/deliveries/{delivery_id}/resolve", json={"decision": decision})
            assert answer.status_code == 200, answer.text
