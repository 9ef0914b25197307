"""What a vendor gave is kept, whatever becomes of the database, of who waits for it and of the process (P4)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from koppel_connector.auth import flights, token_endpoint
from koppel_connector.auth.vault import Vault
from koppel_connector.connection.store import ConnectionRow
from koppel_connector.contract.errors import OutcomeUnknown, RetryLater
from koppel_connector.extension import open_connection
from koppel_connector.testing import Testbed, begin_consent, open_testbed
from koppel_mesh.database import DatabaseAwayError, async_url

from .database_away import database_away
from .paper_connector import SERVICE
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor
from .test_consents import made_connection, state_of
from .test_vault import grow_old

TOKEN = ("POST", "/token")


@pytest.fixture
async def unconnected(vendor: PaperVendor, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as running:
        yield running


@pytest.fixture
async def testbed(unconnected: Testbed, harness: PaperHarness) -> Testbed:
    await harness.connect(unconnected)
    return unconnected


def vault_of(testbed: Testbed) -> Vault:
    assert testbed.kit.vault is not None
    return testbed.kit.vault


async def until_asked(testbed: Testbed, vendor: PaperVendor, times: int) -> None:
    async def asked() -> bool:
        return vendor.seen.count(TOKEN) == times

    await testbed.until(asked, "the vendor is asked for tokens")


async def stored_version(testbed: Testbed) -> int:
    (row,) = await testbed.rows("SELECT version FROM oauth_token")
    return int(row.version)


async def test_a_pair_that_comes_while_the_database_is_away_is_kept(testbed: Testbed, vendor: PaperVendor) -> None:
    connection = await grow_old(testbed)
    vault = vault_of(testbed)
    vendor.token_takes_s = 1.0
    asking = asyncio.create_task(vault.grant_for(connection))
    await until_asked(testbed, vendor, 2)
    async with database_away(testbed.context.settings.database_url):
        await asyncio.sleep(2.5)
        assert not asking.done(), "nobody gets a pair that is not kept"
    assert (await asking).version == await stored_version(testbed) == 2
    vault.forget(connection)
    await vault.grant_for(connection)
    assert vendor.spent_uses == 0


async def test_a_pool_without_a_free_connection_loses_no_pair(
    testbed: Testbed, vendor: PaperVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_endpoint, "LOG_PATIENCE_S", 0.5)
    connection = await grow_old(testbed)
    vendor.token_takes_s = 0.5
    asking = asyncio.create_task(vault_of(testbed).grant_for(connection))
    await until_asked(testbed, vendor, 2)
    async with AsyncExitStack() as held:
        pool_size = testbed.context.settings.database_pool_size
        taken = [await held.enter_async_context(testbed.context.database.reading()) for _ in range(pool_size - 1)]
        assert testbed.context.database.in_use() > len(taken), "the refresh has the last one, for its row's lock"
        assert (await asking).version == 2
    assert await stored_version(testbed) == 2


async def test_who_has_waited_long_enough_tries_later_and_the_pair_is_kept(
    testbed: Testbed, vendor: PaperVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flights, "PATIENCE_S", 0.3)
    connection = await grow_old(testbed)
    vault = vault_of(testbed)
    vendor.token_takes_s = 1.0
    for _ in range(2):
        with pytest.raises(RetryLater):
            await vault.grant_for(connection)
    await asyncio.sleep(0.8)
    assert (await vault.grant_for(connection)).version == 2
    assert vendor.seen.count(TOKEN) == 2


async def test_a_refresh_that_is_under_way_is_waited_for_when_the_process_ends(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    url = make_database(SERVICE)
    async with open_testbed(SERVICE, url, paper_base_url=vendor.url, shutdown_grace_s=2.5) as testbed:
        await harness.connect(testbed)
        await grow_old(testbed)
        vendor.token_takes_s = 2.0
        await testbed.deliver(testbed.ready(*harness.document(1)))
        await until_asked(testbed, vendor, 2)
    engine = create_async_engine(async_url(url))
    async with engine.connect() as connection:
        query = f"SELECT version FROM {testbed.context.database.schema}.oauth_token"
        assert (await connection.execute(text(query))).scalar_one() == 2
    await engine.dispose()


async def consenting(testbed: Testbed, vendor: PaperVendor) -> "asyncio.Task[int]":
    """Have a person give the consent; return the page that they end at, by its status."""
    made = await made_connection(testbed)

    async def browse() -> int:
        async with testbed.owner() as browser:
            query = await vendor.allow(await begin_consent(browser, made["authorize_url"]))
            return (await browser.get("/oauth/callback", params=query)).status_code

    return asyncio.create_task(browse())


async def test_the_first_pair_is_kept_when_the_database_is_away_as_it_comes(
    unconnected: Testbed, vendor: PaperVendor
) -> None:
    vendor.token_takes_s = 1.0
    browsing = await consenting(unconnected, vendor)
    await until_asked(unconnected, vendor, 1)
    async with database_away(unconnected.context.settings.database_url):
        await asyncio.sleep(2.5)
    assert await browsing == 200
    assert await state_of(unconnected) == "connected"
    assert vendor.seen.count(TOKEN) == 1


async def test_a_first_pair_whose_commit_did_arrive_is_not_written_over_what_it_became(
    unconnected: Testbed, vendor: PaperVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, vault = unconnected.context.database, vault_of(unconnected)
    begin, store = database.transaction, vault.store_first
    just_stored = False

    async def store_first(*given: Any) -> int:
        nonlocal just_stored
        just_stored = True
        return await store(*given)

    @asynccontextmanager
    async def transaction() -> AsyncIterator[AsyncConnection]:
        nonlocal just_stored
        async with begin() as tx:
            yield tx
        if just_stored:
            just_stored = False
            await unconnected.change("UPDATE oauth_token SET version = 7")  # as another process does that refreshes it
            raise DatabaseAwayError("the answer to our commit is lost")

    monkeypatch.setattr(vault, "store_first", store_first)
    monkeypatch.setattr(database, "transaction", transaction)
    assert await (await consenting(unconnected, vendor)) == 200
    assert await stored_version(unconnected) == 7


async def test_what_a_login_brought_is_kept_when_it_cannot_be_released(testbed: Testbed) -> None:
    (record,) = await testbed.rows("SELECT id FROM connection")
    async with testbed.context.database.reading() as reading:
        row = await testbed.kit.connections.read(reading, record.id)
    assert row is not None
    async with AsyncExitStack() as away:

        async def log_in(_: ConnectionRow) -> dict[str, str]:
            await away.enter_async_context(database_away(testbed.context.settings.database_url))
            return {"Session": "s1"}

        shared = replace(row, login_key="b012345")
        assert await testbed.kit.logins.open_session(shared, 10.0, log_in) == {"Session": "s1"}


async def test_what_came_of_a_call_is_told_when_its_end_cannot_be_logged(testbed: Testbed) -> None:
    (row,) = await testbed.rows("SELECT id FROM connection")
    with pytest.raises(OutcomeUnknown):
        await _call_and_lose_the_database(testbed, row.id)


async def _call_and_lose_the_database(testbed: Testbed, connection_id: UUID) -> None:
    async with AsyncExitStack() as away, open_connection(testbed.kit, connection_id):
        await away.enter_async_context(database_away(testbed.context.settings.database_url))
        raise OutcomeUnknown("no answer")
