"""An import that fails again and again is tried ever more rarely, and a person sees it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from koppel_connector import MasterData, Vendor
from koppel_connector.contract.errors import RateLimited, RetryLater
from koppel_connector.service import connector_service
from koppel_connector.testing import Testbed, open_testbed
from koppel_mesh.clock import utc_now
from koppel_mesh.http.internal_client import InternalCallError

from .paper_connector import PaperConnector, PaperServiceSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

FAILURE = "SELECT state, problem, import_failures, import_due_at - clock_timestamp() AS pause FROM connection"


class Stumbling(PaperConnector):
    """Its import fails as the test wants."""

    error: Exception | None = None
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def import_master_data(self, vendor: Vendor) -> MasterData:
        data = await super().import_master_data(vendor)
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.error is not None:
            raise self.error
        return data


@pytest.fixture
def connector() -> Stumbling:
    return Stumbling()


@pytest.fixture
async def testbed(
    connector: Stumbling, vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    service = connector_service(connector, settings=PaperServiceSettings)
    async with open_testbed(service, make_database(service), paper_base_url=vendor.url) as running:
        await harness.connect(running)
        yield running


async def fail(testbed: Testbed, connector: Stumbling, error: Exception) -> Any:
    """Have the import run and fail once more; return how the connection is then."""
    connector.error = error
    await testbed.change("UPDATE connection SET import_due_at = clock_timestamp()")
    testbed.kit.wake("imports")

    async def later() -> Any:
        rows = await testbed.rows(f"{FAILURE} WHERE import_due_at > clock_timestamp()")
        return rows[0] if rows else None

    await testbed.until(later, "the import failed")
    return await later()


async def succeed(testbed: Testbed, connector: Stumbling) -> Any:
    connector.error = None
    await testbed.change("UPDATE connection SET import_due_at = clock_timestamp()")
    testbed.kit.wake("imports")

    async def imported() -> bool:
        return bool(await testbed.rows("SELECT 1 FROM connection WHERE import_due_at IS NULL"))

    await testbed.until(imported, "the import succeeded")
    return (await testbed.rows(FAILURE))[0]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("a row without ID"), "internal"),
        (RetryLater(), "vendor_unavailable"),
        (InternalCallError(422, "invalid_body"), "internal"),
    ],
)
async def test_what_fails_again_and_again_slows_down_and_is_told(
    testbed: Testbed, connector: Stumbling, error: Exception, code: str
) -> None:
    first = await fail(testbed, connector, error)
    assert (first.state, first.problem, first.import_failures) == ("connected", None, 1)
    second = await fail(testbed, connector, error)
    assert (second.state, second.problem["code"]) == ("degraded", code)
    assert set(second.problem["message"]) == {"nl", "fr", "en"}
    third = await fail(testbed, connector, error)
    assert [round(each.pause / timedelta(seconds=15)) for each in (first, second, third)] == [1, 2, 4]
    await testbed.change("UPDATE connection SET import_failures = 1000")
    assert timedelta(minutes=59) < (await fail(testbed, connector, error)).pause <= timedelta(hours=1)
    ended = await succeed(testbed, connector)
    assert (ended.state, ended.problem, ended.import_failures) == ("connected", None, 0)


async def test_what_is_wanted_while_an_import_fails_is_not_put_off(testbed: Testbed, connector: Stumbling) -> None:
    async def a_person_mends_it() -> None:
        connector.meanwhile = None
        async with testbed.owner() as owner:
            (row,) = await testbed.rows("SELECT id FROM connection")
            assert (await owner.post(f"/v1/connections/{row.id}/import")).status_code == 202
        connector.error = ValueError()

    await testbed.change("UPDATE connection SET import_failures = 1000")
    connector.meanwhile = a_person_mends_it
    await testbed.change("UPDATE connection SET import_due_at = clock_timestamp()")

    async def failed_twice() -> bool:
        return bool(await testbed.rows("SELECT 1 FROM connection WHERE import_failures = 2"))

    await testbed.until(failed_twice, "the wanted one ran at once, and failed as well")
    assert (await testbed.rows(FAILURE))[0].pause < timedelta(minutes=1), "what failed before the mend does not count"


async def test_documents_go_on_and_what_is_told_stays(
    testbed: Testbed, connector: Stumbling, harness: PaperHarness
) -> None:
    for _ in range(2):
        await fail(testbed, connector, ValueError())
    await testbed.deliver(testbed.ready(*harness.document(1)))
    await testbed.until_state("booked")
    assert (await testbed.rows(FAILURE))[0].problem["code"] == "internal"


@pytest.mark.parametrize(
    ("error", "minutes"),
    [
        (lambda: RateLimited(utc_now() + timedelta(minutes=9)), 9),
        (RateLimited, 0),
        (lambda: InternalCallError(None, "no_answer"), 0),
    ],
)
async def test_what_time_alone_ends_is_waited_for_and_is_no_failure(
    testbed: Testbed, connector: Stumbling, error: Callable[[], Exception], minutes: int
) -> None:
    for _ in range(3):
        row = await fail(testbed, connector, error())
        assert (row.state, row.problem, row.import_failures) == ("connected", None, 0)
        assert timedelta(minutes=minutes - 1) < row.pause < timedelta(minutes=minutes + 1)
