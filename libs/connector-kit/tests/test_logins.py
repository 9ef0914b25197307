"""One login for many connections, a session of a dossier on top, and the consent as another way in."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from koppel_connector import Problem
from koppel_connector.connection.store import ConnectionRow
from koppel_connector.contract import ReauthorisationRequired, RetryLater
from koppel_connector.testing import Testbed, open_testbed
from koppel_mesh.messages import ConnectionChanged
from koppel_mesh.runtime import open_context, open_resources

from .office_connector import SERVICE
from .office_vendor import LOGIN_SERVER, OfficeVendor
from .paper_harness import PaperHarness
from .pin_connector import SERVICE as PIN_SERVICE

SETTINGS = {"journal": "700", "user": "B012345", "pin": "4071"}


@pytest.fixture
async def vendor() -> AsyncIterator[OfficeVendor]:
    async with OfficeVendor() as running:
        yield running


@pytest.fixture
async def testbed(vendor: OfficeVendor, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    login_base_url = f"{vendor.url}{LOGIN_SERVER}"
    async with open_testbed(
        SERVICE, make_database(SERVICE), paper_base_url=vendor.url, login_base_url=login_base_url
    ) as running:
        yield running


@asynccontextmanager
async def another_process(testbed: Testbed) -> AsyncIterator[Testbed]:
    """Run a second worker on the same database, with a memory of its own."""
    async with open_context(SERVICE, testbed.context.settings) as context, open_resources(context):
        worker = Testbed(context, None)
        worker.start()
        try:
            yield worker
        finally:
            await worker.stop()


async def connect(testbed: Testbed, *dossiers: str, **settings: str) -> list[UUID]:
    return [await testbed.connect({**SETTINGS, **settings, "dossier": dossier}) for dossier in dossiers]


async def patch(testbed: Testbed, connection_id: UUID, **settings: str) -> Any:
    async with testbed.owner() as owner:
        changed = await owner.patch(f"/v1/connections/{connection_id}", json={"settings": settings})
        assert changed.status_code == 200, changed.text
        return changed.json()


async def states(testbed: Testbed) -> list[tuple[str, str | None]]:
    rows = await testbed.rows("SELECT state, problem FROM connection ORDER BY id")
    return [(row.state, row.problem and row.problem["code"]) for row in rows]


async def test_five_connections_share_one_session_of_their_login(
    testbed: Testbed, vendor: OfficeVendor, harness: PaperHarness
) -> None:
    await connect(testbed, "1", "2", "3", "4", "5")
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("booked")
    assert vendor.seen.count(("POST", "/login")) == 1
    assert len(vendor.dossier_sessions) == 5
    assert {carried[1:] for carried in vendor.carried} == {(True, True)}
    changed = [event for event in await testbed.published() if isinstance(event, ConnectionChanged)]
    assert {event.connected_via_user for event in changed} == {"B012345"}, "whose login it is"


async def test_only_the_login_lets_in_while_no_dossier_is_chosen(testbed: Testbed, vendor: OfficeVendor) -> None:
    async with testbed.owner() as owner:
        body = {"dossier_id": str(testbed.dossier_id), "settings": SETTINGS}
        made = (await owner.post("/v1/connections", json=body)).json()
        assert (await owner.get(f"/v1/connections/{made['id']}/remote-dossiers")).status_code == 200
        assert vendor.carried == [("/me", True, False)]
        await patch(testbed, UUID(made["id"]), dossier="1")
        assert (await owner.get(f"/v1/connections/{made['id']}/remote-dossiers")).status_code == 200
    assert ("/me", True, True) in vendor.carried


async def test_a_wrong_password_is_tried_once_and_corrected_once(
    testbed: Testbed, vendor: OfficeVendor, harness: PaperHarness
) -> None:
    """Five connections in two processes: the vendor would lock the user out after three wrong passwords."""
    connections = await connect(testbed, "1", "2", "3", "4", "5")
    async with another_process(testbed):
        vendor.pin = "1704"
        vendor.authentication.clear()
        vendor.dossier_sessions.clear()
        await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(3)))
        rows = await testbed.until_state("blocked")
        assert vendor.refused_logins == 1
        assert await states(testbed) == [("reauthorise", "wrong_password")] * 5
        assert {row.problem["code"] for row in rows} == {"wrong_password"}
        assert {row.problem["message"]["en"] for row in rows} == {
            "Paper does not accept the password of B012345. Enter it again."
        }
        async with testbed.owner() as owner:
            for connection_id in connections:
                check = (await owner.post(f"/v1/connections/{connection_id}/check")).json()
                assert [step["problem"]["code"] for step in check["steps"]] == ["wrong_password"]
        await patch(testbed, connections[1], journal="701")
        assert await states(testbed) == [("reauthorise", "wrong_password")] * 5, "no new secret, no new try"
        await patch(testbed, connections[3], pin="1704")
        await testbed.until_state("booked")
    assert vendor.refused_logins == 1
    assert await states(testbed) == [("connected", None)] * 5


async def test_a_new_connection_takes_the_login_as_it_is(testbed: Testbed, vendor: OfficeVendor) -> None:
    await connect(testbed, "1")
    await testbed.connect({"journal": "700", "user": "B012345", "dossier": "2"})
    assert vendor.seen.count(("POST", "/login")) == 1
    vendor.pin = "1704"
    vendor.authentication.clear()
    await connect(testbed, "3", pin="1704")
    assert vendor.refused_logins == 0, "what was typed last is the login's"
    rows = await testbed.rows("SELECT id, secrets FROM connection")
    assert {testbed.kit.keys.open(row.id, bytes(row.secrets))["pin"] for row in rows} == {"1704"}


async def test_the_login_of_another_firm_is_another_login(testbed: Testbed, vendor: OfficeVendor) -> None:
    (connection_id,) = await connect(testbed, "1")
    row = await read(testbed, connection_id)
    async with testbed.context.database.transaction() as tx:
        found = await testbed.kit.logins.lock_connections(tx, UUID(int=1), ["B012345"])
        assert found == []
        assert [each.id for each in await testbed.kit.logins.lock_connections(tx, row.firm_id, ["B012345"])] == [row.id]


async def test_a_refusal_of_the_old_password_says_nothing_of_the_new_one(
    testbed: Testbed, vendor: OfficeVendor
) -> None:
    (connection_id,) = await connect(testbed, "1")

    async def refused_while_it_is_changed(row: ConnectionRow) -> dict[str, str]:
        await patch(testbed, row.id, pin="4072")
        raise ReauthorisationRequired(Problem("wrong_password", user="B012345"))

    with pytest.raises(RetryLater):
        await testbed.kit.logins.open_session(await read(testbed, connection_id), 5.0, refused_while_it_is_changed)
    assert await states(testbed) == [("connected", None)]


async def test_a_process_that_died_while_it_logged_in_holds_nobody_for_long(testbed: Testbed) -> None:
    (connection_id,) = await connect(testbed, "1")
    await testbed.change(
        "UPDATE login SET opening_token = gen_random_uuid(), opening_until = clock_timestamp() + interval '1 second'"
    )

    async def log_in(row: ConnectionRow) -> dict[str, str]:
        return {"Token": "x"}

    assert await testbed.kit.logins.open_session(await read(testbed, connection_id), 5.0, log_in) == {"Token": "x"}


@pytest.mark.parametrize(("ends", "logins", "dossiers"), [("dossier", 1, 2), ("login", 2, 2), ("both", 2, 2)])
async def test_what_the_connector_takes_for_the_end_of_a_session_is_renewed(
    testbed: Testbed, vendor: OfficeVendor, harness: PaperHarness, ends: str, logins: int, dossiers: int
) -> None:
    """This vendor says so with 400 and a text."""
    await connect(testbed, "1")
    if ends in ("login", "both"):
        vendor.authentication.clear()
    if ends in ("dossier", "both"):
        vendor.dossier_sessions.clear()
    await testbed.deliver(testbed.ready(*harness.document(1)))
    (row,) = await testbed.until_state("booked")
    assert (row.failures, len(vendor.ledger)) == (0, 1)
    assert vendor.seen.count(("POST", "/login")) == logins
    assert dossiers <= len({*vendor.opened}) <= dossiers + 1
    assert await states(testbed) == [("connected", None)]


async def test_a_consent_of_a_public_client_on_another_server(
    testbed: Testbed, vendor: OfficeVendor, harness: PaperHarness
) -> None:
    """No secret of ours, the code bound by PKCE, the access token alone in a header of its own, a dossier on top."""

    async def browser(address: str) -> dict[str, str]:
        assert urlsplit(address).path == f"{LOGIN_SERVER}/authorize"
        assert "code_verifier" not in parse_qs(urlsplit(address).query)
        return await vendor.allow(address)

    await testbed.connect({"journal": "700", "dossier": "1"}, browser)
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("booked")
    (form,) = vendor.token_forms
    assert set(form) == {"grant_type", "code", "redirect_uri", "client_id", "code_verifier"}
    logged = "".join(str(each) for each in await testbed.rows("SELECT request, response, message FROM attempt"))
    for secret in (form["code_verifier"], *vendor.authentication, *vendor.dossier_sessions):
        assert secret not in logged


async def test_there_is_no_callback_where_nothing_is_consented(
    vendor: OfficeVendor, make_database: Callable[..., str]
) -> None:
    async with (
        open_testbed(PIN_SERVICE, make_database(PIN_SERVICE), start=False, paper_base_url=vendor.url) as testbed,
        testbed.owner() as owner,
    ):
        assert (await owner.get("/oauth/callback", params={"code": "x", "state": "y"})).status_code == 404


async def read(testbed: Testbed, connection_id: UUID) -> ConnectionRow:
    async with testbed.context.database.reading() as reading:
        row = await testbed.kit.connections.read(reading, connection_id)
    assert row is not None
    return row
