"""One owner spends a token pair (P4): races in one process and in several, answers that get lost, refusals."""

import asyncio
import math
import re
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from koppel_connector import ActionRequired
from koppel_connector.auth import token_endpoint
from koppel_connector.connection.maintenance import keep_alive, rotate_keys
from koppel_connector.connection.monitoring import measure
from koppel_connector.contract import RateLimited, ReauthorisationRequired
from koppel_connector.contract.errors import RetryLater
from koppel_connector.testing import Testbed, open_testbed
from koppel_mesh import database
from koppel_mesh.clock import utc_now
from koppel_mesh.keyring import KeyRing
from koppel_mesh.messages import ConnectionState
from koppel_mesh.telemetry.metrics import exposition

from .paper_connector import SERVICE
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor


@pytest.fixture
async def testbed(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as running:
        await harness.connect(running)
        yield running


async def grow_old(testbed: Testbed) -> Any:
    """Let the access token be past its time."""
    await testbed.change(
        "UPDATE oauth_token SET obtained_at = obtained_at - interval '1 hour',"
        " access_expires_at = access_expires_at - interval '1 hour'"
    )
    connection = (await testbed.rows("SELECT id FROM connection"))[0].id
    assert testbed.kit.vault is not None
    testbed.kit.vault.forget(connection)
    return connection


WORKER = """
import asyncio, sys
from koppel_connector.testing.worker import load_service
from koppel_connector.kit import Kit
from koppel_mesh.database import Database
from koppel_mesh.http.client import HttpClient
from koppel_mesh.http.internal_client import InternalClient
from uuid import UUID

async def main():
    service = load_service(sys.argv[1])
    settings = service.settings()
    database = Database(settings.database_url, service.name)
    async with HttpClient() as http:
        connector = load_service(sys.argv[1].replace("SERVICE", "PaperConnector"))()
        kit = Kit(connector, settings, database, http, InternalClient(settings, http), lambda name: None)
        print("up", flush=True)
        sys.stdin.readline()
        grants = await asyncio.gather(*(kit.vault.grant_for(UUID(sys.argv[2])) for _ in range(10)))
        print(sorted({grant.version for grant in grants}), flush=True)
    await database.close()

asyncio.run(main())
"""


async def test_twenty_tasks_in_two_processes_refresh_once(testbed: Testbed, vendor: PaperVendor) -> None:
    import os

    from koppel_connector.testing.worker import environment_of

    connection = await grow_old(testbed)
    path = f"{__file__.replace('test_vault', 'paper_connector')}:SERVICE"
    workers = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            textwrap.dedent(WORKER),
            path,
            str(connection),
            env={**os.environ, **environment_of(testbed.context.settings)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert await worker.stdout.readline() == b"up\n"
    outputs = await asyncio.gather(*(worker.communicate(b"go\n") for worker in workers))
    assert [out.strip() for out, _ in outputs] == [b"[2]", b"[2]"]
    assert vendor.spent_uses == 0
    assert [path for _, path in vendor.seen].count("/token") == 2


async def test_a_lost_answer_is_asked_for_once_more(
    testbed: Testbed, vendor: PaperVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_endpoint, "TOKEN_DEADLINE_S", 1.0)
    connection = await grow_old(testbed)
    vendor.token_faults.append("hang")
    assert testbed.kit.vault is not None
    grant = await testbed.kit.vault.grant_for(connection)
    assert grant.version == 2


async def test_a_rotation_whose_answer_was_lost_needs_a_new_consent(testbed: Testbed, vendor: PaperVendor) -> None:
    connection = await grow_old(testbed)
    vendor.token_faults.append("acts_then_resets")
    assert testbed.kit.vault is not None
    with pytest.raises(ReauthorisationRequired):
        await testbed.kit.vault.grant_for(connection)


async def test_a_fault_of_the_vendor_never_deletes_a_grant(testbed: Testbed, vendor: PaperVendor) -> None:
    connection = await grow_old(testbed)
    vendor.token_faults.extend(["error", "error"])
    assert testbed.kit.vault is not None
    for _ in range(2):
        with pytest.raises(RetryLater):
            await testbed.kit.vault.grant_for(connection)
    assert (await testbed.kit.vault.grant_for(connection)).version == 2


async def test_a_refusal_that_repeats_our_token_is_kept_without_it(testbed: Testbed, vendor: PaperVendor) -> None:
    connection = await grow_old(testbed)
    vendor.token_faults.append("echoes")
    assert testbed.kit.vault is not None
    with pytest.raises(ActionRequired) as caught:
        await testbed.kit.vault.grant_for(connection)
    (refused,) = await testbed.rows("SELECT message FROM attempt WHERE outcome = 'refused'")
    assert str(caught.value) == f"misconfigured: {refused.message}"
    assert refused.message == "invalid_client: who sends •••?"


async def test_a_revoked_grant_gets_one_more_chance_and_then_a_person(testbed: Testbed, vendor: PaperVendor) -> None:
    connection = await grow_old(testbed)
    vendor.token_faults.extend(["revoked", "revoked"])
    vault = testbed.kit.vault
    assert vault is not None
    object.__setattr__(vault, "_profile", _with_minimum(vault._profile, 570))
    with pytest.raises(RateLimited) as caught:
        await vault.grant_for(connection)
    assert caught.value.until is not None
    assert caught.value.until - utc_now() < timedelta(seconds=30), "a person hears of it in a minute, not in ten"
    with pytest.raises(ReauthorisationRequired):
        await vault.grant_for(connection)


async def test_a_lost_grant_blocks_deliveries_and_a_new_consent_frees_them(
    testbed: Testbed, vendor: PaperVendor, harness: PaperHarness
) -> None:
    await grow_old(testbed)
    vendor.token_faults.append("acts_then_resets")
    testbed.start()
    await testbed.deliver(*(testbed.ready(*harness.document(number)) for number in range(3)))
    rows = await testbed.until_state("blocked")
    assert {row.problem["code"] for row in rows} == {"reauthorise"}
    assert (await testbed.rows("SELECT state FROM connection"))[0].state == ConnectionState.REAUTHORISE
    await testbed.consent((await testbed.rows("SELECT id FROM connection"))[0].id, vendor.allow)
    await testbed.until_state("booked")


async def test_who_waits_in_vain_for_another_process_tries_later(
    vendor: PaperVendor,
    harness: PaperHarness,
    make_database: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(database.SESSION, "lock_timeout", "1s")
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        connection = await grow_old(testbed)
        assert testbed.kit.vault is not None
        async with testbed.context.database.transaction() as other:  # a process whose token call hangs
            await other.execute(text("SELECT 1 FROM oauth_token FOR UPDATE"))
            with pytest.raises(RetryLater):
                await testbed.kit.vault.grant_for(connection)
        assert (await testbed.kit.vault.grant_for(connection)).version == 2


async def test_a_new_pair_is_committed_before_it_is_used(testbed: Testbed, vendor: PaperVendor) -> None:
    """The commit fails after the vendor rotated: nobody gets the pair until a later commit has kept it."""
    connection = await grow_old(testbed)
    vault = testbed.kit.vault
    assert vault is not None
    blocker = (await testbed.rows("SELECT 1"))[0]
    assert blocker
    await testbed.change("CREATE SEQUENCE stumbles")
    await testbed.change(
        "CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF nextval('stumbles') < 3 THEN RAISE EXCEPTION 'disk full'; END IF; RETURN NEW; END $$"
    )
    await testbed.change(
        "CREATE CONSTRAINT TRIGGER stumble AFTER UPDATE ON oauth_token DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION stumble()"
    )
    grant = await vault.grant_for(connection)
    stored = (await testbed.rows("SELECT version, ciphertext FROM oauth_token"))[0]
    assert stored.version == grant.version == 2
    assert testbed.kit.keys.open(connection, bytes(stored.ciphertext))["refresh_token"] == grant.refresh_token
    assert vendor.spent_uses == 0


async def test_a_token_that_ends_before_the_minimum_is_refreshed_when_it_ends(
    testbed: Testbed, vendor: PaperVendor
) -> None:
    """The vendor takes no refresh for 570 s, *or* once the access token has run out: a short one must not strand us."""
    vendor.access_valid_s, vendor.refresh_not_before_s = 2, 570
    connection = await grow_old(testbed)
    vault = testbed.kit.vault
    assert vault is not None
    object.__setattr__(vault, "_profile", _with_minimum(vault._profile, 570))
    vendor.refresh = dict.fromkeys(vendor.refresh, 0.0)
    assert (await vault.grant_for(connection)).version == 2
    await asyncio.sleep(2.1)
    assert (await vault.grant_for(connection)).version == 3
    assert vendor.spent_uses == 0


def _with_minimum(profile: Any, seconds: int) -> Any:
    from dataclasses import replace

    return replace(profile, refresh_not_before_s=seconds)


async def test_an_idle_grant_is_kept_alive(testbed: Testbed, vendor: PaperVendor) -> None:
    await keep_alive(testbed.context)
    assert (await testbed.rows("SELECT version FROM oauth_token"))[0].version == 1
    await testbed.change("UPDATE oauth_token SET next_refresh_at = clock_timestamp()")
    await keep_alive(testbed.context)
    row = (await testbed.rows("SELECT version, next_refresh_at > clock_timestamp() AS later FROM oauth_token"))[0]
    assert (row.version, row.later) == (2, True)


async def test_a_grant_that_lapses_is_an_alarm_while_its_connection_works(testbed: Testbed) -> None:
    await testbed.change("UPDATE oauth_token SET refresh_expires_at = clock_timestamp() - interval '1 hour'")

    async def horizon_s() -> float:
        await measure(testbed.context)
        (shown,) = re.findall(
            r'^koppel_token_expiry_seconds{service="connector-paper"} (.+)$', rendered(), re.MULTILINE
        )
        return float(shown)

    assert await horizon_s() < 0
    await testbed.change("UPDATE connection SET state = 'reauthorise'")
    assert math.isnan(await horizon_s()), "a person has been asked already"


def rendered() -> str:
    return exposition()[0].decode()


async def test_a_new_key_takes_over(testbed: Testbed) -> None:
    from cryptography.fernet import Fernet

    connection = (await testbed.rows("SELECT id FROM connection"))[0].id
    old = testbed.context.settings.secret_keys[0].get_secret_value()
    new = Fernet.generate_key().decode()
    testbed.kit.keys = KeyRing([new, old])
    await rotate_keys(testbed.context)
    row = (await testbed.rows("SELECT ciphertext, key_id FROM oauth_token"))[0]
    assert row.key_id == testbed.kit.keys.key_id
    assert KeyRing([new]).open(connection, bytes(row.ciphertext))["refresh_token"]
