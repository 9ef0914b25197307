from collections.abc import AsyncIterator

import pytest

# The paper vendor's modules have names of their own; tests import them from here.
from .paper_harness import PaperHarness
from .paper_vendor import PaperVendor


@pytest.fixture
async def vendor() -> AsyncIterator[PaperVendor]:
    async with PaperVendor() as running:
        yield running


@pytest.fixture
def harness(vendor: PaperVendor) -> PaperHarness:
    return PaperHarness(vendor)
