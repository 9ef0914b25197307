"""What is tried before a person is asked: a document that may stand in the same books already, a number that is taken."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest

from koppel_connector.testing import Fault, Testbed, open_testbed
from koppel_mesh.ids import new_id

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


@pytest.mark.parametrize("faults", [(), (Fault.ACTS_THEN_HANGS,)], ids=["at once", "after doubt"])
async def test_two_ways_to_one_company_are_taken_one_after_the_other(
    harness: PaperHarness, vendor: PaperVendor, make_database: Callable[..., str], faults: tuple[Fault, ...]
) -> None:
    settle_s = 1.0
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url, settle_s=settle_s) as testbed:
        await two_ways_to_one_company(testbed, harness)
        for fault in faults:
            await harness.fail(fault)
        await testbed.deliver(testbed.ready(*harness.document(1)))
        rows = await testbed.until_state("booked", "review")
        booked, asked = sorted(rows, key=lambda row: str(row.state))
        assert (booked.state, asked.state) == ("booked", "review"), "booked twice in the same books"
        assert asked.problem["code"] == "already_booked_other_connection"
        assert asked.problem["detail"]
        assert len(vendor.ledger) == 1
        (search,) = await lookups_of(testbed, asked.id)
        waited_s = (search.started_at - booked.exported_at).total_seconds()
        assert waited_s > settle_s, "a search would find by then what the first did"


async def test_a_person_who_sends_it_a_second_way_is_asked_once(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await two_ways_to_one_company(testbed, harness)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    rows = await testbed.until_state("booked", "review")
    (asked,) = (row for row in rows if row.state == "review")
    async with testbed.owner() as owner:
        sent = await owner.post(f"/v1/deliveries/{asked.id}/resolve", json={"decision": "resend"})
        assert sent.status_code == 200, sent.text
    await testbed.until_state("booked")
    assert len(vendor.ledger) == 2
    assert len(await lookups_of(testbed, asked.id)) == 1


async def test_the_second_way_waits_while_the_vendor_cannot_be_searched(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await two_ways_to_one_company(testbed, harness)
    vendor.search_fails = 2
    await testbed.deliver(testbed.ready(*harness.document(1)))
    rows = await testbed.until_state("booked", "review")
    assert sorted(row.state for row in rows) == ["booked", "review"]
    assert len(vendor.ledger) == 1


async def test_two_ways_that_are_both_in_doubt_do_not_wait_for_each_other(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await two_ways_to_one_company(testbed, harness)
    event = testbed.ready(*harness.document(1))
    await testbed.deliver(event)
    asked = await the_asked(testbed)
    await resolve(testbed, asked.id, "booked")
    await testbed.deliver(event.model_copy(update={"again": True, "export_id": new_id()}))
    again = await the_asked(testbed)
    assert again.id == asked.id, "the one that was sent is found"
    assert again.problem["code"] == "already_booked_other_connection"
    assert len(vendor.ledger) == 1
    await resolve(testbed, asked.id, "booked")
    await testbed.until_state("booked")


async def test_what_is_in_doubt_waits_for_no_older_one_that_begins_only_now(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    settle_s = 2.0
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url, settle_s=settle_s) as testbed:
        first = await testbed.connect({}, vendor.allow)
        await two_ways_to_one_company(testbed, harness)
        await harness.fail(Fault.ACTS_THEN_RESETS)
        await testbed.deliver(testbed.ready(*harness.document(1)))

        async def is_in_doubt() -> bool:
            return [row.state for row in await testbed.deliveries()] == ["blocked", "unknown"]

        await testbed.until(is_in_doubt, "the first way is blocked, and the second in doubt")
        async with testbed.owner() as owner:
            filled_in = await owner.patch(f"/v1/connections/{first}", json={"settings": {"journal": "700"}})
            assert filled_in.status_code == 200, filled_in.text
        await testbed.change("UPDATE connection SET books_scope = 'one company'")
        (asked,) = (row for row in await testbed.until_state("booked", "review") if row.state == "review")
        assert (asked.connection_id, asked.problem["code"]) == (first, "already_booked_other_connection")
        assert len(vendor.ledger) == 1


async def the_asked(testbed: Testbed) -> Any:
    """Wait until the one way is booked and a person is asked about the other."""
    found: list[Any] = []

    async def holds() -> bool:
        found[:] = sorted(await testbed.deliveries(), key=lambda row: str(row.state))
        return [row.state for row in found] == ["booked", "review"]

    await testbed.until(holds, "one is booked, and of the other a person is asked")
    return found[1]


async def resolve(testbed: Testbed, delivery_id: UUID, decision: str) -> None:
    async with testbed.owner() as owner:
        answer = await owner.post(f"/v1/deliveries/{delivery_id}/resolve", json={"decision": decision})
        assert answer.status_code == 200, answer.text


async def test_what_stands_in_other_books_is_no_trace(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await harness.connect(testbed)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("booked")
    assert [entry["traces"] for entry in vendor.ledger] == [[], []]


async def test_what_was_refused_did_not_go_before(testbed: Testbed, harness: PaperHarness, vendor: PaperVendor) -> None:
    await two_ways_to_one_company(testbed, harness)
    await harness.fail(Fault.FORBIDS)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("blocked", "booked")
    assert [entry["traces"] for entry in vendor.ledger] == [[]]


async def two_ways_to_one_company(testbed: Testbed, harness: PaperHarness) -> None:
    """Connect until there are two connections, and have both lead to the same books."""
    while len(await testbed.rows("SELECT 1 FROM connection")) < 2:
        await harness.connect(testbed)
    await testbed.change("UPDATE connection SET books_scope = 'one company'")


async def lookups_of(testbed: Testbed, delivery_id: UUID) -> list[Any]:
    query = "SELECT started_at FROM attempt WHERE phase = 'lookup' AND delivery_id = :id AND outcome = 'ok' ORDER BY id"
    return await testbed.rows(query, id=delivery_id)


async def test_a_number_taken_is_tried_again_at_once(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    vendor.numbers_taken = 3
    await testbed.deliver(testbed.ready(*harness.document(1)))
    (row,) = await testbed.until_state("booked")
    assert (row.failures, row.attempts, len(vendor.ledger)) == (0, 1, 1)


async def test_a_number_always_taken_is_tried_by_schedule_and_not_for_ever(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    vendor.numbers_taken = 1_000
    await testbed.deliver(testbed.ready(*harness.document(1)))
    (row,) = await testbed.until_state("failed")
    assert row.problem["detail"] == "number taken"
    bookings = [path for method, path in vendor.seen if method == "POST" and path == "/entries"]
    assert len(bookings) == (len(testbed.kit.settings.retry_schedule_s) + 1) * 4
