"""The sandbox, running, fresh for each test, and a desk in it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from .desk import Desk
from .harness import Sandbox, running_sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
async def desk(sandbox: Sandbox) -> AsyncIterator[Desk]:
    opened = await sandbox.desk()
    await opened.import_all()
    yield opened
    await opened.close()
