"""The kit's promises, kept with Exact: the same suite every connector inherits, against a running sandbox."""

from collections.abc import AsyncIterator

import pytest

from connector_exact.service import SERVICE
from koppel_connector.testing import ConnectorConformance, FaultGate, Testbed, VendorHarness
from koppel_mesh.service import Service

from .harness import ExactHarness, Sandbox


class TestExactConformance(ConnectorConformance):
    service_path = "connector_exact.service:SERVICE"
    refresh_allowed = False

    @pytest.fixture
    def service(self) -> Service:
        return SERVICE

    @pytest.fixture
    async def harness(self, sandbox: Sandbox) -> AsyncIterator[ExactHarness]:
        async with FaultGate(sandbox.base_url) as gate:
            yield ExactHarness(sandbox, gate)

    @pytest.fixture
    def vendor_settings(self, sandbox: Sandbox, harness: ExactHarness) -> dict[str, object]:
        assert harness.gate is not None
        return {**sandbox.service_settings(), "exact_base_url": harness.gate.url}

    async def test_twenty_tasks_refresh_once(self, testbed: Testbed, harness: VendorHarness) -> None:
        assert isinstance(harness, ExactHarness)
        harness.sandbox.state.clock.advance(595)  # the vendor's clock goes along: Exact refuses an early refresh
        await super().test_twenty_tasks_refresh_once(testbed, harness)

    async def let_time_pass(self, testbed: Testbed) -> None:
        await super().let_time_pass(testbed)
        if not self.refresh_allowed:
            # Once: the pair of the moment is old enough to be refreshed; the next one is young again.
            self.refresh_allowed = True
            await testbed.change("UPDATE oauth_token SET obtained_at = obtained_at - interval '575 seconds'")
            assert testbed.kit.vault is not None
            testbed.kit.vault.forget((await testbed.rows("SELECT id FROM connection"))[0].id)

    async def test_journals_are_chosen_from_what_an_import_brings(self, testbed: Testbed) -> None:
        (before,) = await testbed.rows("SELECT id, imported_at FROM connection")
        connection = f"/v1/connections/{before.id}"
        async with testbed.owner() as owner:
            changed = await owner.patch(connection, json={"settings": {"journals": None}})
            assert changed.json()["health"]["missing_settings"] == ["journals.sale", "journals.purchase"]
            assert (await owner.post(f"{connection}/import")).status_code == 202

        async def imported() -> bool:
            return bool(await testbed.rows("SELECT 1 FROM connection WHERE imported_at > :at", at=before.imported_at))

        await testbed.until(imported, "the journals are there to choose from")
