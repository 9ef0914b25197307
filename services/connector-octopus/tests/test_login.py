"""Being let in, through the running service: one login of an office, tokens of ten minutes, a consent instead of a password."""

from collections.abc import AsyncIterator, Callable, Mapping
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
import pytest

from connector_octopus.service import SERVICE
from koppel_connector.testing import Testbed, open_testbed, sample
from koppel_sandbox.octopus import seed

from .harness import SETTINGS, Sandbox


@pytest.fixture
async def testbed(sandbox: Sandbox, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), **sandbox.service_settings()) as running:
        yield running


async def allow(address: str) -> Mapping[str, str]:
    """Log in at Octopus and consent; return the query with which it sends the browser back."""
    async with httpx2.AsyncClient(timeout=10, trust_env=False, follow_redirects=False) as browser:
        page = await browser.get(f"{address}&user={seed.USER}")
    assert page.status_code == 302, page.text
    return {name: values[0] for name, values in parse_qs(urlsplit(page.headers["location"]).query).items()}


async def book(testbed: Testbed, number: int = 1) -> None:
    await testbed.deliver(testbed.ready(*sample(number)))
    await testbed.until_state("booked", "review")


async def test_a_wrong_password_stops_every_connection_of_the_office_after_one_try(
    testbed: Testbed, sandbox: Sandbox
) -> None:
    sandbox.control("dossier", dossier=seed.STUDIO, vatNr="BE0000000196")
    connections = [await testbed.connect(SETTINGS), await testbed.connect({**SETTINGS, "dossier_id": seed.STUDIO})]
    sandbox.control("user", user=seed.USER, password="another")
    sandbox.control("tokens", logins=True)
    await testbed.deliver(testbed.ready(*sample(1)))
    rows = await testbed.until_blocked("wrong_password")
    assert len(rows) == 2
    assert sandbox.state.tables["users"][seed.USER]["wrong_passwords"] == 1
    async with testbed.owner() as owner:
        for each in connections:
            shown = (await owner.get(f"/v1/connections/{each}")).json()
            assert (shown["state"], shown["health"]["problem"]["code"]) == ("reauthorise", "wrong_password")
        corrected = {"settings": {"password": "another"}}
        assert (await owner.patch(f"/v1/connections/{connections[1]}", json=corrected)).status_code == 200

    await testbed.until_state("booked")
    assert sandbox.state.tables["users"][seed.USER]["wrong_passwords"] == 0, "the new password is that of all"


@pytest.mark.parametrize("code", [-2, -6])
async def test_tokens_that_are_over_are_renewed_once_and_nobody_is_told(
    testbed: Testbed, sandbox: Sandbox, code: int
) -> None:
    await testbed.connect(SETTINGS)
    sandbox.control("switches", dead_dossier_token_code=code)
    sandbox.control("clock", advance_s=601)
    logins = sandbox.requests("POST authentication")
    await book(testbed)
    assert sandbox.requests("POST authentication") == logins + 1
    (row,) = await testbed.deliveries()
    assert (row.state, row.failures) == ("booked", 0)


async def test_dossiers_of_one_login_are_open_side_by_side(testbed: Testbed, sandbox: Sandbox) -> None:
    for dossier in (seed.BAKERY, seed.STUDIO):
        sandbox.control("dossier", dossier=dossier, vatNr="BE0000000196")
        await testbed.connect({**SETTINGS, "dossier_id": dossier})
    await book(testbed)
    assert sandbox.requests("POST authentication") == 1
    assert len(sandbox.state.books(seed.BAKERY).bookings) == len(sandbox.state.books(seed.STUDIO).bookings) == 1


async def test_an_unknown_software_house_is_the_operators_and_no_password_is_spent(
    testbed: Testbed, sandbox: Sandbox
) -> None:
    await testbed.connect(SETTINGS)
    sandbox.control("software_house", uuid=seed.SOFTWARE_HOUSE, enabled=False)
    sandbox.control("tokens", logins=True)
    await testbed.deliver(testbed.ready(*sample(1)))
    (row,) = await testbed.until_blocked("software_house_unknown")
    assert row.problem["who_can_fix"] == "operator"
    assert sandbox.state.tables["users"][seed.USER]["wrong_passwords"] == 0


async def test_a_consent_lets_in_without_a_password(testbed: Testbed, sandbox: Sandbox) -> None:
    without = {name: value for name, value in SETTINGS.items() if name not in ("user", "password")}
    connection_id = await testbed.connect({**without, "login": "oauth"}, allow)
    await book(testbed)
    assert sandbox.requests("POST authentication") == 0
    async with testbed.owner() as owner:
        shown = (await owner.get(f"/v1/connections/{connection_id}")).json()
    assert shown["connected_via_user"] == seed.USER
    await _let_the_access_token_end(testbed, sandbox, connection_id)
    await book(testbed, 2)
    assert sandbox.requests("POST token") == 2


async def test_a_consent_that_opens_dossiers_and_lets_no_call_in_ends(testbed: Testbed, sandbox: Sandbox) -> None:
    """Each new token opens the dossier, which proves it, and is refused by the call itself: not without end."""
    without = {name: value for name, value in SETTINGS.items() if name not in ("user", "password")}
    await testbed.connect({**without, "login": "oauth"}, allow)
    sandbox.control("faults", kind="status", status=401, path=r"/dossiers/\d+/", times=-1)
    await testbed.deliver(testbed.ready(*sample(1)))
    await testbed.until_blocked("reauthorise")
    assert sandbox.requests("POST token") <= 4


async def _let_the_access_token_end(testbed: Testbed, sandbox: Sandbox, connection_id: UUID) -> None:
    sandbox.control("clock", advance_s=601)
    await testbed.change("UPDATE oauth_token SET access_expires_at = clock_timestamp() - interval '1 second'")
    assert testbed.kit.vault is not None
    testbed.kit.vault.forget(connection_id)
