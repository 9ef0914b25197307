"""What every scenario stands on: the fixtures a connector supplies, how a delivery ends, and what must hold after each."""

# Tests explain themselves by their names and assert without ceremony.
# ruff: noqa: ARG002, D102

from collections.abc import AsyncIterator, Callable
from typing import Any, ClassVar

import pytest

from koppel_connector.contract.target import OnAmbiguous, Target
from koppel_connector.testing.harness import VendorHarness
from koppel_connector.testing.testbed import Testbed, open_testbed
from koppel_mesh.messages import DocumentKind, DocumentReady
from koppel_mesh.service import Service

ENDED = ("booked", "failed", "review", "superseded")


class ConformanceBase:
    """The fixtures and invariants of the suite."""

    service_path: str
    """``module:attribute`` or ``file.py:attribute`` of the service, for worker processes that are killed."""

    shares_books: ClassVar[bool] = True
    """Whether the harness, asked for a second connection, leads it to the same books."""

    # The two that every connector supplies: pytest cannot make a fixture abstract, so one that is missing fails every test.

    @pytest.fixture
    def service(self) -> Service:
        raise NotImplementedError("give the connector's Service")

    @pytest.fixture
    def harness(self) -> VendorHarness:
        raise NotImplementedError("give the connector's vendor")

    @pytest.fixture
    def vendor_settings(self, harness: VendorHarness) -> dict[str, Any]:
        """Give settings that point the service at the harness."""
        return {}

    @pytest.fixture
    async def testbed(
        self,
        service: Service,
        harness: VendorHarness,
        vendor_settings: dict[str, Any],
        make_database: Callable[..., str],
    ) -> AsyncIterator[Testbed]:
        async with open_testbed(service, make_database(service), **vendor_settings) as running:
            await harness.connect(running)
            yield running

    # ------------------------------------------------------------------------------------------------ what the vendor can do

    def kinds(self, testbed: Testbed) -> frozenset[DocumentKind]:
        """Return the kinds of documents that the connection takes."""
        return frozenset(testbed.kit.profile.targets)

    def target(self, testbed: Testbed) -> Target:
        """Return what becomes of the documents that the scenarios send."""
        targets = testbed.kit.profile.targets
        return targets.get(DocumentKind.SALES_INVOICE) or next(iter(targets.values()))

    def reads_back(self, testbed: Testbed) -> bool:
        """Return whether the vendor's books can be read."""
        return self.target(testbed).reads_back

    def on_ambiguous(self, testbed: Testbed) -> OnAmbiguous:
        """Return what follows a call without a definite answer: ``lookup`` or ``review``."""
        return self.target(testbed).on_ambiguous

    def closed(self, testbed: Testbed) -> str:
        """Return the state that closes a delivery: ``exported`` where nothing can be read back."""
        return "booked" if self.reads_back(testbed) else "exported"

    # ------------------------------------------------------------------------------------------------------------ invariants

    async def check_invariants(self, testbed: Testbed, harness: VendorHarness) -> None:
        """Check what every scenario must leave behind."""
        rows = await testbed.deliveries()
        closed = self.closed(testbed)
        assert all(row.state in (*ENDED, closed) for row in rows), [(row.state, row.problem) for row in rows]
        held = await harness.bookings()
        assert all(count == 1 for count in held.values()), f"booked more than once: {held}"
        booked = {row.remote_ref for row in rows if row.state == closed}
        assert booked <= set(held), f"said to be booked, and not there: {booked - set(held)}"
        attempts = (await testbed.rows("SELECT count(*) AS number FROM attempt"))[0].number
        seen = await harness.calls_seen()
        assert seen <= attempts, f"{seen} calls seen by the vendor, only {attempts} rows in the sync log"
        assert await harness.spent_tokens_used() == 0
        assert await harness.limits_broken() == 0

    async def send(self, testbed: Testbed, harness: VendorHarness, number: int = 1) -> DocumentReady:
        """Have one sales invoice exported."""
        event = testbed.ready(*harness.document(number))
        await testbed.deliver(event)
        return event

    async def until_booked(self, testbed: Testbed, harness: VendorHarness) -> list[Any]:
        """Wait until every delivery is closed; check the invariants; return the deliveries."""
        await testbed.until_state(self.closed(testbed), "exported")
        await harness.process()
        rows = await testbed.until_state(self.closed(testbed))
        await self.check_invariants(testbed, harness)
        return rows

    async def until_accounted_for(self, testbed: Testbed, harness: VendorHarness) -> None:
        """Wait until what may have acted was looked up; where nobody can look, it is a person's to say and not sent again."""
        if self.on_ambiguous(testbed) != "review":
            await self.until_booked(testbed, harness)
            return
        await testbed.until_state(self.closed(testbed), "review")
        await self.check_invariants(testbed, harness)

    async def let_time_pass(self, testbed: Testbed) -> None:
        """Let every wait be over: windows, pauses, and the vendor's minimum between refreshes."""
        await testbed.change(
            "WITH held AS (SELECT FROM rate_window ORDER BY scope, name FOR UPDATE)"
            " UPDATE rate_window SET ends_at = clock_timestamp() WHERE (SELECT count(*) FROM held) > 0"
        )
        await testbed.change("UPDATE connection SET not_before = clock_timestamp()")
        await testbed.change("UPDATE delivery SET due_at = clock_timestamp() WHERE state IN ('ready', 'unknown')")
