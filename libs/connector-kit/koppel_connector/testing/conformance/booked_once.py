"""P1, booked once: repeated messages, answers that are lost, an index that is late."""

# Tests explain themselves by their names and assert without ceremony.
# ruff: noqa: D102, S311

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from koppel_connector.testing.document_factory import SAMPLE_KINDS, party
from koppel_connector.testing.harness import VendorHarness
from koppel_connector.testing.testbed import Testbed, open_testbed
from koppel_connector.testing.vendor_faults import Fault
from koppel_mesh.messages import DeliveryChanged, DeliveryState
from koppel_mesh.service import Service

from .base import ConformanceBase


class BookedOnce(ConformanceBase):
    """A document is booked once in effect, whatever happens to messages and answers."""

    async def test_a_document_is_booked_and_told(self, testbed: Testbed, harness: VendorHarness) -> None:
        await self.send(testbed, harness)
        row = (await self.until_booked(testbed, harness))[0]
        told = [event for event in await testbed.published() if isinstance(event, DeliveryChanged)]
        states = [event.state for event in told]
        assert states[0] is DeliveryState.READY
        assert DeliveryState.EXPORTED in states
        assert states[-1] == self.closed(testbed)
        assert {event.ends_as for event in told} == {self.closed(testbed)}
        versions = [event.version for event in told]
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

    async def test_two_ways_to_the_same_books_book_it_once(self, testbed: Testbed, harness: VendorHarness) -> None:
        if not self.shares_books:
            # The harness leads each connection to a company of its own.
            pytest.skip("no two connections lead to the same books")
        await harness.connect(testbed)
        await self.send(testbed, harness)
        rows = await testbed.until_state(self.closed(testbed), "review")
        states = sorted(row.state for row in rows)
        assert states == sorted((self.closed(testbed), "review")), f"two ways, and nobody asked: {states}"
        assert await harness.bookings() == {row.remote_ref: 1 for row in rows if row.state != "review"}

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
        if self.on_ambiguous(testbed) != "lookup":
            return
        # Where the books are searched before a send, that would find it too: here it is the look-up that has to.
        assert await testbed.rows("SELECT 1 FROM attempt WHERE phase = 'lookup'"), "sent again without a look-up"
        assert not await testbed.rows("SELECT 1 FROM delivery WHERE failures > 0"), "the look-up does not find it"

    async def test_an_index_that_is_late_is_waited_for(self, testbed: Testbed, harness: VendorHarness) -> None:
        await harness.index_late(0.15)
        await harness.fail(Fault.ACTS_THEN_RESETS)
        await self.send(testbed, harness)
        await self.until_accounted_for(testbed, harness)

    async def test_not_there_twice_is_sent_again(self, testbed: Testbed, harness: VendorHarness) -> None:
        if self.on_ambiguous(testbed) != "lookup":
            # What such a vendor may hold is never sent again by itself; ``until_accounted_for`` insists on that elsewhere.
            pytest.skip("the vendor cannot be searched")
        await harness.fail(Fault.RESETS)
        await self.send(testbed, harness)
        await self.until_booked(testbed, harness)
        lookups = await testbed.rows("SELECT started_at FROM attempt WHERE phase = 'lookup' ORDER BY id")
        assert len(lookups) >= 2
        assert (lookups[-1].started_at - lookups[0].started_at).total_seconds() >= testbed.kit.settings.patience(
            self.target(testbed)
        ).settle_s

    async def test_every_created_object_is_made_once(
        self,
        service: Service,
        harness: VendorHarness,
        vendor_settings: dict[str, Any],
        make_database: Callable[..., str],
    ) -> None:
        """Relations and files too: each answer to a call that changes something is lost once, and searches lag."""
        quick = {"retry_schedule_s": (0.05,) * 20, "deadline_s": 0.5, "settle_s": 0.1}
        settings: dict[str, Any] = {**quick, **vendor_settings}
        async with open_testbed(service, make_database(service), **settings) as testbed:
            await harness.connect(testbed)
            if self.on_ambiguous(testbed) != "lookup":
                # After the first lost answer the document is a person's, and nothing further is made.
                pytest.skip("the vendor cannot be searched")
            kind = next(kind for kind in SAMPLE_KINDS if kind in self.kinds(testbed))
            counts = [await harness.objects()]
            await testbed.deliver(testbed.ready(*harness.document(1, kind, party(11))))
            await self.until_booked(testbed, harness)
            counts.append(await harness.objects())
            await harness.index_late(0.05)
            await harness.lose_first_answers()
            await testbed.deliver(testbed.ready(*harness.document(2, kind, party(12))))

            async def taken() -> bool:
                await testbed.change("UPDATE connection SET not_before = clock_timestamp()")  # every pause is over
                return (await testbed.deliveries())[1].state in ("exported", "booked", "failed", "review")

            await testbed.until(taken, "the document with the lost answers is taken")
            await self.until_booked(testbed, harness)
            counts.append(await harness.objects())
            ordinary, disturbed = (
                {name: later[name] - earlier[name] for name in later} for earlier, later in pairwise(counts)
            )
            assert disturbed == ordinary, f"an undisturbed document makes {ordinary}, this one {disturbed}"
