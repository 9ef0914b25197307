"""A running sandbox Octopus for the tests, and what an accountant does in it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from typing import Any
from uuid import UUID

from connector_octopus.connector import OctopusConnector
from connector_octopus.settings import OctopusSettings
from koppel_connector.contract import Application
from koppel_connector.testing import (
    DOSSIER_NAME,
    DOSSIER_NUMBER,
    DirectVendor,
    Fault,
    FaultGate,
    HeldBooking,
    HeldLine,
    HttpHarness,
    Request,
    Sample,
    Testbed,
    TypedIn,
)
from koppel_sandbox.octopus import bookings, relations, seed
from koppel_sandbox.octopus.state import Books, State
from koppel_sandbox.octopus.testing import SandboxServer
from koppel_sandbox.octopus.typed_in import type_in

DOSSIER = seed.BAKERY
CONNECTOR = OctopusConnector()
SETTINGS: dict[str, Any] = {
    "user": seed.USER,
    "password": seed.PASSWORD,
    "dossier_id": DOSSIER,
    "journals": {"sale": "V1", "sale_credit": "V2", "purchase": "A1", "purchase_credit": "A2", "receipts": "V3"},
    "default_ledger_account": {"sale": "700000", "purchase": "604000"},
    "default_payment_condition": {"sale": "30", "purchase": "30"},
    "vat_codes": {
        "sale": {"Z": "0", "E": "0VR", "G": "0EX", "K": "0IC", "AE": "0MC", "AE@EU": "0ICD", "O": "0"},
        "purchase": {"S:21": "H21", "S:6": "H6", "S:12": "H12", "AE": "MC21", "K": "ICH21", "E": "HVR", "Z": "H00"},
    },
}
Row = dict[str, Any]
Vendor = DirectVendor[OctopusSettings]


class Sandbox:
    """The sandbox, served over loopback; its state is at hand in the same process."""

    def __init__(self, server: SandboxServer) -> None:
        self.url = server.url
        self.state: State = server.state
        self.environment = server.environment()
        self.control = server.control

    @property
    def books(self) -> Books:
        return self.state.books(DOSSIER)

    def be_company(self, name: str, vat_number: str) -> None:
        """Have the dossier be this company's."""
        self.control("dossier", dossier=DOSSIER, dossierDescription=name, vatNr=vat_number)

    def service_settings(self, **changes: Any) -> dict[str, Any]:
        """Return the environment of the service."""
        given = {name.removeprefix("KOPPEL_").lower(): value for name, value in self.environment.items()}
        return {**given, **changes}

    async def vendor(self, **changes: Any) -> Vendor:
        """Log in and open the dossier."""
        settings = OctopusSettings.model_validate({**SETTINGS, **changes})
        application = Application(self.url, seed.SOFTWARE_HOUSE)
        vendor = DirectVendor(CONNECTOR, application, settings)
        vendor.headers |= await CONNECTOR.log_in(vendor)
        vendor.headers |= await CONNECTOR.open_dossier(vendor)
        return vendor

    # ── what the books hold ──

    def bookings(self) -> list[Row]:
        return list(self.books.bookings.values())

    def booking(self, remote_id: str) -> Row:
        return self.books.bookings[remote_id]

    def files(self, remote_id: str) -> dict[str, bytes]:
        """Return the files of a booking, by name."""
        rows = self.books.files.values()
        return {row["fileName"]: row["@content"] for row in rows if row["@booking"] == remote_id}

    def relations(self) -> list[Row]:
        return list(self.books.relations.values())

    def relation_of(self, booking: Row) -> Row:
        key = booking["relationIdentificationServiceData"]["relationKey"]["id"]
        return self.books.relations[str(key)]

    def relation_named(self, name: str) -> Row:
        return next(row for row in self.relations() if row["name"] == name)

    def imports(self) -> list[Row]:
        return list(self.books.imports.values())

    def requests(self, operation: str) -> int:
        return sum(1 for line in self.state.log if line.operation == operation)

    # ── what people do there ──

    def add_relation(self, name: str, **fields: Any) -> Row:
        key = relations.new_key(self.books)
        identity = {"relationKey": {"id": key}, "externalRelationId": fields.pop("external", 0)}
        row = {**relations.BLANK, "relationIdentificationServiceData": identity, "name": name, "vatType": 1, **fields}
        self.books.put(self.books.relations, str(key), row)
        return row

    def book_by_hand(self, journal: str = "V1", bookyear: int = 3) -> None:
        """Take the next number of a journal."""
        row = self.books.journals[f"{bookyear}/{journal}"]
        row["lastBookedDocumentNr"] += 1
        bookings.touch_journal(self.books, row)

    def type_in(self, document: Mapping[str, Any], *, cents: int = 0) -> str:
        """Book a document as the accountant does by hand, its number written otherwise; return the number that people see."""
        booking = type_in(self.books, **asdict(TypedIn.of(document, cents)))
        year = str(booking["bookyearPeriodeNr"])[:4]
        return f"{booking['journalKey']}/{year}/{booking['documentSequenceNr']}"

    def tamper(self, remote_id: str, amount: Decimal) -> None:
        row = self.booking(remote_id)
        self.books.put(self.books.bookings, remote_id, {**row, "amount": row["amount"] + amount})

    def remove(self, remote_id: str) -> None:
        bookings.remove(self.books, remote_id)

    def place(self, reference: str) -> str:
        """Return the id of the booking with our reference."""
        return next(bookings.key_of(row) for row in self.bookings() if row["orderReference"] == reference)


