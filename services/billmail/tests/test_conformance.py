"""The kit's promises, kept by mail: the suite every connector inherits, on a running sandbox."""

from typing import Any

import pytest

from billmail.service import SERVICE
from koppel_connector.testing import ConnectorConformance, VendorHarness
from koppel_mesh.service import Service
from koppel_sandbox.mail.testing import MailSandbox

from .harness import MailHarness


class TestMailConformance(ConnectorConformance):
    service_path = "billmail.service:SERVICE"
    passes = (0,)  # one call sends a mail, and nothing is read back

    @pytest.fixture
    def service(self) -> Service:
        return SERVICE

    @pytest.fixture
    def harness(self, sandbox: MailSandbox) -> VendorHarness:
        return MailHarness(sandbox)

    @pytest.fixture
    def vendor_settings(self, mail_settings: dict[str, Any]) -> dict[str, Any]:
        return mail_settings
