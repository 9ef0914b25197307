"""The kit's promises, kept with Octopus: the same suite every connector inherits, against a running sandbox."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connector_octopus.service import SERVICE
from koppel_connector.testing import ConnectorConformance
from koppel_mesh.service import Service

from .harness import Gate, OctopusHarness, Sandbox


class TestOctopusConformance(ConnectorConformance):
    service_path = "connector_octopus.service:SERVICE"

    @pytest.fixture
    def service(self) -> Service:
        return SERVICE

    @pytest.fixture
    async def harness(self, sandbox: Sandbox) -> AsyncIterator[OctopusHarness]:
        async with Gate(sandbox.url) as gate:
            yield OctopusHarness(sandbox, gate)

    @pytest.fixture
    def vendor_settings(self, sandbox: Sandbox, harness: OctopusHarness) -> dict[str, Any]:
        return sandbox.service_settings(octopus_base_url=harness.gate.url)
