"""A running sandbox Exact Online for the tests, and what an accountant does in it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from connector_exact.settings import ExactSettings
from koppel_connector.testing import (
    DOSSIER_NAME,
    DOSSIER_NUMBER,
    Fault,
    FaultGate,
    HeldBooking,
    HeldLine,
    Sample,
    Testbed,
    TypedIn,
    VendorHarness,
)
from koppel_sandbox import faults
from koppel_sandbox.exact.state import Division, State
from koppel_sandbox.exact.testing import SandboxServer
from koppel_sandbox.exact.typed_in import type_in

from .direct_vendor import DirectVendor, allow, login

DIVISION = 3090901
SETTINGS: dict[str, Any] = {
    "division": DIVISION,
    "journals": {"sale": "700", "sale_credit": "710", "purchase": "600", "purchase_credit": "610", "receipts": "720"},
    "default_ledger_account": {"sale": "700000", "purchase": "604000"},
    "vat_codes": {
        "sale": {"Z": "0", "E": "VRY", "G": "EXP", "K": "ICL"},
        "purchase": {"AE": "PMC", "K": "PIC", "E": "PVR"},
    },
}
REDIRECT_URI = "http://127.0.0.1:8000/connector-exact/oauth/callback"
ENTRIES = r"(sales|purchase)entry/(Sales|Purchase)Entries"


class Sandbox:
    """The sandbox, served over loopback; its state is at hand in the same process."""

    def __init__(self, base_url: str, state: State) -> None:
        self.base_url = base_url
        self.state = state

    @property
    def division(self) -> Division:
        return self.state.divisions[DIVISION]

    def be_company(self, name: str, vat_number: str) -> None:
        """Have the division be this company's."""
        self.division.name, self.division.vat_number = name, vat_number

    def service_settings(self) -> dict[str, object]:
        app = next(iter(self.state.apps.values()))
        return {
            "exact_base_url": self.base_url,
            "exact_client_id": app.client_id,
            "exact_client_secret": app.client_secret,
        }

    async def vendor(self, settings: Mapping[str, Any] = SETTINGS) -> DirectVendor:
        """Log in and open a connection."""
        return DirectVendor(self.base_url, await self.fresh_token(), ExactSettings.model_validate(settings))

    async def fresh_token(self) -> str:
        """Log in and return the access token."""
        app = next(iter(self.state.apps.values()))
        pair = await login(self.base_url, app.client_id, app.client_secret, REDIRECT_URI)
        return str(pair["access_token"])

    def _table(self, name: str) -> dict[str, Any]:
        return self.division.tables[name]

    def entries(self) -> list[Any]:
        return list(self._table("Entries").values())

    def entry(self, entry_id: str) -> Any:
        return self._table("Entries")[entry_id]

    def documents(self) -> list[Any]:
        return list(self._table("Documents").values())

    def document(self, document_id: str) -> Any:
        return self._table("Documents")[document_id]

    def attachments(self, document_id: str) -> list[str]:
        return [
            row["FileName"] for row in self._table("DocumentAttachments").values() if row["Document"] == document_id
        ]

    def attachment_count(self) -> int:
        return len(self._table("DocumentAttachments"))

    def files(self, document_id: str) -> dict[str, bytes]:
        """Return the files of a document, by name."""
        rows = self._table("DocumentAttachments").values()
        return {row["FileName"]: row["@content"] for row in rows if row["Document"] == document_id}

    def remove_documents(self) -> None:
        for name in ("DocumentAttachments", "Documents"):
            self._table(name).clear()

    def relations(self) -> list[Any]:
        return list(self._table("Accounts").values())

    def relation(self, relation_id: str) -> Any:
        return self._table("Accounts")[relation_id]

    def vat_rates(self) -> dict[str, Decimal]:
        """Return the percentage of each VAT code."""
        return {row["Code"].strip(): row["Percentage"] * 100 for row in self._table("VATCodes").values()}

    def add_relation(self, name: str, **fields: Any) -> Any:
        """Make a relation, or change the seeded one with this VAT number."""
        for row in self.relations():
            if row.get("VATNumber") == fields.get("VATNumber"):
                return self.division.put("Accounts", row["ID"], {**row, **fields})
        given = {
            "ID": str(uuid4()),
            "Code": "990".rjust(18),
            "Name": name,
            "Status": "A",
            "IsSupplier": False,
            "Blocked": False,
        }
        return self.division.put("Accounts", given["ID"], given | fields)  # type: ignore[arg-type]

    def change_relation(self, relation_id: str, **fields: Any) -> None:
        self.division.put("Accounts", relation_id, {**self._table("Accounts")[relation_id], **fields})

    def block_account(self, code: str) -> None:
        next(row for row in self._table("GLAccounts").values() if str(row["Code"]).strip() == code)["IsBlocked"] = True

    def forget_relations(self) -> None:
        self._table("Accounts").clear()

    def forget_vat_codes(self) -> None:
        self._table("VATCodes").clear()

    def close_period(self, journal: str, year: int, period: int) -> None:
        self.division.closed.add((journal, year, period))

    def open_periods(self) -> None:
        self.division.closed.clear()

    def speak(self, language: str) -> None:
        for user in self.state.users.values():
            user.language = language

    def deny(self, resource: str, method: str) -> None:
        for user in self.state.users.values():
            user.denied.add((DIVISION, resource, method))

    def allow_everything(self) -> None:
        for user in self.state.users.values():
            user.denied.clear()

    def type_in(self, document: Mapping[str, Any], *, cents: int = 0) -> str:
        """Book a document as the accountant does by hand, its number written otherwise; return the EntryNumber."""
        entry = type_in(self.division, **asdict(TypedIn.of(document, cents)))
        return str(entry["EntryNumber"])

    def tamper(self, entry_id: str, amount: Decimal) -> None:
        row = self._table("Entries")[entry_id]
        row["AmountFC"] = type(row["AmountFC"])(Decimal(str(row["AmountFC"])) + amount)


