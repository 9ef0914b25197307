"""A firm leaves while it is not known what became of a delivery, and its connection or the vendor is silent.

Without their guard these would be cut off: the connection and its grant went, and what is in the books was never known.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from koppel_connector.connection.events import LoginRefused
from koppel_connector.contract.problems import Problem
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


def operator(testbed: Testbed) -> httpx2.AsyncClient:
    return testbed.caller(testbed.internal_services.token(None, "admin", "connections:read", "connections:write"))


async def leave(testbed: Testbed) -> Any:
    async with operator(testbed) as caller:
        path = f"/v1/firms/{testbed.firm_id}/data"
        answer = await caller.request("DELETE", path, params={"confirm": str(testbed.firm_id)})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def resolve(testbed: Testbed, **decision: str) -> None:
    (row,) = await testbed.deliveries()
    async with operator(testbed) as caller:
        answer = await caller.post(f"/v1/deliveries/{row.id}/resolve", json=decision)
    assert answer.status_code == 200, answer.text


async def is_held(testbed: Testbed) -> None:
    """Nothing was deleted, the connection and its grant are there, and the answer says what a person does."""
    done = await leave(testbed)
    assert (done["complete"], done["deleted"], done["under_way"]) == (False, {}, {"delivery": 1})
    assert "/connector-paper/v1/deliveries/{id}/resolve" in done["to_do"]["delivery"]
    (connection,) = await testbed.rows("SELECT * FROM connection")
    assert connection.state != "disconnected" and connection.settings != {}
    assert len(await testbed.rows("SELECT * FROM oauth_token")) == 1


async def has_gone(testbed: Testbed) -> Any:
    """All is deleted but what a duty keeps; return the delivery, which is that."""

    async def is_complete() -> bool:
        done = await leave(testbed)
        assert (done["under_way"], done["to_do"]) == ({}, {})
        return bool(done["complete"])

    # A look at the books that ends now still notes its calls; the next turn deletes them.
    await testbed.until(is_complete, "all is deleted")
    assert [row.state for row in await testbed.rows("SELECT state FROM connection")] == ["disconnected"]
    (row,) = await testbed.deliveries()
    return row


async def blocked_and_unknown(testbed: Testbed, harness: PaperHarness) -> None:
    """The vendor booked it and no answer came; then the vendor refused the login."""
    await harness.fail(Fault.ACTS_THEN_RESETS)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("unknown", "sending")
    await testbed.stop()
    await testbed.change("UPDATE delivery SET due_at = clock_timestamp() + interval '1 hour' WHERE state = 'unknown'")
    (connection,) = await testbed.rows("SELECT id FROM connection")
    async with testbed.context.database.transaction() as tx:
        await testbed.kit.connections.apply(tx, connection.id, LoginRefused(Problem("reauthorise")))
    testbed.start(["reconciler"])
    (row,) = await testbed.until_blocked("reauthorise")
    assert row.unknown_since is not None


async def test_what_is_blocked_and_unknown_is_looked_up_when_its_connection_is_mended(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await blocked_and_unknown(testbed, harness)
    await is_held(testbed)
    await harness.repair()
    (connection,) = await testbed.rows("SELECT id FROM connection")
    await testbed.stop()
    testbed.start()
    await testbed.consent(connection.id, vendor.allow)
    await testbed.until_state("booked")
    row = await has_gone(testbed)
    assert row.state == "booked" and row.entry_number and len(vendor.ledger) == 1


@pytest.mark.parametrize(("decision", "state"), [("booked", "booked"), ("abandon", "failed")])
async def test_a_person_settles_what_is_blocked_and_unknown(
    testbed: Testbed, harness: PaperHarness, decision: str, state: str
) -> None:
    await blocked_and_unknown(testbed, harness)
    await is_held(testbed)
    await resolve(testbed, decision=decision, **({"entry_number": "42"} if decision == "booked" else {}))
    row = await has_gone(testbed)
    assert (row.state, row.entry_number) == (state, "42" if decision == "booked" else None)


async def exported(testbed: Testbed, harness: PaperHarness, vendor: PaperVendor) -> None:
    """The vendor has it and has not booked it yet."""
    vendor.booked_at_once = False
    await testbed.deliver(testbed.ready(*harness.document(1)))
    (row,) = await testbed.until_state("exported")
    assert row.due_at is not None


async def test_the_entry_number_of_what_was_exported_is_waited_for(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await exported(testbed, harness, vendor)
    await is_held(testbed)
    for entry in vendor.ledger:
        entry["booked"] = True
    await testbed.change("UPDATE delivery SET due_at = clock_timestamp()")
    await testbed.until_state("booked")
    assert (await has_gone(testbed)).entry_number


@pytest.mark.parametrize(("decision", "state"), [("booked", "booked"), ("abandon", "exported")])
async def test_a_person_settles_what_stays_exported(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor, decision: str, state: str
) -> None:
    await exported(testbed, harness, vendor)
    await is_held(testbed)
    await resolve(testbed, decision=decision, **({"entry_number": "42"} if decision == "booked" else {}))
    row = await has_gone(testbed)
    assert (row.state, row.due_at) == (state, None)
    assert (row.entry_number, row.problem) == ("42" if decision == "booked" else None, None)


async def test_what_may_stay_exported_holds_nothing_up(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """Of what went to a mailbox the books are read for a quarter; whether somebody books it is up to them."""
    await exported(testbed, harness, vendor)
    await testbed.change("UPDATE delivery SET may_stay_exported = true")
    assert (await has_gone(testbed)).state == "exported"
