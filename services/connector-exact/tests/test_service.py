"""The service at the sandbox, over HTTP and with the kit's tokens and budgets in between."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from connector_exact.service import SERVICE
from koppel_connector.testing import Testbed, open_testbed
from koppel_sandbox import faults
from koppel_sandbox.exact import seed

from .harness import DIVISION, ExactHarness, Sandbox


@pytest.fixture
async def testbed(sandbox: Sandbox, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    settings: dict[str, Any] = sandbox.service_settings()
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, **settings) as running:
        await ExactHarness(sandbox).connect(running)
        yield running


@pytest.fixture
async def client(testbed: Testbed) -> AsyncIterator[httpx2.AsyncClient]:
    async with testbed.owner() as opened:
        yield opened


async def one_connection(client: httpx2.AsyncClient) -> str:
    found: dict[str, Any] = (await client.get("/v1/connections")).json()
    return str(found["items"][0]["id"])


async def test_an_office_with_many_companies_is_listed_out_of_their_own_minutes(
    client: httpx2.AsyncClient, testbed: Testbed, sandbox: Sandbox
) -> None:
    user = next(iter(sandbox.state.users.values()))
    for code in range(4000001, 4000031):
        sandbox.state.divisions[code] = seed.division(code, f"Cliënt {code}", "BE0793904121")
        user.divisions.add(code)
        user.granted.add(code)
    connection_id = await one_connection(client)
    answer = await client.get(f"/v1/connections/{connection_id}/remote-dossiers")
    assert answer.status_code == 200, answer.text
    listed = {item["id"]: item for item in answer.json()["items"]}
    assert set(listed) == set(map(str, user.granted))
    assert listed[str(DIVISION)]["reachable"] is True
    assert listed[str(seed.NO_RIGHTS)]["missing_right"]
    window = (await testbed.rows("SELECT used, ends_at FROM rate_window WHERE name = 'minute'"))[0]
    began = window.ends_at.timestamp() - 61
    ours = [call for call in sandbox.state.log if call.division == DIVISION and call.at >= began]
    assert window.used == len(ours), "what other companies count is no count of ours"


async def test_a_company_whose_minute_is_used_up_is_listed_and_the_others_are_asked(
    client: httpx2.AsyncClient, testbed: Testbed, sandbox: Sandbox
) -> None:
    sandbox.state.faults.append(faults.Fault("throttle", path=f"{seed.STUDIO}/users/UserHasRights", times=99))
    connection_id = await one_connection(client)
    answer = await client.get(f"/v1/connections/{connection_id}/remote-dossiers")
    assert answer.status_code == 200, answer.text
    listed = {item["id"]: item for item in answer.json()["items"]}
    assert listed[str(seed.STUDIO)]["reachable"] is True
    assert listed[str(seed.NO_RIGHTS)]["missing_right"]
    held = await testbed.rows("SELECT 1 FROM rate_window WHERE used >= capacity")
    assert not held, "another company's refusal is not ours"


async def test_a_stream_costs_one_search_of_the_books(testbed: Testbed, sandbox: Sandbox) -> None:
    harness = ExactHarness(sandbox)
    await testbed.deliver(testbed.ready(*harness.document(0)))
    testbed.start()
    await testbed.until_state("booked")
    earlier = len(sandbox.state.log)
    await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(1, 7)))
    await testbed.until_state("booked")
    calls = [call for call in sandbox.state.log[earlier:] if call.division == DIVISION]
    entries = [call.method for call in calls if call.resource == "salesentry/SalesEntries"]
    assert entries.count("POST") == 6
    searches = await testbed.rows(
        "SELECT 1 FROM attempt WHERE phase = 'send' AND operation = 'salesentry/SalesEntries' AND NOT acts"
    )
    assert len(searches) == 2, "one for the first document, one for the six that were due together"
    assert [call.resource for call in calls].count("users/UserHasRights") == 0, "the right to read is known since today"
