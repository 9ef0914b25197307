"""Slow work that goes on keeps its claim; a claim that somebody else has taken is never used again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from uuid import UUID

import pytest

from koppel_connector import DeliveryContext, Vendor
from koppel_connector.contract import ReadBack
from koppel_connector.service import connector_service
from koppel_connector.testing import Testbed, open_testbed

from .paper_connector import ME, PaperConnector, PaperServiceSettings, PaperSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

DEADLINE_S = 1.0
QUESTIONS = 7
ANSWERS_IN_S = 0.5
"""Each answer is in time, and all of them take longer than a lease, which is three deadlines."""


class InquisitiveConnector(PaperConnector):
    """Asks a lot before it sends, and before it reads back."""

    def __init__(self) -> None:
        self.stands_still_s = 0.0
        """How long it does nothing at all before it sends, once."""

    async def prepare(self, context: DeliveryContext[PaperSettings]) -> dict[str, object]:
        still_s, self.stands_still_s = self.stands_still_s, 0.0
        await asyncio.sleep(still_s)
        await self._ask(context.vendor)
        return await super().prepare(context)

    async def read_back(self, vendor: Vendor, contexts: Sequence[DeliveryContext]) -> Mapping[UUID, ReadBack]:
        await self._ask(vendor)
        return await super().read_back(vendor, contexts)

    async def _ask(self, vendor: Vendor) -> None:
        for _ in range(QUESTIONS):
            await vendor.call(ME)


CONNECTOR = InquisitiveConnector()
SERVICE = connector_service(CONNECTOR, settings=PaperServiceSettings)


@pytest.fixture
async def testbed(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    async with open_testbed(
        SERVICE, make_database(SERVICE), paper_base_url=vendor.url, deadline_s=DEADLINE_S
    ) as running:
        await harness.connect(running)
        vendor.answers_in_s = ANSWERS_IN_S
        yield running


async def test_a_document_of_many_slow_calls_is_sent_and_read_back_under_one_claim(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(2)))
    rows = await testbed.until_state("booked")
    assert [row.attempts for row in rows] == [1, 1], "the one that waits its turn is held as well"
    assert len(vendor.ledger) == 2


async def test_a_claim_that_was_taken_meanwhile_ends_the_work(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    asked = vendor.seen.count(("GET", "/me"))
    await testbed.deliver(testbed.ready(*harness.document(1)))

    async def is_asking() -> bool:
        return vendor.seen.count(("GET", "/me")) > asked

    await testbed.until(is_asking, "the document is worked on")
    await testbed.change(
        "UPDATE delivery SET lease_token = gen_random_uuid(), lease_until = clock_timestamp() + interval '1 hour'"
    )

    async def has_ended() -> bool:
        return not testbed.kit.batches

    await testbed.until(has_ended, "whoever had it claimed stops")
    assert vendor.ledger == []
    vendor.answers_in_s = 0.0
    await testbed.change("UPDATE delivery SET lease_until = clock_timestamp()")
    await testbed.until_state("booked")
    assert len(vendor.ledger) == 1


async def test_work_that_stands_still_loses_its_claim(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    vendor.answers_in_s = 0.0
    CONNECTOR.stands_still_s = 4 * DEADLINE_S
    await testbed.deliver(testbed.ready(*harness.document(1)))
    (row,) = await testbed.until_state("booked")
    assert row.attempts > 1, "the sweeper took it back"
    assert len(vendor.ledger) == 1
