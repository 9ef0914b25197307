"""A secret key that is missing is no bug: what needs it waits, names it, and goes on once it is back."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from cryptography.fernet import Fernet

from koppel_connector.connection.maintenance import rotate_keys
from koppel_connector.testing import Fault, Testbed, open_testbed
from koppel_mesh.keyring import key_id_of

from .paper_connector import SERVICE
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

Start = Callable[..., AbstractAsyncContextManager[Testbed]]
LOST, OTHER = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def start(vendor: PaperVendor, make_database: Callable[..., str]) -> Start:
    """Return what starts the connector on one database, with these keys."""
    database_url = make_database(SERVICE)

    def started(keys: str) -> AbstractAsyncContextManager[Testbed]:
        return open_testbed(SERVICE, database_url, paper_base_url=vendor.url, secret_keys=keys)

    return started


def same_firm(testbed: Testbed, before: Testbed) -> None:
    testbed.firm_id, testbed.dossier_id = before.firm_id, before.dossier_id


def insist_on_naming(problem: Any) -> None:
    assert (problem["code"], problem["who_can_fix"]) == ("secret_key_missing", "operator")
    for language in ("nl", "fr", "en"):
        assert key_id_of(LOST) in problem["message"][language]
        assert key_id_of(OTHER) in problem["message"][language]


@pytest.mark.parametrize("settings", [{"journal": "700"}, {"journal": "700", "pin": "1234"}], ids=["grant", "secret"])
async def test_a_delivery_waits_for_the_key_and_goes_on(
    start: Start, harness: PaperHarness, vendor: PaperVendor, settings: dict[str, str]
) -> None:
    async with start(LOST) as first:
        await first.connect(settings, vendor.allow)
    async with start(OTHER) as without:
        same_firm(without, first)
        await without.deliver(without.ready(*harness.document(1)))
        (row,) = await without.until_state("blocked")
        insist_on_naming(row.problem)
        assert (row.failures, row.attempts) == (0, 0)
        assert not await rotate_keys(without.context)
    async with start(LOST) as again:
        same_firm(again, first)
        again.ready(*harness.document(1))
        (row,) = await again.until_state("booked")
        assert (row.failures, len(vendor.ledger)) == (0, 1)


async def test_a_lookup_waits_for_the_key_and_books_nothing_twice(
    start: Start, harness: PaperHarness, vendor: PaperVendor
) -> None:
    async with start(LOST) as first:
        await first.connect({"journal": "700"}, vendor.allow)
        await harness.fail(Fault.ACTS_THEN_RESETS)
        await first.deliver(first.ready(*harness.document(1)))
        await first.until_state("unknown")
    await harness.repair()
    async with start(OTHER) as without:
        (row,) = await without.until_state("blocked")
        insist_on_naming(row.problem)
    async with start(LOST) as again:
        same_firm(again, first)
        again.ready(*harness.document(1))
        await again.until_state("booked")
    assert len(vendor.ledger) == 1


async def test_settings_can_be_read_and_not_changed_without_the_key(start: Start, vendor: PaperVendor) -> None:
    async with start(LOST) as first:
        connection_id = await first.connect({"journal": "700", "pin": "1234"}, vendor.allow)
        sealed = (await first.rows("SELECT secrets FROM connection"))[0].secrets
    async with start(OTHER) as without:
        same_firm(without, first)
        async with without.owner() as owner:
            path = f"/v1/connections/{connection_id}"
            health = (await owner.get(path)).json()["health"]
            insist_on_naming(health["problem"])
            assert health["can_send"] is False
            assert (await owner.get("/v1/connections")).status_code == 200
            refused = await owner.patch(path, json={"settings": {"journal": "701"}})
            assert refused.status_code == 409
            assert refused.json()["code"] == "secret_key_missing"
        assert (await without.rows("SELECT secrets FROM connection"))[0].secrets == sealed
