"""The sandbox Exact Online, driven by the tests of the whole mesh."""

import itertools
import json
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from koppel_sandbox.driver import Company, Entry, LostAnswer, SandboxDriver

from .boxes import boxes_of_entry
from .seed import BAKERY, NO_RIGHTS, STUDIO

SALES_ENTRIES = "salesentry/SalesEntries"
USER = "an.peeters"
NO_LIMIT = 100_000
HANG_S = 4
_SALES_JOURNAL = "700"
_LOST = {
    LostAnswer.RESET: "reset_after_commit",
    LostAnswer.HALF: "half_answer_after_commit",
    LostAnswer.UNREADABLE: "html_after_commit",
    LostAnswer.HANG: "hang_after_commit",
}


def connection_settings(division: int) -> dict[str, Any]:
    """Return settings enough to book in a company; VAT with a percentage is left to find its own code."""
    return {
        "division": division,
        "journals": {
            "sale": _SALES_JOURNAL,
            "sale_credit": "710",
            "purchase": "600",
            "purchase_credit": "610",
            "receipts": "720",
        },
        "default_ledger_account": {"sale": "700000", "purchase": "604000"},
        "vat_codes": {
            "sale": {"Z": "0", "E": "VRY", "AE": "MC", "K": "ICL", "G": "EXP"},
            "purchase": {"AE": "PMC", "K": "PIC", "E": "PVR"},
        },
    }


def _company(division: int) -> Company:
    return Company(str(division), connection_settings(division), "700000", "Brasserie Het Anker BV")


