"""A document that cannot be booked as it stands: reported with the vendor's name, and nothing is sent."""

from collections.abc import AsyncIterator, Callable

import pytest

from koppel_bookkeeping import Reason
from koppel_connector.testing import Testbed, open_testbed
from koppel_mesh.messages import DeliveryChanged

from .paper_connector import SERVICE
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor


@pytest.fixture
async def testbed(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as running:
        await harness.connect(running)
        yield running


@pytest.mark.parametrize(
    ("reason", "state"), [(Reason.JOURNAL_BLOCKED, "blocked"), (Reason.DOCUMENT_TOTALS_WRONG, "failed")]
)
async def test_the_catalogue_says_whether_it_waits_for_a_person(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor, reason: Reason, state: str
) -> None:
    document, files = harness.document(1)
    await testbed.deliver(testbed.ready({**document, "accounting_cost": reason.value}, files))
    row = (await testbed.until_state(state))[0]
    assert (row.problem["code"], row.problem["detail"]) == (reason.value, "line 1")
    assert vendor.ledger == []


async def test_the_sentence_names_the_vendor(testbed: Testbed, harness: PaperHarness) -> None:
    document, files = harness.document(1)
    await testbed.deliver(testbed.ready({**document, "accounting_cost": Reason.JOURNAL_BLOCKED.value}, files))
    await testbed.until_state("blocked")
    problems = [event.problem for event in await testbed.published() if isinstance(event, DeliveryChanged)]
    assert problems[-1] is not None
    assert "in {vendor}" not in problems[-1].message.en
    assert f"blocked in {testbed.kit.profile.title}" in problems[-1].message.en
