"""P1, booked once: repeated messages, answers that are lost, an index that is late."""

# Tests explain themselves by their names and assert without ceremony.
# ruff: noqa: D102, S311

import random

import pytest

from koppel_connector.testing.harness import Fault, VendorHarness
from koppel_connector.testing.testbed import Testbed
from koppel_mesh.messages import DeliveryChanged, DeliveryState

from .base import ConformanceBase


class BookedOnce(ConformanceBase):
    """A document is booked once in effect, whatever happens to messages and answers."""

    async def test_a_document_is_booked_and_told(self, testbed: Testbed, harness: VendorHarness) -> None:
        await self.send(testbed, harness)
        row = (await self.until_booked(testbed, harness))[0]
        states = [event.state for event in await testbed.published() if isinstance(event, DeliveryChanged)]
        assert states[0] is DeliveryState.READY
        assert DeliveryState.EXPORTED in states
        assert states[-1] == self.closed(testbed)
        versions = [event.version for event in await testbed.published() if isinstance(event, DeliveryChanged)]
        assert versions == sorted(set(versions))
        if self.reads_back(testbed):
            assert row.entry_number

    async def test_the_same_message_a_hundred_times_shuffled(self, testbed: Testbed, harness: VendorHarness) -> None:
        events = [testbed.ready(*harness.document(number)) for number in range(3)]
        late = [event.model_copy(update={"again": True}) for event in events]
        messages = [*events * 30, *late * 4]
        random.Random(7).shuffle(messages)
        for start in range(0, len(messages), 17):
            await testbed.deliver(*messages[start : start + 17])
        rows = await self.until_booked(testbed, harness)
        assert len(rows) == 3
        assert sum((await harness.bookings()).values()) == 3

    async def test_exporting_again_finds_it_and_doubles_nothing(self, testbed: Testbed, harness: VendorHarness) -> None:
        event = await self.send(testbed, harness)
        await self.until_booked(testbed, harness)
        again = testbed.ready(*harness.document(1), again=True)
        await testbed.deliver(again.model_copy(update={"document_id": event.document_id}))
        rows = await self.until_booked(testbed, harness)
        phases = {row.phase for row in await testbed.rows("SELECT phase FROM attempt")}
        assert len(rows) == 1
        assert "lookup" in phases or self.on_ambiguous(testbed) != "lookup"

    @pytest.mark.parametrize(
        "fault",
        [Fault.ACTS_THEN_HANGS, Fault.ACTS_THEN_RESETS, Fault.ACTS_THEN_HALF_ANSWER, Fault.ACTS_THEN_ERROR],
    )
    async def test_acted_without_an_answer_is_looked_up(
        self, testbed: Testbed, harness: VendorHarness, fault: Fault
    ) -> None:
        await harness.fail(fault)
        await self.send(testbed, harness)
        await self.until_accounted_for(testbed, harness)
        lookups = await testbed.rows("SELECT 1 FROM attempt WHERE phase = 'lookup'")
        assert lookups or self.on_ambiguous(testbed) != "lookup"

    async def test_an_index_that_is_late_is_waited_for(self, testbed: Testbed, harness: VendorHarness) -> None:
        await harness.index_late(0.15)
        await harness.fail(Fault.ACTS_THEN_RESETS)
        await self.send(testbed, harness)
        await self.until_accounted_for(testbed, harness)

    async def test_not_there_twice_is_sent_again(self, testbed: Testbed, harness: VendorHarness) -> None:
        if self.on_ambiguous(testbed) != "lookup":
            # What such a vendor may hold is never sent again by itself; ``until_accounted_for`` insists on that elsewhere.
            pytest.skip("the vendor cannot be searched, or takes the same twice as one")
        await harness.fail(Fault.RESETS)
        await self.send(testbed, harness)
        await self.until_booked(testbed, harness)
        lookups = await testbed.rows("SELECT started_at FROM attempt WHERE phase = 'lookup' ORDER BY id")
        assert len(lookups) >= 2
        assert (lookups[-1].started_at - lookups[0].started_at).total_seconds() >= testbed.kit.patience().settle_s