@contextmanager
def running_sandbox() -> Iterator[Sandbox]:
    with SandboxServer() as server:
        sandbox = Sandbox(server.url, server.state)
        sandbox.be_company(DOSSIER_NAME, f"BE{DOSSIER_NUMBER}")
        yield sandbox


_FAULTS: dict[Fault, dict[str, Any]] = {
    Fault.ACTS_THEN_HANGS: {"kind": "hang_after_commit", "seconds": 3.0},
    Fault.ACTS_THEN_RESETS: {"kind": "reset_after_commit"},
    Fault.ACTS_THEN_HALF_ANSWER: {"kind": "half_answer_after_commit"},
    Fault.ACTS_THEN_ERROR: {"kind": "html_after_commit"},
    Fault.RESETS: {"kind": "reset_before"},
    Fault.THROTTLES: {"kind": "throttle"},
}


class ExactHarness(VendorHarness):
    """The sandbox as the conformance suite wants a vendor."""

    def __init__(self, sandbox: Sandbox, gate: FaultGate | None = None) -> None:
        self.sandbox = sandbox
        self.gate = gate
        """In front of the sandbox; the sandbox's own faults suffice for all but one scenario."""
        self._throttled = 0

    async def connect(self, testbed: Testbed) -> UUID:
        return await testbed.connect(SETTINGS, allow)

    async def fail(self, fault: Fault, times: int = 1) -> None:
        if fault is Fault.FORBIDS:
            self.sandbox.deny("salesentry/SalesEntries", "POST")
        elif fault is Fault.UNAUTHORISED:
            self.sandbox.state.access.clear()
        else:
            rule = faults.Fault(method="POST", path=ENTRIES, times=times, **_FAULTS[fault])
            self.sandbox.state.faults.append(rule)

    async def repair(self) -> None:
        self._throttled += sum(rule.met for rule in self.sandbox.state.faults if rule.kind == "throttle")
        self.sandbox.state.faults.clear()
        self.sandbox.allow_everything()
        # Exact refuses a refresh within 570 s of the last; what time would do.
        self.sandbox.state.clock.advance(575)

    async def index_late(self, delay_s: float) -> None:
        self.sandbox.state.switches.search_lag_s = delay_s

    async def become_company(self, name: str, number: str) -> bool:
        self.sandbox.be_company(name, number)
        return True

    async def type_in(self, document: Sample, *, cents: int = 0) -> str:
        return self.sandbox.type_in(document.document, cents=cents)

    async def lose_first_answers(self) -> None:
        assert self.gate is not None, "nothing stands before the sandbox"
        self.gate.lose_first_answers(lambda request: request.method in {"POST", "PUT"} and "/api/v1/" in request.target)

    async def books(self) -> Sequence[HeldBooking]:
        return [self._held(entry) for entry in self.sandbox.entries()]

    def _held(self, entry: Mapping[str, Any]) -> HeldBooking:
        sells = entry["Type"] in {20, 21}
        lines = entry["SalesEntryLines" if sells else "PurchaseEntryLines"]
        relation = self.sandbox.relation(entry["Customer" if sells else "Supplier"])
        rates = self.sandbox.vat_rates()
        return HeldBooking(
            reference=self._reference(entry),
            side="sale" if sells else "purchase",
            total=entry["AmountFC"],
            vat=entry["VATAmountFC"],
            lines=[HeldLine(line["AmountFC"], rates[line["VATCode"].strip()]) for line in lines],
            currency=entry["Currency"].strip(),
            counterparty=(relation.get("ChamberOfCommerce") or relation["VATNumber"].removeprefix("BE")),
            files=self.sandbox.files(entry["Document"]) if entry.get("Document") else None,
        )

    def _reference(self, entry: Mapping[str, Any]) -> str:
        if not entry.get("Document"):
            return f"by hand {entry['EntryNumber']}"
        return str(self.sandbox.document(entry["Document"])["Subject"].rsplit(" ", 1)[1])

    async def objects(self) -> Mapping[str, int]:
        return {
            "relation": len(self.sandbox.relations()),
            "document": len(self.sandbox.documents()),
            "attachment": self.sandbox.attachment_count(),
            "entry": len(self.sandbox.entries()),
        }

    async def change(self, reference: str) -> None:
        self.sandbox.tamper(self._entry_id(reference), Decimal("0.01"))

    async def remove(self, reference: str) -> None:
        self.sandbox.division.remove("Entries", self._entry_id(reference))

    def _entry_id(self, reference: str) -> str:
        return next(str(entry["EntryID"]) for entry in self.sandbox.entries() if self._reference(entry) == reference)

    async def calls_seen(self) -> int:
        return len(self.sandbox.state.log) + len(self.sandbox.state.token_calls)

    async def limits_broken(self) -> int:
        met = self._throttled + sum(rule.met for rule in self.sandbox.state.faults if rule.kind == "throttle")
        return sum(1 for line in self.sandbox.state.log if line.status == 429) - met

    async def spent_tokens_used(self) -> int:
        # Whatever the token endpoint refused to refresh: spent or too early, both would be ours to answer for.
        state = self.sandbox.state
        asked = sum(1 for call in state.token_calls if call["grant_type"] == "refresh_token")
        exchanged = sum(1 for code in state.codes.values() if code.consumed)
        return asked - (len(state.refresh) - exchanged)