@contextmanager
def running_sandbox() -> Iterator[Sandbox]:
    with SandboxServer() as server:
        sandbox = Sandbox(server)
        sandbox.be_company(DOSSIER_NAME, f"BE{DOSSIER_NUMBER}")
        yield sandbox


class Gate(FaultGate):
    """A gate at which somebody may be faster than the next booking."""

    faster: Callable[[], None] | None = None

    async def answer(self, writer: asyncio.StreamWriter, request: Request) -> bool:
        if self.faster is not None and is_booking(request):
            act, self.faster = self.faster, None
            act()
        return await super().answer(writer, request)


def is_booking(request: Request) -> bool:
    return request.method == "POST" and request.target.endswith("/buysellbookings")


class OctopusHarness(HttpHarness):
    """The sandbox, behind a gate, as the conformance suite wants a vendor."""

    gate: Gate

    def __init__(self, sandbox: Sandbox, gate: Gate) -> None:
        super().__init__(gate)
        self.sandbox = sandbox

    async def connect(self, testbed: Testbed) -> UUID:
        return await testbed.connect(SETTINGS)

    def is_booking(self, request: Request) -> bool:
        return is_booking(request)

    def is_acting(self, request: Request) -> bool:
        return request.method in ("POST", "PUT") and f"/dossiers/{DOSSIER}/" in request.target

    async def fail(self, fault: Fault, times: int = 1) -> None:
        if fault is Fault.UNAUTHORISED:
            self.sandbox.control("tokens", logins=True)
        elif fault is Fault.FORBIDS:
            self.sandbox.control("user", user=seed.USER, deny=[[DOSSIER, "buysellbookings"]])
        else:
            await super().fail(fault, times)

    async def repair(self) -> None:
        await super().repair()
        self.sandbox.control("user", user=seed.USER, allow=[[DOSSIER, "buysellbookings"]])

    async def index_late(self, delay_s: float) -> None:
        self.sandbox.control("switches", feed_lag_s=delay_s)

    async def become_company(self, name: str, number: str) -> bool:
        self.sandbox.be_company(name, number)
        return True

    async def throttle_reading(self) -> bool:
        self.gate.fail(Fault.THROTTLES, lambda request: "/modified" in request.target, 10_000)
        return True

    async def type_in(self, document: Sample, *, cents: int = 0) -> str:
        return self.sandbox.type_in(document.document, cents=cents)

    async def take_number(self) -> bool:
        self.gate.faster = self.sandbox.book_by_hand
        return True

    async def change_password(self) -> None:
        self.sandbox.control("user", user=seed.USER, password="another")
        self.sandbox.control("tokens", logins=True)

    async def wrong_passwords(self) -> int:
        return int(self.sandbox.state.tables["users"][seed.USER]["wrong_passwords"])

    async def books(self) -> Sequence[HeldBooking]:
        return [self._held(booking) for booking in self.sandbox.bookings()]

    def _held(self, booking: Row) -> HeldBooking:
        sign = -1 if booking["amount"] < 0 else 1
        rates = {code: row["basePercentage"] for code, row in self.sandbox.books.vat_codes.items()}
        lines = booking["bookingLines"]
        return HeldBooking(
            reference=booking["orderReference"],
            side="sale" if booking["journalKey"].startswith("V") else "purchase",
            total=booking["amount"],
            vat=sign * sum((line["vatAmount"] for line in lines), Decimal(0)),
            lines=[HeldLine(sign * line["baseAmount"], rates[line["vatCodeKey"]]) for line in lines],
            currency=booking["currencyCode"],
            counterparty=self.sandbox.relation_of(booking)["vatNr"].removeprefix("BE"),
            files=self.sandbox.files(bookings.key_of(booking)),
        )

    async def objects(self) -> Mapping[str, int]:
        books = self.sandbox.books
        return {"relation": len(books.relations), "booking": len(books.bookings), "file": len(books.files)}

    async def change(self, reference: str) -> None:
        self.sandbox.tamper(self.sandbox.place(reference), Decimal("0.01"))

    async def remove(self, reference: str) -> None:
        self.sandbox.remove(self.sandbox.place(reference))
