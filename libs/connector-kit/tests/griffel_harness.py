"""Griffel as the conformance suite wants a vendor: the fake behind a fault gate."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from koppel_connector.testing import FaultGate, HeldBooking, HeldLine, HttpHarness, Request, Testbed

from .griffel_vendor import Griffel


class GriffelHarness(HttpHarness):
    def __init__(self, vendor: Griffel, gate: FaultGate) -> None:
        super().__init__(gate)
        self.vendor = vendor

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[Self]:
        async with Griffel() as vendor, FaultGate(vendor.url) as gate:
            yield cls(vendor, gate)

    def is_booking(self, request: Request) -> bool:
        return request.method == "POST" and request.target == "/api/entries"

    def is_acting(self, request: Request) -> bool:
        return request.method != "GET" and request.target != "/api/login"

    async def connect(self, testbed: Testbed) -> UUID:
        settings = {"user": "an", "password": self.vendor.password, "sale_journal": "V1", "purchase_journal": "A1"}
        return await testbed.connect(settings)

    async def index_late(self, delay_s: float) -> None:
        self.vendor.index_delay_s = delay_s

    async def books(self) -> Sequence[HeldBooking]:
        return [self._held(entry) for entry in self.vendor.held("entry").values()]

    def _held(self, entry: Mapping[str, Any]) -> HeldBooking:
        files = [self.vendor.held("file")[each] for each in entry["files"]]
        return HeldBooking(
            reference=entry["reference"],
            side=self.vendor.held("journal")[entry["journal"]]["side"],
            total=Decimal(entry["total"]),
            vat=sum((Decimal(line["vat"]) for line in entry["lines"]), Decimal(0)),
            lines=[HeldLine(Decimal(line["net"]), Decimal(line["rate"])) for line in entry["lines"]],
            currency=entry["currency"],
            counterparty=self.vendor.held("relation")[entry["relation"]]["enterprise_number"],
            files={file["name"]: file["content"] for file in files},
        )

    async def objects(self) -> Mapping[str, int]:
        return {kind: len(self.vendor.held(kind)) for kind in ("relation", "file", "entry")}

    async def change(self, reference: str) -> None:
        entry = self._entry(reference)
        entry["total"] = str(Decimal(entry["total"]) + Decimal("0.01"))

    async def remove(self, reference: str) -> None:
        del self.vendor.held("entry")[self._entry(reference)["id"]]

    def _entry(self, reference: str) -> dict[str, Any]:
        return next(entry for entry in self.vendor.held("entry").values() if entry["reference"] == reference)

    async def change_password(self) -> None:
        self.vendor.password = "nieuw-1704"
        self.vendor.sessions.clear()

    async def wrong_passwords(self) -> int:
        return self.vendor.wrong_passwords
