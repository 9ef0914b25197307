"""What lets uploads to the Document Import Viewer in: a token of the REST API, else one of a login of its own."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

import pytest

from connector_octopus.service import SERVICE
from koppel_connector.testing import Testbed, open_testbed, sample
from koppel_sandbox.octopus import seed

from .harness import SETTINGS, Sandbox
from .test_login import allow

TO_VIEWER = {**SETTINGS, "destination": {"sale": "import_viewer"}}
LOGIN = "/octopus-file-import-api/v1/authentication"


@pytest.fixture
async def testbed(sandbox: Sandbox, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), **sandbox.service_settings()) as running:
        yield running


def made(sandbox: Sandbox, path: str) -> int:
    """Count the calls of a path."""
    return sum(1 for line in sandbox.state.log if line.path.endswith(path))


def refuse_login(sandbox: Sandbox, status: int, body: str = "") -> None:
    """Take no token of the REST API, and answer the own login so."""
    sandbox.control("switches", import_takes_rest_token=False)
    sandbox.control("faults", kind="status", method="POST", path=f"{LOGIN}$", status=status, body=body, times=-1)


async def export(testbed: Testbed, number: int) -> None:
    await testbed.deliver(testbed.ready(*sample(number)))
    await testbed.until_state("exported")


async def states(testbed: Testbed, connection_ids: list[UUID]) -> set[str]:
    async with testbed.owner() as owner:
        return {(await owner.get(f"/v1/connections/{each}")).json()["state"] for each in connection_ids}


@pytest.mark.parametrize("code", [-2, -6])
@pytest.mark.parametrize("login", ["password", "oauth"])
async def test_a_dossier_token_that_ran_out_is_renewed(
    testbed: Testbed, sandbox: Sandbox, login: str, code: int
) -> None:
    sandbox.control("switches", dead_dossier_token_code=code)
    if login == "oauth":
        without = {name: value for name, value in TO_VIEWER.items() if name not in ("user", "password")}
        await testbed.connect({**without, "login": "oauth"}, allow)
    else:
        await testbed.connect(TO_VIEWER)
    await export(testbed, 1)
    sandbox.control("tokens")
    await export(testbed, 2)
    assert made(sandbox, LOGIN) == 0, "the token of the REST API is taken"
    assert sandbox.requests("POST token") == (1 if login == "oauth" else 0), "and the consent beneath it is well"


async def test_the_own_login_serves_many_documents(testbed: Testbed, sandbox: Sandbox) -> None:
    sandbox.control("switches", import_takes_rest_token=False)
    await testbed.connect(TO_VIEWER)
    for number in (1, 2):
        await export(testbed, number)
    assert (made(sandbox, LOGIN), made(sandbox, f"{LOGIN}/connect")) == (1, 1)
    sandbox.control("tokens", logins=True)
    await export(testbed, 3)
    assert made(sandbox, LOGIN) == 2, "a token that ran out is renewed"


@pytest.mark.parametrize(
    ("status", "body"),
    [(401, '{"octopusErrorCode": -1, "description": "Ongeldige login"}'), (404, "<html>"), (403, "{}"), (400, "{}")],
)
async def test_whatever_the_own_login_refuses_stops_no_connection_and_is_asked_once_for_all(
    testbed: Testbed, sandbox: Sandbox, status: int, body: str
) -> None:
    refuse_login(sandbox, status, body)
    sandbox.control("dossier", dossier=seed.STUDIO, vatNr="BE0000000196")
    connections = [await testbed.connect(TO_VIEWER), await testbed.connect({**TO_VIEWER, "dossier_id": seed.STUDIO})]
    await testbed.deliver(testbed.ready(*sample(1)))
    assert len(await testbed.until_blocked("import_viewer_refused")) == 2
    assert made(sandbox, LOGIN) == 1
    assert await states(testbed, connections) == {"connected"}


async def test_a_new_password_is_tried_at_the_own_login(testbed: Testbed, sandbox: Sandbox) -> None:
    refuse_login(sandbox, 401, '{"octopusErrorCode": -1}')
    connection_id = await testbed.connect(TO_VIEWER)
    await testbed.deliver(testbed.ready(*sample(1)))
    await testbed.until_blocked("import_viewer_refused")
    sandbox.control("faults", clear=LOGIN)
    sandbox.control("user", user=seed.USER, password="another")
    async with testbed.owner() as owner:
        corrected = {"settings": {"password": "another"}}
        assert (await owner.patch(f"/v1/connections/{connection_id}", json=corrected)).status_code == 200
    await testbed.until_state("exported")
