from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from koppel_connector.conformance import Workshop, workshop

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
async def shop(vendor: PaperVendor, make_database: Callable[[], str]) -> AsyncIterator[Workshop]:
    async with workshop(SERVICE, make_database(), paper_base_url=vendor.url) as running:
        yield running


@pytest.fixture
async def client(shop: Workshop) -> AsyncIterator[httpx2.AsyncClient]:
    async with shop.owner() as opened:
        yield opened
