"""The kit keeps its promises with Griffel, a vendor with logins, relations and files, behind a fault gate."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from koppel_connector.testing import ConnectorConformance, VendorHarness
from koppel_mesh.service import Service

SERVICE_FILE = Path(__file__).parent / "griffel_connector.py"


class TestGriffelConformance(ConnectorConformance):
    service_path = f"{SERVICE_FILE}:SERVICE"

    @pytest.fixture
    def service(self) -> Service:
        from .griffel_connector import SERVICE

        return SERVICE

    @pytest.fixture
    async def harness(self) -> AsyncIterator[VendorHarness]:
        from .griffel_harness import GriffelHarness

        async with GriffelHarness.running() as harness:
            yield harness

    @pytest.fixture
    def vendor_settings(self, harness: Any) -> dict[str, Any]:
        return {"griffel_base_url": harness.gate.url}
