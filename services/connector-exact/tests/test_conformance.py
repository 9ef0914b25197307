"""The kit's promises, kept with Exact: the same suite every connector inherits, against a running sandbox."""

import pytest

from connector_exact.service import SERVICE
from koppel_connector.conformance import ConnectorConformance
from koppel_mesh.service import Service

from .harness import ExactHarness, Sandbox


class TestExactConformance(ConnectorConformance):
    service_path = "connector_exact.service:SERVICE"

    @pytest.fixture
    def service(self) -> Service:
        return SERVICE

    @pytest.fixture
    def harness(self, sandbox: Sandbox) -> ExactHarness:
        return ExactHarness(sandbox)

    @pytest.fixture
    def vendor_settings(self, sandbox: Sandbox) -> dict[str, object]:
        return sandbox.service_settings()
