"""Two connections to one company: what one of them booked is not booked by the other unasked (P1)."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from connector_exact.service import SERVICE
from koppel_connector.testing import Testbed, open_testbed
from koppel_sandbox.faults import Fault

from .harness import ExactHarness, Sandbox


@pytest.fixture
def harness(sandbox: Sandbox) -> ExactHarness:
    return ExactHarness(sandbox)


@pytest.fixture
async def testbed(sandbox: Sandbox, harness: ExactHarness, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    settings: dict[str, Any] = sandbox.service_settings()
    async with open_testbed(SERVICE, make_database(SERVICE), **settings) as running:
        await harness.connect(running)
        await harness.connect(running)
        yield running


async def one_booked_and_one_asked(testbed: Testbed) -> Any:
    rows = await testbed.until_state("booked", "review")
    assert sorted(row.state for row in rows) == ["booked", "review"]
    return next(row for row in rows if row.state == "review")


async def test_what_another_connection_booked_is_not_booked_again_unasked(
    testbed: Testbed, harness: ExactHarness, sandbox: Sandbox
) -> None:
    await testbed.deliver(testbed.ready(*harness.document(1)))
    asked = await one_booked_and_one_asked(testbed)
    assert asked.problem["code"] == "already_booked_other_connection"
    assert asked.problem["detail"] in {str(entry["EntryNumber"]) for entry in sandbox.entries()}
    assert (len(sandbox.entries()), len(sandbox.documents())) == (1, 1)
    # The accountant looked, and says that it is another one.
    async with testbed.owner() as owner:
        sent = await owner.post(f"/v1/deliveries/{asked.id}/resolve", json={"decision": "resend"})
        assert sent.status_code == 200, sent.text
    await testbed.until_state("booked")
    assert len(sandbox.entries()) == 2


async def test_a_search_that_fails_is_made_again_before_a_document_goes_a_second_way(
    testbed: Testbed, harness: ExactHarness, sandbox: Sandbox
) -> None:
    # The first two searches for entries are the read-back of the first and the look before the second.
    sandbox.state.faults.append(Fault("html_503", method="GET", path="salesentry/SalesEntries", times=2))
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await one_booked_and_one_asked(testbed)
    assert len(sandbox.entries()) == 1


async def test_without_the_right_to_search_a_document_does_not_go_a_second_way(
    testbed: Testbed, harness: ExactHarness, sandbox: Sandbox
) -> None:
    sandbox.deny("salesentry/SalesEntries", "GET")
    await testbed.deliver(testbed.ready(*harness.document(1)))
    rows = await testbed.until_state("exported", "blocked")
    assert sorted(row.state for row in rows) == ["blocked", "exported"]
    assert len(sandbox.entries()) == 1
    sandbox.allow_everything()
    await testbed.change("UPDATE connection SET unblocked_at = clock_timestamp()")
    await testbed.change("UPDATE delivery SET due_at = clock_timestamp() WHERE state = 'exported'")
    await one_booked_and_one_asked(testbed)
    assert len(sandbox.entries()) == 1
