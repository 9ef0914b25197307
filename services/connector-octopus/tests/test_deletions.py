"""A booking that somebody deletes after it was booked is noticed, and a person decides; through the running service."""

from collections.abc import AsyncIterator, Callable

import pytest

from connector_octopus.service import SERVICE
from koppel_connector.testing import Testbed, open_testbed, sample

from .harness import SETTINGS, Sandbox


@pytest.fixture
async def testbed(sandbox: Sandbox, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), **sandbox.service_settings()) as running:
        await running.connect(SETTINGS)
        yield running


async def test_a_booking_deleted_after_it_was_booked_is_a_persons_to_judge(testbed: Testbed, sandbox: Sandbox) -> None:
    await testbed.deliver(*(testbed.ready(*sample(number)) for number in range(3)))
    rows = await testbed.until_state("booked")
    sandbox.remove("3/V1/3")
    testbed.start(["books-watch"])

    async def noticed() -> bool:
        states = [row.state for row in await testbed.deliveries()]
        return sorted(states) == ["booked", "booked", "review"]

    await testbed.until(noticed, "the deletion is noticed")
    (gone,) = [row for row in await testbed.deliveries() if row.state == "review"]
    assert (gone.remote_id, gone.problem["code"]) == ("3/V1/3", "vanished_at_vendor")
    assert len(sandbox.bookings()) == len(rows) - 1, "nothing is booked again by itself"


async def test_a_number_that_is_deleted_and_given_out_again_takes_no_other_document_along(
    testbed: Testbed, sandbox: Sandbox
) -> None:
    await testbed.deliver(testbed.ready(*sample(1)))
    await testbed.until_state("booked")
    sandbox.remove("3/V1/1")
    await testbed.change("DELETE FROM memory WHERE key LIKE 'next_number%'")
    await testbed.deliver(testbed.ready(*sample(2)))

    async def both_are_there() -> bool:
        return [row.state for row in await testbed.deliveries()] == ["booked", "booked"]

    await testbed.until(both_are_there, "the second has the number of the first")
    sandbox.books.deleted_bookings["3/V1/1"] = {
        **{name: sandbox.bookings()[0][name] for name in ("bookyearKey", "journalKey", "documentSequenceNr")},
        "@modified": sandbox.state.clock.epoch(),
    }
    testbed.start(["books-watch"])

    async def judged() -> bool:
        return [row.state for row in await testbed.deliveries()] == ["review", "booked"]

    await testbed.until(judged, "only the first is gone")
