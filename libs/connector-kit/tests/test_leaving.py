"""A firm leaves: nothing more goes to the vendor, what was booked stays to be shown, nothing under way is cut short."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from koppel_connector.testing import Fault, Testbed, open_testbed
from koppel_mesh.firm_data.export import holdings_of, lines_of
from koppel_mesh.firm_data.leaving import ask_for_deletion, delete_firm

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


async def leave(testbed: Testbed) -> Any:
    await ask_for_deletion(testbed.context, testbed.firm_id, "operator")
    return await delete_firm(testbed.context, testbed.firm_id)


async def test_what_is_unknown_is_settled_before_its_connection_ends(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    """The answer was lost and the books cannot be searched now: with the grant gone nobody would ever know."""
    await harness.fail(Fault.ACTS_THEN_RESETS)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("unknown", "sending")
    await testbed.stop()
    await testbed.change("UPDATE delivery SET due_at = clock_timestamp() + interval '1 hour' WHERE state = 'unknown'")
    await testbed.deliver(testbed.ready(*harness.document(2)))
    done = await leave(testbed)
    assert (done.is_complete, done.deleted, done.under_way) == (False, {}, {"delivery": 1})
    states = [(row.state, (row.problem or {}).get("code")) for row in await testbed.deliveries()]
    assert states[1] == ("failed", "connection_removed"), "what has not left does not leave any more"
    (connection,) = await testbed.rows("SELECT * FROM connection")
    assert connection.state == "connected" and connection.settings != {}
    await harness.repair()
    await testbed.change("UPDATE delivery SET due_at = clock_timestamp() WHERE state = 'unknown'")
    testbed.start()
    await testbed.until_state("booked", "failed")
    assert (await leave(testbed)).is_complete
    assert len(vendor.ledger) == 1
    (booked,) = [row for row in await testbed.deliveries() if row.state == "booked"]
    assert booked.entry_number and booked.progress == {} and booked.problem is None


async def test_nothing_is_sent_after_a_firm_has_left(
    testbed: Testbed, harness: PaperHarness, vendor: PaperVendor
) -> None:
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("booked")
    assert (await leave(testbed)).is_complete
    await testbed.deliver(testbed.ready(*harness.document(2)))
    assert len(await testbed.deliveries()) == 1, "a fact that comes late makes no delivery"
    (connection,) = await testbed.rows("SELECT * FROM connection")
    assert (connection.state, connection.settings, connection.secrets) == ("disconnected", {}, None)
    for table in ("oauth_token", "master", "memory", "login", "notice"):
        assert await testbed.rows(f"SELECT * FROM {table}") == [], table
    attempts = await testbed.rows("SELECT * FROM attempt")
    assert attempts and all(row.acts and row.request is None and row.response is None for row in attempts)
    async with testbed.owner() as owner:
        shown = await owner.get(f"/v1/connections/{connection.id}")
        (delivery,) = (await owner.get("/v1/deliveries")).json()["items"]
    assert shown.status_code == 200 and delivery["state"] == "booked" and delivery["entry_number"]
    assert len(vendor.ledger) == 1


async def test_a_new_delivery_is_made_for_firms_that_stay(testbed: Testbed, harness: PaperHarness) -> None:
    """The guard of the test before: without a wish to leave, the same fact makes one."""
    await testbed.deliver(testbed.ready(*harness.document(2)))
    await testbed.until_state("booked")


async def test_an_export_shows_the_settings_and_no_secret(testbed: Testbed, harness: PaperHarness) -> None:
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("booked")
    found = [line async for line in lines_of(testbed.context.database, holdings_of(SERVICE), testbed.firm_id)]
    rows = [json.loads(line) for part in found for line in part.splitlines()]
    tables = {row["table"] for row in rows[:-1]}
    assert tables >= {"connection", "delivery", "attempt", "dossier", "master"}
    (connection,) = [row["row"] for row in rows[:-1] if row["table"] == "connection"]
    assert connection["settings"] and not {"secrets", "key_id"} & set(connection)
