"""An import that needs more calls than a short window has waits for the next one, and leaves a part of each to documents."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from koppel_connector import MasterData, Vendor
from koppel_connector.contract import Window
from koppel_connector.service import connector_service
from koppel_connector.testing import Testbed, open_testbed

from .paper_connector import ME, PaperConnector, PaperServiceSettings
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor

PERIOD_S = 2
CAPACITY = 20
PAGES = 36
PER_WINDOW = f"""
    SELECT count(*) AS number FROM attempt WHERE operation = 'me' AND started_at > :since
    GROUP BY floor(extract(epoch FROM started_at) / {PERIOD_S})
"""


class ManyPages(PaperConnector):
    """Reads more pages than its short window has calls."""

    profile = replace(PaperConnector.profile, windows=(Window("short", CAPACITY, PERIOD_S),))

    def __init__(self) -> None:
        self.pages = 0
        self.begun = asyncio.Event()

    async def import_master_data(self, vendor: Vendor) -> MasterData:
        for _ in range(self.pages):
            await vendor.call(ME)
            self.begun.set()
        return await super().import_master_data(vendor)


class ManyPagesByTheMinute(ManyPages):
    """Has to wait for up to a minute."""

    profile = replace(PaperConnector.profile, windows=(Window("minute", CAPACITY, 60),))


@asynccontextmanager
async def importing(
    connector: ManyPages, vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> AsyncIterator[Testbed]:
    """Connect, and begin the import of many pages."""
    service = connector_service(connector, settings=PaperServiceSettings)
    async with open_testbed(service, make_database(service), paper_base_url=vendor.url) as testbed:
        await harness.connect(testbed)
        connector.pages = PAGES
        await testbed.change("UPDATE connection SET import_due_at = clock_timestamp()")
        testbed.kit.wake("imports")
        await connector.begun.wait()
        yield testbed


async def is_imported(testbed: Testbed) -> bool:
    return bool(await testbed.rows("SELECT 1 FROM connection WHERE import_due_at IS NULL"))


async def test_it_goes_on_where_it_was_and_documents_pass_it(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    connector = ManyPages()
    async with importing(connector, vendor, harness, make_database) as testbed:
        (begun,) = await testbed.rows("SELECT max(started_at) - interval '1 minute' AS at FROM attempt")
        before = [path for _, path in vendor.seen].count("/me")
        await testbed.deliver(testbed.ready(*harness.document(1)))
        await testbed.until_state("booked")
        assert not await is_imported(testbed), "the document was booked while the import waited"
        await testbed.until(lambda: is_imported(testbed), "the import comes to its end")
        assert [path for _, path in vendor.seen].count("/me") - before < PAGES, "no page was read twice"
        counts = await testbed.rows(PER_WINDOW, since=begun.at)
        assert max(each.number for each in counts) <= CAPACITY * 3 / 4


async def test_a_process_that_ends_does_not_wait_for_it(
    vendor: PaperVendor, harness: PaperHarness, make_database: Callable[..., str]
) -> None:
    connector = ManyPagesByTheMinute()
    async with importing(connector, vendor, harness, make_database) as testbed:

        async def waits() -> bool:
            return [path for _, path in vendor.seen].count("/me") > CAPACITY / 2

        await testbed.until(waits, "the window is nearly used up")
        await asyncio.sleep(0.5)
        assert not await is_imported(testbed)
        ends = time.monotonic()
    assert time.monotonic() - ends < 5
