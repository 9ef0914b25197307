"""The sandbox, running, fresh for each test."""

from collections.abc import Iterator

import pytest

from .harness import Sandbox, running_sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running
