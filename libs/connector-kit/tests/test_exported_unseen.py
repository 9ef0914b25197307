"""Exported is not booked (P3), also where the books cannot be read now, or never again: the clock goes on."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from koppel_connector.connection import monitoring
from koppel_connector.testing import Testbed, open_testbed
from koppel_mesh.telemetry.metrics import exposition

from .paper_connector import SERVICE
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

STOPS = {
    "consent": ("state = 'reauthorise'", "state = 'connected'"),
    "budget": ("not_before = clock_timestamp() + interval '1 hour'", "not_before = clock_timestamp()"),
    "vendor": (
        "away_since = clock_timestamp(), probe_at = clock_timestamp() + interval '1 hour'",
        "away_since = NULL, probe_at = NULL",
    ),
    "key": ("key_id = 'of another time'", "key_id = NULL"),
}
"""What keeps a connection from reading the books: how it begins, and how it ends."""


@pytest.fixture
async def testbed(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    """Give a connection with a document that was exported and is not in the books."""
    vendor.booked_at_once = False
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        await testbed.deliver(testbed.ready(*harness.document(1)))

        async def was_looked_for() -> bool:
            return [row.lookups for row in await testbed.deliveries()] == [1]

        await testbed.until(was_looked_for, "the first look at the books is over")
        yield testbed


async def remove(testbed: Testbed) -> None:
    (row,) = await testbed.deliveries()
    async with testbed.owner() as owner:
        removed = await owner.delete(f"/v1/connections/{row.connection_id}")
        assert removed.is_success, removed.text


async def grow_old(testbed: Testbed) -> None:
    """Let it be as long ago as it may take."""
    await testbed.change(
        "UPDATE delivery SET exported_at = exported_at - interval '4 days', due_at = clock_timestamp()"
    )


async def until_problem(testbed: Testbed) -> Any:
    async def is_told() -> bool:
        return (await testbed.deliveries())[0].problem is not None

    await testbed.until(is_told, "the clock notices")
    (row,) = await testbed.deliveries()
    assert (row.state, row.problem["code"]) == ("exported", "exported_not_booked")
    return row


async def unbooked_s(testbed: Testbed) -> float:
    await monitoring.measure(testbed.context)
    name = 'koppel_delivery_oldest_unbooked_seconds{service="connector-paper"}'
    (line,) = (line for line in exposition()[0].decode().splitlines() if line.startswith(name))
    return float(line.rpartition(" ")[2])


async def test_what_was_exported_through_a_removed_connection_becomes_a_problem_that_a_person_ends(
    testbed: Testbed,
) -> None:
    await remove(testbed)
    await testbed.change("UPDATE delivery SET due_at = clock_timestamp()")

    async def waits_for_its_time() -> bool:
        (row,) = await testbed.deliveries()
        in_s = testbed.kit.settings.unbooked_after_s
        return row.problem is None and row.due_at == row.exported_at + timedelta(seconds=in_s)

    await testbed.until(waits_for_its_time, "it is left alone until it should be booked")
    await grow_old(testbed)
    row = await until_problem(testbed)
    assert row.due_at is None, "nobody can look any more"
    assert await unbooked_s(testbed) == 0, "no alarm rings for ever"
    async with testbed.owner() as owner:
        answer = await owner.post(
            f"/v1/deliveries/{row.id}/resolve", json={"decision": "booked", "entry_number": "26700001"}
        )
        assert answer.status_code == 200, answer.text
    (row,) = await testbed.until_state("booked")
    assert (row.problem, row.entry_number) == (None, "26700001")


async def test_what_may_stay_exported_ends_with_its_connection(testbed: Testbed) -> None:
    await testbed.change("UPDATE delivery SET may_stay_exported = true")
    await remove(testbed)
    await grow_old(testbed)

    async def is_left() -> bool:
        return (await testbed.deliveries())[0].due_at is None

    await testbed.until(is_left, "nobody looks any more")
    (row,) = await testbed.deliveries()
    assert (row.state, row.problem) == ("exported", None)
    assert await unbooked_s(testbed) == 0


@pytest.mark.parametrize("waits_for", STOPS)
async def test_the_clock_goes_on_while_the_books_cannot_be_read(
    testbed: Testbed, vendor: PaperVendor, waits_for: str
) -> None:
    begins, ends = STOPS[waits_for]
    await testbed.stop()
    await testbed.change(f"UPDATE connection SET {begins}")
    testbed.start()
    await grow_old(testbed)
    row = await until_problem(testbed)
    assert row.due_at is not None
    for entry in vendor.ledger:
        entry["booked"] = True
    await testbed.change(f"UPDATE connection SET {ends}")
    (row,) = await testbed.until_state("booked")
    assert row.problem is None
