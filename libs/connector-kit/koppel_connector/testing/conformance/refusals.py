"""P6 and what is refused: a storm of 429, a missing right, an access token that is refused early."""

# Tests explain themselves by their names and assert without ceremony.
# ruff: noqa: D102

from typing import Any

import pytest

from koppel_connector.testing.harness import VendorHarness
from koppel_connector.testing.testbed import Testbed
from koppel_connector.testing.vendor_faults import Fault
from koppel_mesh.messages import DocumentKind

from .base import ConformanceBase


class Refusals(ConformanceBase):
    """A definite no costs no attempt, says who can help, and goes on when it is over."""

    async def test_throttled_spends_no_attempt(self, testbed: Testbed, harness: VendorHarness) -> None:
        await harness.fail(Fault.THROTTLES)
        await self.send(testbed, harness)

        async def refused() -> list[Any]:
            return await testbed.rows("SELECT outcome FROM attempt WHERE http_status = 429 OR outcome = 'throttled'")

        await testbed.until(refused, "the vendor's refusal is in the sync log")
        assert [row.outcome for row in await refused()] == ["throttled"], "a storm of 429 is no failure"
        await harness.repair()
        await self.let_time_pass(testbed)
        rows = await self.until_booked(testbed, harness)
        assert rows[0].failures == 0

    async def test_a_throttled_read_back_stops_no_sending(self, testbed: Testbed, harness: VendorHarness) -> None:
        if not self.reads_back(testbed) or not await harness.throttle_reading():
            # Nothing is read there, or what throttles reading throttles sending as well.
            pytest.skip("reading has no limit of its own")
        await self.send(testbed, harness, 1)

        async def refused() -> list[Any]:
            return await testbed.rows("SELECT 1 FROM attempt WHERE NOT acts AND http_status = 429")

        await testbed.until(refused, "reading the books is refused, to search them or to read back")
        await self.send(testbed, harness, 2)

        async def sent() -> bool:
            return [row.state for row in await testbed.deliveries()] == ["exported", "exported"]

        await testbed.until(sent, "the second document is sent while reading back has to wait")
        await harness.repair()
        await self.let_time_pass(testbed)
        await testbed.change("UPDATE delivery SET due_at = clock_timestamp() WHERE state = 'exported'")
        await self.until_booked(testbed, harness)

    async def test_an_access_token_refused_early_is_not_given_up(
        self, testbed: Testbed, harness: VendorHarness
    ) -> None:
        if testbed.kit.vault is None and testbed.kit.sessions is None:
            # Without a token or a session there is no access to lose, and no way for the harness to take it away.
            pytest.skip("the vendor gives nothing that could be refused early")
        await harness.fail(Fault.UNAUTHORISED)
        await self.send(testbed, harness)

        async def refused() -> bool:
            return bool(await testbed.rows("SELECT 1 FROM attempt WHERE http_status = 401"))

        await testbed.until(refused, "the refusal is in the sync log")
        await harness.repair()

        async def goes_on() -> bool:
            await self.let_time_pass(testbed)
            return (await testbed.deliveries())[0].state in ("exported", "booked")

        await testbed.until(goes_on, "the delivery goes on with another token")
        await self.until_booked(testbed, harness)

    async def test_a_missing_right_waits_for_a_person(self, testbed: Testbed, harness: VendorHarness) -> None:
        await harness.fail(Fault.FORBIDS, times=1000)
        await self.send(testbed, harness)
        row = (await testbed.until_state("blocked"))[0]
        assert row.failures == 0
        assert set(row.problem["message"]) == {"nl", "fr", "en"}
        assert row.problem["who_can_fix"] in ("accountant", "entrepreneur", "operator", "partner", "koppel")
        await harness.repair()
        await testbed.change("UPDATE connection SET unblocked_at = clock_timestamp()")
        await self.until_booked(testbed, harness)

    async def test_a_number_taken_meanwhile_is_asked_for_again(self, testbed: Testbed, harness: VendorHarness) -> None:
        if not await harness.take_number():
            # The vendor numbers its entries itself.
            pytest.skip("no number comes along")
        await self.send(testbed, harness)
        row = (await self.until_booked(testbed, harness))[0]
        assert row.failures == 0, "a number that was taken is no failure"

    async def test_a_kind_that_is_not_taken_is_told(self, testbed: Testbed, harness: VendorHarness) -> None:
        untaken = sorted(set(DocumentKind) - self.kinds(testbed))
        if not untaken:
            # There is no kind to say no to.
            pytest.skip("the vendor takes every kind")
        await testbed.deliver(testbed.ready(*harness.document(1), kind=untaken[0]))
        (row,) = await testbed.until_state("blocked")
        assert set(row.problem["message"]) == {"nl", "fr", "en"}
        assert await harness.bookings() == {}
