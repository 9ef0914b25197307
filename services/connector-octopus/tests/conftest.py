"""The sandbox, running, fresh for each test, and an open connection to it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from .harness import Sandbox, Vendor, running_sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
async def vendor(sandbox: Sandbox) -> AsyncIterator[Vendor]:
    opened = await sandbox.vendor()
    await opened.import_all()
    yield opened
    await opened.close()
