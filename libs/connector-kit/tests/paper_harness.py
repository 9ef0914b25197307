"""The paper vendor as the conformance suite wants it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from koppel_connector.testing import Fault, HeldBooking, HeldLine, Testbed, VendorHarness

from .paper_vendor import PaperVendor


class PaperHarness(VendorHarness):
    """The paper vendor, for the conformance suite."""

    def __init__(self, vendor: PaperVendor) -> None:
        self.vendor = vendor

    async def connect(self, testbed: Testbed) -> UUID:
        return await testbed.connect({"journal": "700"}, self.vendor.allow)

    async def fail(self, fault: Fault, times: int = 1) -> None:
        self.vendor.faults.extend([fault] * times)

    async def repair(self) -> None:
        self.vendor.faults.clear()

    async def index_late(self, delay_s: float) -> None:
        self.vendor.index_delay_s = delay_s

    async def become_company(self, name: str, number: str) -> bool:
        self.vendor.company = {"name": name, "number": number}
        return True

    async def lose_first_answers(self) -> None:
        self.vendor.faults.append(Fault.ACTS_THEN_RESETS)  # one call of a document changes something

    async def books(self) -> Sequence[HeldBooking]:
        return [_held(entry) for entry in self.vendor.ledger]

    async def objects(self) -> Mapping[str, int]:
        return {"entry": len(self.vendor.ledger)}

    async def change(self, reference: str) -> None:
        entry = self._entry(reference)
        entry["total"] = str(Decimal(entry["total"]) + Decimal("0.01"))

    async def remove(self, reference: str) -> None:
        self.vendor.ledger.remove(self._entry(reference))

    def _entry(self, reference: str) -> dict[str, Any]:
        return next(entry for entry in self.vendor.ledger if entry["reference"] == reference)

    async def calls_seen(self) -> int:
        return len(self.vendor.seen)

    async def limits_broken(self) -> int:
        return self.vendor.over_limit

    async def spent_tokens_used(self) -> int:
        return self.vendor.spent_uses


def _held(entry: Mapping[str, Any]) -> HeldBooking:
    """The ledger keeps amounts as on paper, beside the kind."""
    sign = -1 if "credit" in entry["kind"] else 1
    return HeldBooking(
        reference=entry["reference"],
        side="sale" if entry["kind"].startswith("sales") else "purchase",
        total=sign * Decimal(entry["total"]),
        vat=sign * Decimal(entry["vat"]),
        lines=[HeldLine(sign * Decimal(line["net"]), Decimal(line["rate"])) for line in entry["lines"]],
        currency=entry["currency"],
        counterparty=entry["customer"],
    )