class ExactDriver(SandboxDriver):
    """Speaks the control requests of ``control.py``."""

    connector = "connector-exact"
    companies = (_company(BAKERY), _company(STUDIO))
    company_without_rights = str(NO_RIGHTS)
    journals: ClassVar = {
        "sales_invoice": _SALES_JOURNAL,
        "sales_credit_note": "710",
        "purchase_invoice": "600",
        "purchase_credit_note": "610",
        "daily_receipts": "720",
    }
    booking_operation = "SalesEntries"
    _divisions = itertools.count(4_000_001)

    def open_company(self, enterprise_number: str) -> Company:
        """Open a division with the master data of the others."""
        division = next(self._divisions)
        self.control("division", division=division, name=f"Dossier {division}", vat_number=f"BE{enterprise_number}")
        return _company(division)

    def renumber(self, company: Company, enterprise_number: str) -> None:
        """Change the VAT number of a division."""
        self.control("division", division=int(company.remote_id), vat_number=f"BE{enterprise_number}")

    def entries(self, company: Company) -> list[Entry]:
        """Return the entries in a company's books."""
        return [_entry(row) for row in self._rows(company, "Entries")]

    def files(self, company: Company, document_number: str) -> list[str]:
        """Return the FileName of each attachment of the entry's Document."""
        entry = self._row(company, document_number)
        return [
            row["FileName"]
            for row in self._rows(company, "DocumentAttachments")
            if row["Document"] == entry["Document"]
        ]

    def vat_boxes(self, company: Company, document_number: str) -> dict[str, Decimal]:
        """Return the boxes by the VAT codes of the entry's lines."""
        return boxes_of_entry(self._row(company, document_number))

    def _row(self, company: Company, document_number: str) -> dict[str, Any]:
        [found] = [row for row in self._rows(company, "Entries") if row["YourRef"] == document_number]
        return found

    def _rows(self, company: Company, table: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(
            self.http.get(f"_control/divisions/{company.remote_id}/{table}").content
        )
        return rows

    def call_count(self) -> int:
        """Return the length of the sandbox's log of requests to its API."""
        return len(self.http.get("_control/requests").json())

    def read_count(self, company: Company) -> int:
        """Return how many searches of sales entries were answered."""
        division = int(company.remote_id)
        wanted: dict[str, str | int] = {"method": "GET", "resource": SALES_ENTRIES, "status": 200, "division": division}
        return len(self.http.get("_control/requests", params=wanted).json())

    def is_booking(self, method: str, path: str) -> bool:
        """Return whether this is a POST to SalesEntries."""
        return method == "POST" and path.endswith(SALES_ENTRIES)

    def close_period(self, company: Company, on: date) -> None:
        """Close the month in the sales journal."""
        self._period(company, on, closed=True)

    def open_period(self, company: Company, on: date) -> None:
        """Open the month in the sales journal."""
        self._period(company, on, closed=False)

    def _period(self, company: Company, on: date, *, closed: bool) -> None:
        division = int(company.remote_id)
        month = {"year": on.year, "period": on.month}
        self.control("period", division=division, journal=_SALES_JOURNAL, closed=closed, **month)

    def deny_booking(self, company: Company) -> None:
        """Take the right from the user whose login Koppel has."""
        self.control("user", user=USER, deny=[[int(company.remote_id), SALES_ENTRIES, "POST"]])

    def allow_booking(self, company: Company) -> None:
        """Give the right back."""
        self.control("user", user=USER, allow=[[int(company.remote_id), SALES_ENTRIES, "POST"]])

    def change_total(self, company: Company, document_number: str, total: Decimal) -> None:
        """Change ``AmountFC``."""
        self._record(company, document_number, set={"AmountFC": str(total)})

    def delete_entry(self, company: Company, document_number: str) -> None:
        """Delete the entry."""
        self._record(company, document_number, delete=True)

    def _record(self, company: Company, document_number: str, **change: Any) -> None:
        self.change(company, "Entries", {"YourRef": document_number}, **change)

    def change(self, company: Company, table: str, where: dict[str, Any], **change: Any) -> None:
        """Change (``set``) or ``delete`` one record of a company, as somebody at the vendor may."""
        changed = self.control("record", division=int(company.remote_id), table=table, where=where, **change)
        assert changed == 1, f"{changed} records {where} in {table} of {company.remote_id}"

    def spoil(self, company: Company, kind: str, path: str, **rule: Any) -> None:
        """Have the calls of a company to these paths (a regular expression) end in a fault, until they are repaired."""
        self.control("faults", kind=kind, path=f"/{company.remote_id}/({path})", **{"times": -1} | rule)

    def repair(self, company: Company) -> None:
        """End the faults of a company."""
        self.control("faults", clear=f"/{company.remote_id}/")

    def lift_limits(self) -> None:
        """Lift the limits of a minute and of a day."""
        self.control("switches", minute_limit=NO_LIMIT, day_limit=NO_LIMIT)

    def slow_down(self, company: Company, seconds: float) -> None:
        """Let every answer of a division drip."""
        self.control("faults", kind="slow_drip", path=f"/{company.remote_id}/", times=-1, seconds=seconds)

    def throttle(self, company: Company, times: int, retry_after_s: int) -> None:
        """Answer 429 with ``Retry-After``."""
        headers = {"Retry-After": str(retry_after_s)}
        self.control("faults", kind="throttle", path=f"/{company.remote_id}/", times=times, headers=headers)

    def fail_reading(self, company: Company) -> None:
        """Answer 503 with a page."""
        path = f"/{company.remote_id}/{SALES_ENTRIES}"
        self.control("faults", kind="html_503", method="GET", path=path, times=-1)

    def lose_answers(self, how: LostAnswer, times: int) -> None:
        """Spoil the answers of entries and documents made."""
        path = "SalesEntries|Documents"
        self.control("faults", kind=_LOST[how], method="POST", path=path, times=times, seconds=HANG_S)


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(
        document_number=str(row["YourRef"]),
        entry_number=str(row["EntryNumber"]),
        journal=str(row["Journal"]),
        total=Decimal(row["AmountFC"]),
        payment_reference="".join(filter(str.isalnum, row.get("PaymentReference") or "")),
        has_files=bool(row["Document"]),
        total_in_euros=Decimal(row["AmountDC"]),
    )
