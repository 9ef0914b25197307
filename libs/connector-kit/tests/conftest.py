from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from koppel_connector.testing import Testbed, open_testbed

# The paper vendor's modules have names of their own; tests import them from here.
from .paper_connector import SERVICE
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor


@pytest.fixture
async def vendor() -> AsyncIterator[PaperVendor]:
    async with PaperVendor() as running:
        yield running


@pytest.fixture
def harness(vendor: PaperVendor) -> PaperHarness:
    return PaperHarness(vendor)


@pytest.fixture
async def testbed(vendor: PaperVendor, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    async with open_testbed(SERVICE, make_database(SERVICE), paper_base_url=vendor.url) as running:
        yield running


@pytest.fixture
async def client(testbed: Testbed) -> AsyncIterator[httpx2.AsyncClient]:
    async with testbed.owner() as opened:
        yield opened
