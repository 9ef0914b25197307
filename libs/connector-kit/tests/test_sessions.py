"""Vendors without OAuth: a password opens a session, which lets calls in until it ends or is refused."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

import pytest

from koppel_connector import Problem
from koppel_connector.connection.events import LoginRefused
from koppel_connector.testing import Testbed, open_testbed

from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor
from .pin_connector import SERVICE

SETTINGS = {"journal": "700", "pin": "4071"}


@pytest.fixture
async def testbed(vendor: PaperVendor, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as running:
        yield running


def logins(vendor: PaperVendor) -> int:
    return vendor.seen.count(("POST", "/login"))


async def change(testbed: Testbed, connection_id: UUID, **settings: str) -> None:
    async with testbed.owner() as owner:
        changed = await owner.patch(f"/v1/connections/{connection_id}", json={"settings": settings})
        assert changed.status_code == 200, changed.text


async def test_one_login_serves_many_calls(testbed: Testbed, vendor: PaperVendor, harness: PaperHarness) -> None:
    await testbed.connect(SETTINGS)
    await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(3)))
    await testbed.until_state("booked")
    assert logins(vendor) == 1
    assert len(vendor.ledger) == 3


async def test_a_session_that_ended_early_is_opened_again(
    testbed: Testbed, vendor: PaperVendor, harness: PaperHarness
) -> None:
    await testbed.connect(SETTINGS)
    vendor.authentication.clear()
    await testbed.deliver(testbed.ready(*harness.document(1)))
    (row,) = await testbed.until_state("booked")
    assert row.failures == 0
    assert logins(vendor) == 2
    assert len(vendor.ledger) == 1


async def test_new_settings_end_the_session_of_the_old_ones(
    testbed: Testbed, vendor: PaperVendor, harness: PaperHarness
) -> None:
    """A session may be one of the company that was chosen before."""
    connection_id = await testbed.connect(SETTINGS)
    await change(testbed, connection_id, journal="701")
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("booked")
    assert logins(vendor) == 2


async def test_a_wrong_pin_is_tried_once_and_a_right_one_lets_go_on(
    testbed: Testbed, vendor: PaperVendor, harness: PaperHarness
) -> None:
    connection_id = await testbed.connect(SETTINGS)
    vendor.pin = "1704"
    vendor.authentication.clear()
    await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(3)))
    rows = await testbed.until_state("blocked")
    assert {row.problem["code"] for row in rows} == {"reauthorise"}
    assert logins(vendor) == 2, "the vendor would lock the user out"
    await change(testbed, connection_id, pin="1704")
    await testbed.until_state("booked")
    assert (await testbed.rows("SELECT state FROM connection"))[0].state == "connected"


async def test_a_success_that_began_before_the_refusal_lets_nothing_go_on(
    testbed: Testbed, vendor: PaperVendor, harness: PaperHarness
) -> None:
    connection_id = await testbed.connect(SETTINGS)
    await testbed.change("UPDATE connection SET state = 'degraded'")
    vendor.books_in_s = 0.5
    await testbed.deliver(testbed.ready(*harness.document(1)))

    async def under_way() -> bool:
        return ("POST", "/entries") in vendor.seen

    await testbed.until(under_way, "the document is being booked")
    async with testbed.context.database.transaction() as tx:  # as an import in another process does
        await testbed.kit.connections.apply(tx, connection_id, LoginRefused(Problem("reauthorise")))
    await testbed.until_state("exported")
    assert [row.state for row in await testbed.rows("SELECT state FROM connection")] == ["reauthorise"]
    await change(testbed, connection_id, pin="4071")
    await testbed.until_state("booked")


async def test_a_removed_connection_has_no_session(testbed: Testbed) -> None:
    connection_id = await testbed.connect(SETTINGS)
    sessions = testbed.kit.sessions
    assert sessions is not None and connection_id in sessions._open
    async with testbed.owner() as owner:
        assert (await owner.delete(f"/v1/connections/{connection_id}")).status_code == 204
    assert connection_id not in sessions._open


async def test_the_sync_log_tells_of_a_login_without_its_secrets(testbed: Testbed, vendor: PaperVendor) -> None:
    await testbed.connect(SETTINGS)
    (login,) = await testbed.rows("SELECT request, response, outcome FROM attempt WHERE operation = 'login'")
    assert (login.request, login.response, login.outcome) == ("POST /login", None, "ok")
