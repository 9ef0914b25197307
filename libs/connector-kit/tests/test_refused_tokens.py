"""A 401 is not believed at once, and a grant is given up only when a refresh does not help (exact §1.5)."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from koppel_connector.auth import vault as vault_module
from koppel_connector.auth.vault import Vault
from koppel_connector.contract import RateLimited
from koppel_connector.testing import Testbed, open_testbed

from .paper_connector import SERVICE
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor


@pytest.fixture
async def testbed(
    vendor: PaperVendor,
    harness: PaperHarness,
    make_database: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Testbed]:
    monkeypatch.setattr(vault_module, "DOUBT_S", 0.1)
    async with open_testbed(SERVICE, make_database(SERVICE), start=False, paper_base_url=vendor.url) as running:
        await harness.connect(running)
        running.start()
        yield running


@pytest.fixture
def minimum(testbed: Testbed) -> None:
    """The vendor takes no refresh for 570 s."""
    vault = vault_of(testbed)
    object.__setattr__(vault, "_profile", replace(vault._profile, refresh_not_before_s=570))


def vault_of(testbed: Testbed) -> Vault:
    assert testbed.kit.vault is not None
    return testbed.kit.vault


async def id_of(testbed: Testbed) -> Any:
    return (await testbed.rows("SELECT id FROM connection"))[0].id


async def state_of(testbed: Testbed) -> str:
    return str((await testbed.rows("SELECT state FROM connection"))[0].state)


async def age(testbed: Testbed, seconds: int) -> None:
    """Let the pair be older, as if this process had begun just now."""
    await testbed.change(
        f"UPDATE oauth_token SET obtained_at = obtained_at - interval '{seconds} seconds',"
        f" access_expires_at = access_expires_at - interval '{seconds} seconds'"
    )
    vault_of(testbed).forget(await id_of(testbed))


async def end_pauses(testbed: Testbed) -> None:
    await testbed.change("UPDATE connection SET not_before = clock_timestamp()")
    await testbed.change("UPDATE delivery SET due_at = clock_timestamp() WHERE due_at > clock_timestamp()")


async def send(testbed: Testbed, harness: PaperHarness, number: int) -> None:
    await testbed.deliver(testbed.ready(*harness.document(number)))


async def until_paused(testbed: Testbed) -> None:
    async def paused() -> bool:
        return bool(
            await testbed.rows("SELECT 1 FROM connection WHERE not_before > clock_timestamp() + interval '5 min'")
        )

    await testbed.until(paused, "a refresh is waited for")


def refreshes(vendor: PaperVendor) -> int:
    return [path for _, path in vendor.seen].count("/token") - 1


@pytest.mark.usefixtures("minimum")
async def test_the_first_call_after_a_refresh_may_be_refused(
    testbed: Testbed, vendor: PaperVendor, harness: PaperHarness
) -> None:
    """An idle connection refreshes for each document; the backend that gets the call may not know the token yet."""
    for number in range(2):
        await age(testbed, 3_600)
        vendor.refuses = 1
        await send(testbed, harness, number)
        await testbed.until_state("booked")
    assert (len(vendor.ledger), refreshes(vendor)) == (2, 2)


@pytest.mark.usefixtures("minimum")
async def test_the_first_call_after_a_consent_or_a_restart_may_be_refused(
    testbed: Testbed, vendor: PaperVendor, harness: PaperHarness
) -> None:
    vault_of(testbed).forget(await id_of(testbed))
    vendor.refuses = 1
    await send(testbed, harness, 0)
    await testbed.until_state("booked")
    assert refreshes(vendor) == 0


@pytest.mark.usefixtures("minimum")
async def test_spurious_refusals_of_one_token_cost_a_call_each(
    testbed: Testbed, vendor: PaperVendor, harness: PaperHarness
) -> None:
    for number in range(3):
        await send(testbed, harness, number)
        await testbed.until_state("booked")
        vendor.refuses = 1
    assert (len(vendor.ledger), refreshes(vendor)) == (3, 0)


@pytest.mark.usefixtures("minimum")
async def test_a_dead_token_is_refreshed_when_the_vendor_takes_it(
    testbed: Testbed, vendor: PaperVendor, harness: PaperHarness
) -> None:
    vendor.authentication.clear()
    await send(testbed, harness, 0)
    await until_paused(testbed)
    await age(testbed, 600)
    vendor.refuses = 1
    await end_pauses(testbed)
    await testbed.until_state("booked")
    assert (await state_of(testbed), refreshes(vendor)) == ("connected", 1)
    # It worked, so the next that dies is again the first.
    vendor.authentication.clear()
    await send(testbed, harness, 1)
    await until_paused(testbed)
    assert await state_of(testbed) == "connected"


@pytest.mark.usefixtures("minimum")
async def test_two_dead_tokens_need_a_new_consent(testbed: Testbed, vendor: PaperVendor, harness: PaperHarness) -> None:
    vendor.refuses = 100
    await send(testbed, harness, 0)
    await until_paused(testbed)
    await age(testbed, 600)
    await end_pauses(testbed)
    (row,) = await testbed.until_state("blocked")
    assert (row.problem["code"], await state_of(testbed)) == ("reauthorise", "reauthorise")
    assert (100 - vendor.refuses, refreshes(vendor)) == (4, 1)
    vendor.refuses = 0
    await testbed.consent(await id_of(testbed), vendor.allow)
    await testbed.until_state("booked")


@pytest.mark.usefixtures("minimum")
async def test_no_process_uses_a_token_that_another_found_dead(testbed: Testbed, vendor: PaperVendor) -> None:
    vault = vault_of(testbed)
    grant = await vault.grant_for(await id_of(testbed))
    with pytest.raises(RateLimited):
        await vault.after_refusal(grant, is_repeated=True)
    calls = len(vendor.seen)
    other = Vault(testbed.kit.database, testbed.kit.keys, vault._profile, vault._post, "other")
    for each in (vault, other):
        with pytest.raises(RateLimited):
            await each.grant_for(grant.connection_id)
    with pytest.raises(RateLimited):
        await other.after_refusal(grant, is_repeated=True)
    assert len(vendor.seen) == calls
    assert await state_of(testbed) == "connected"


async def test_a_vendor_without_a_minimum_is_asked_for_another_token_at_once(
    testbed: Testbed, vendor: PaperVendor, harness: PaperHarness
) -> None:
    vendor.refuses = 2  # the other one is not known everywhere yet
    await send(testbed, harness, 0)
    await testbed.until_state("booked")
    assert refreshes(vendor) == 1
    vendor.refuses = 100
    await send(testbed, harness, 1)
    await testbed.until_state("booked", "blocked")
    assert (await state_of(testbed), refreshes(vendor)) == ("reauthorise", 2)
    assert 100 - vendor.refuses == 3
