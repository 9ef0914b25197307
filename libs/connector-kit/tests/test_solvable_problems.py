"""Problems that no sandbox brings about: doing what their texts say solves them.

``tests/test_solvable_problems.py`` has the others.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from koppel_connector.testing import Fault, Testbed, open_testbed

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


async def act(testbed: Testbed, delivery: Any, action: str, **body: str) -> None:
    async with testbed.owner() as owner:
        answer = await owner.post(f"/v1/deliveries/{delivery.id}/{action}", json=body or None)
        assert answer.status_code in (200, 202), answer.text


async def test_found_twice(testbed: Testbed, harness: PaperHarness, vendor: PaperVendor) -> None:
    await harness.fail(Fault.ACTS_THEN_RESETS)
    await testbed.change("UPDATE connection SET not_before = clock_timestamp() + interval '1 hour'")
    await testbed.deliver(testbed.ready(*harness.document(1)))
    (row,) = await testbed.deliveries()
    double = {"reference": row.remote_ref, "id": "x", "number": "1", "total": "121.00", "made": 0, "booked": True}
    vendor.ledger.append(double)
    await testbed.change("UPDATE connection SET not_before = clock_timestamp()")
    (row,) = await testbed.until_state("review")
    assert row.problem["code"] == "found_twice"
    vendor.ledger.remove(double)
    await act(testbed, row, "resolve", decision="booked")
    assert [entry["reference"] for entry in vendor.ledger] == [row.remote_ref]
    await testbed.until_state("booked")


async def test_vanished_at_vendor(testbed: Testbed, harness: PaperHarness, vendor: PaperVendor) -> None:
    vendor.booked_at_once = False
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("exported")
    vendor.ledger.clear()
    await testbed.change("UPDATE delivery SET due_at = clock_timestamp()")
    (row,) = await testbed.until_state("review")
    assert row.problem["code"] == "vanished_at_vendor"
    vendor.booked_at_once = True
    await act(testbed, row, "resolve", decision="resend")
    await testbed.until_state("booked")
    assert len(vendor.ledger) == 1


async def test_rejected_by_vendor(testbed: Testbed, harness: PaperHarness, vendor: PaperVendor) -> None:
    document, files = harness.document(1)
    await testbed.deliver(testbed.ready({**document, "reference": "Periode is afgesloten: 2024 - 1"}, files))
    (row,) = await testbed.until_state("failed")
    assert row.problem["code"] == "rejected_by_vendor"
    testbed.ready(document, files)  # dossier-api has it without the reason now
    await act(testbed, row, "retry")
    await testbed.until_state("booked")


async def test_forbidden_by_vendor(testbed: Testbed, harness: PaperHarness) -> None:
    await harness.fail(Fault.FORBIDS)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    (row,) = await testbed.until_blocked("forbidden_by_vendor")
    await harness.repair()
    await act(testbed, row, "retry")
    await testbed.until_state("booked")
