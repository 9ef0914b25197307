"""The paper vendor as the conformance suite wants it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from koppel_connector.testing import Fault, Testbed, VendorHarness

from .paper_vendor import PaperVendor


class PaperHarness(VendorHarness):
    """The paper vendor, for the conformance suite."""

    def __init__(self, vendor: PaperVendor) -> None:
        self.vendor = vendor
        self._ids: dict[int, UUID] = {}

    async def connect(self, testbed: Testbed) -> UUID:
        return await testbed.connect({"journal": "700"}, self.vendor.allow)

    def document(self, number: int) -> tuple[Mapping[str, Any], Mapping[str, bytes]]:
        identifier = self._ids.setdefault(number, uuid4())
        document = {"id": str(identifier), "kind": "sales_invoice", "number": f"F2026-{number}", "total": "121.00"}
        return document, {}

    async def fail(self, fault: Fault, times: int = 1) -> None:
        self.vendor.faults.extend([fault] * times)

    async def repair(self) -> None:
        self.vendor.faults.clear()

    async def index_late(self, delay_s: float) -> None:
        self.vendor.index_delay_s = delay_s

    async def bookings(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for entry in self.vendor.ledger:
            found[entry["reference"]] = found.get(entry["reference"], 0) + 1
        return found

    async def calls_seen(self) -> int:
        return len(self.vendor.seen)

    async def limits_broken(self) -> int:
        return self.vendor.over_limit

    async def spent_tokens_used(self) -> int:
        return self.vendor.spent_uses
