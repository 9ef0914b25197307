"""P1 and P2 under kill -9: a worker ends between any two durable writes, and nothing is lost or doubled."""

# Tests explain themselves by their names and assert without ceremony.
# ruff: noqa: D102

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from koppel_connector.testing.harness import VendorHarness
from koppel_connector.testing.testbed import Testbed, open_testbed
from koppel_connector.testing.worker import WorkerProcess
from koppel_mesh.service import Service

from .base import ENDED, ConformanceBase

KILL_POINTS = (
    "after_claim_commit",
    "after_attempt_commit",
    "after_vendor_answer",
    "before_outcome_commit",
    "after_outcome_commit",
)
WORKER_PATIENCE_S = 60.0
"""A process that starts takes seconds of a busy machine."""
WHOLE_MATRIX = (0, 1, 3)


class Killed(ConformanceBase):
    """A worker that is killed loses and doubles nothing."""

    passes: ClassVar[tuple[int, ...]] = (1,)
    """So many calls or writes of one document a kill lets pass before it strikes. One suffices for a vendor of its own: the
    matrix is the kit's, and its own examples run the whole of it (``WHOLE_MATRIX``)."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "passes" in metafunc.fixturenames:
            metafunc.parametrize("passes", self.passes)

    @pytest.mark.parametrize("point", KILL_POINTS)
    async def test_killed_between_two_durable_writes(
        self,
        service: Service,
        harness: VendorHarness,
        vendor_settings: dict[str, Any],
        make_database: Callable[..., str],
        point: str,
        passes: int,
    ) -> None:
        """``passes``: the fault strikes at a later call or write of the same way."""
        database_url = make_database(service)
        async with open_testbed(service, database_url, start=False, **vendor_settings) as testbed:
            await harness.connect(testbed)
            await self.send(testbed, harness)
            await self._kill_at(testbed, point, passes)
            # What time would do: the dead worker's claim and its call's deadline pass.
            await testbed.change("UPDATE delivery SET lease_until = clock_timestamp() WHERE lease_token IS NOT NULL")
            await testbed.change("UPDATE attempt SET deadline_at = clock_timestamp() WHERE finished_at IS NULL")
            testbed.start()
            await self.until_accounted_for(testbed, harness)

    async def _kill_at(self, testbed: Testbed, point: str, passes: int) -> None:
        """Run a worker that dies at ``point``; only where it lets it pass at first may it come to the end instead."""
        fault = f"{point}:exit:{passes}"
        async with WorkerProcess(self.service_path, testbed.context.settings, fault) as worker:

            async def over() -> bool:
                if worker.returncode is not None or passes == 0:
                    return worker.returncode is not None
                return all(row.state in (*ENDED, self.closed(testbed)) for row in await testbed.deliveries())

            await testbed.until(over, "the worker dies, or comes to the end", WORKER_PATIENCE_S)
            assert worker.returncode in (None, 137)
