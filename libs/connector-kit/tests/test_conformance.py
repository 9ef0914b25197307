"""The kit keeps its own promises, with the paper vendor."""

from pathlib import Path
from typing import Any

import pytest

from koppel_connector.testing import WHOLE_MATRIX, ConnectorConformance, VendorHarness
from koppel_mesh.service import Service

SERVICE_FILE = Path(__file__).parent / "paper_connector.py"


class TestPaperConformance(ConnectorConformance):
    service_path = f"{SERVICE_FILE}:SERVICE"
    shares_books = False
    passes = WHOLE_MATRIX

    @pytest.fixture
    def service(self) -> Service:
        from .paper_connector import SERVICE

        return SERVICE

    @pytest.fixture
    def harness(self, vendor: Any) -> VendorHarness:
        from .paper_harness import PaperHarness

        return PaperHarness(vendor)

    @pytest.fixture
    def vendor_settings(self, vendor: Any) -> dict[str, Any]:
        return {"paper_base_url": vendor.url}
