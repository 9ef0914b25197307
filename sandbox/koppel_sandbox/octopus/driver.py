"""The sandbox Octopus, driven by the tests of the whole mesh."""

import itertools
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from koppel_sandbox.driver import Company, Entry, LostAnswer, SandboxDriver

from .bookings import OPERATION
from .boxes import boxes_of_booking
from .seed import BAKERY, NO_RIGHTS, PASSWORD, STUDIO, USER

HANG_S = 4
_SALES_JOURNALS = ("V1", "V2", "V3")
_LOST = {
    LostAnswer.RESET: "reset_after_commit",
    LostAnswer.HALF: "half_answer_after_commit",
    LostAnswer.UNREADABLE: "html_after_commit",
    LostAnswer.HANG: "hang_after_commit",
}


def connection_settings(dossier: int) -> dict[str, Any]:
    """Return settings enough to book in a dossier."""
    return {
        "user": USER,
        "password": PASSWORD,
        "dossier_id": dossier,
        "journals": {"sale": "V1", "sale_credit": "V2", "purchase": "A1", "purchase_credit": "A2", "receipts": "V3"},
        "default_ledger_account": {"sale": "700000", "purchase": "604000"},
        "default_payment_condition": {"sale": "30", "purchase": "30"},
        "vat_codes": {
            "sale": {"Z": "0", "E": "0VR", "AE": "0MC", "AE@EU": "0ICD", "K": "0IC", "G": "0EX", "O": "0"},
            "purchase": {
                "S:21": "H21",
                "S:12": "H12",
                "S:6": "H6",
                "Z": "H00",
                "E": "HVR",
                "AE": "MC21",
                "K": "ICH21",
            },
        },
    }


def _company(dossier: int) -> Company:
    return Company(str(dossier), connection_settings(dossier), "700000", "Brasserie Het Anker BV")


class OctopusDriver(SandboxDriver):
    """Speaks the control requests of ``control.py``."""

    connector = "connector-octopus"
    companies = (_company(BAKERY), _company(STUDIO))
    company_without_rights = str(NO_RIGHTS)
    login: ClassVar = {"user": USER, "password": PASSWORD}
    journals: ClassVar = {
        "sales_invoice": "V1",
        "sales_credit_note": "V2",
        "purchase_invoice": "A1",
        "purchase_credit_note": "A2",
        "daily_receipts": "V3",
    }
    booking_operation = OPERATION
    _dossiers = itertools.count(50_001)

    def open_company(self, enterprise_number: str) -> Company:
        """Open a dossier with the master data of the others."""
        number = next(self._dossiers)
        name, vat_number = f"Dossier {number}", f"BE{enterprise_number}"
        self.control("dossier", dossier=number, dossierDescription=name, vatNr=vat_number)
        return _company(number)

    def renumber(self, company: Company, enterprise_number: str) -> None:
        """Change the VAT number of a dossier."""
        self.control("dossier", dossier=int(company.remote_id), vatNr=f"BE{enterprise_number}")

    def entries(self, company: Company) -> list[Entry]:
        """Return the bookings in a dossier's books."""
        return [_entry(row) for row in self._bookings(company)]

    def files(self, company: Company, document_number: str) -> list[str]:
        """Return the names of the files attached to a booking."""
        return [file["fileName"] for file in self._booking(company, document_number)["files"]]

    def vat_boxes(self, company: Company, document_number: str) -> dict[str, Decimal]:
        """Return the boxes by the VAT codes of a booking's lines."""
        return boxes_of_booking(self._booking(company, document_number))

    def _booking(self, company: Company, document_number: str) -> dict[str, Any]:
        [found] = [row for row in self._bookings(company) if row["comment"] == document_number]
        return found

    def _bookings(self, company: Company) -> list[dict[str, Any]]:
        bookings: list[dict[str, Any]] = self.http.get(f"_control/dossiers/{company.remote_id}/ledger").json()[
            "bookings"
        ]
        return bookings

    def call_count(self) -> int:
        """Return the length of the sandbox's log of requests to its APIs."""
        return len(self.http.get("_control/requests").json())

    def read_count(self, company: Company) -> int:
        """Return how often the feed of bookings was answered with some."""
        wanted = {"operation": f"GET {OPERATION}/modified", "status": "200", "dossier": company.remote_id}
        return len(self.http.get("_control/requests", params=wanted).json())

    def is_booking(self, method: str, path: str) -> bool:
        """Return whether this is a POST to buysellbookings."""
        return method == "POST" and path.endswith(f"/{OPERATION}")

    def close_period(self, company: Company, on: date) -> None:
        """Close the sales journals until the period of the day."""
        years = self.http.get(f"_control/dossiers/{company.remote_id}/bookyears").json()
        periods = [period for year in years for period in year["periods"]]
        day = on.isoformat()
        (number,) = [one["bookyearPeriod"] for one in periods if one["startDate"] <= day <= one["endDate"]]
        self._close(company, number)

    def open_period(self, company: Company, on: date) -> None:
        """Open them again, whatever the day."""
        del on
        self._close(company, 0)

    def _close(self, company: Company, period: int) -> None:
        for journal in _SALES_JOURNALS:
            self.control("journal", dossier=int(company.remote_id), journal=journal, closedPeriod=period)

    def deny_booking(self, company: Company) -> None:
        """Take the right from the user whose login Koppel has."""
        self.control("user", user=USER, deny=[[int(company.remote_id), OPERATION]])

    def allow_booking(self, company: Company) -> None:
        """Give the right back."""
        self.control("user", user=USER, allow=[[int(company.remote_id), OPERATION]])

    def change_total(self, company: Company, document_number: str, total: Decimal) -> None:
        """Change ``amount``."""
        self._record(company, document_number, set={"amount": str(total)})

    def delete_entry(self, company: Company, document_number: str) -> None:
        """Delete the booking, so that the feed of deletions names it."""
        self._record(company, document_number, delete=True)

    def _record(self, company: Company, document_number: str, **change: Any) -> None:
        changed = self.change(company, "bookings", {"comment": document_number}, **change)
        assert changed == 1, f"{changed} bookings of {document_number} in {company.remote_id}"

    def change(self, company: Company, table: str, where: dict[str, Any], **change: Any) -> int:
        """Change (``set``) or ``delete`` records of a dossier, one in each bookyear where they have years; return how many."""
        changed: int = self.control("record", dossier=int(company.remote_id), table=table, where=where, **change)
        assert changed, f"no record {where} in {table} of {company.remote_id}"
        return changed

    def spoil(self, company: Company, kind: str, path: str = "", **rule: Any) -> None:
        """Have the calls of a dossier to these paths (a regular expression) end in a fault, until they are repaired."""
        self.control("faults", kind=kind, path=f"{_path(company)}({path})", **{"times": -1} | rule)

    def repair(self, company: Company) -> None:
        """End the faults of a dossier."""
        self.control("faults", clear=_path(company))

    def lift_limits(self) -> None:
        """Count no calls; the sandbox does so from its start."""
        self.control("switches", daily_limits=False)

    def slow_down(self, company: Company, seconds: float) -> None:
        """Let every answer of a dossier drip."""
        self.spoil(company, "slow_drip", seconds=seconds)

    def throttle(self, company: Company, times: int, retry_after_s: int) -> None:
        """Answer 429 with ``Retry-After``."""
        self.spoil(company, "throttle", times=times, headers={"Retry-After": str(retry_after_s)})

    def fail_reading(self, company: Company) -> None:
        """Answer 502 with a page."""
        self.spoil(company, "html_502", f"{OPERATION}|bookyears/.*/bookings", method="GET")

    def lose_answers(self, how: LostAnswer, times: int) -> None:
        """Spoil the answers of bookings made."""
        self.control("faults", kind=_LOST[how], method="POST", path=OPERATION, times=times, seconds=HANG_S)


def _path(company: Company) -> str:
    return f"/dossiers/{company.remote_id}/"


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(
        document_number=str(row["comment"]),
        entry_number=f"{row['journalKey']}/{str(row['bookyearPeriodeNr'])[:4]}/{row['documentSequenceNr']}",
        journal=str(row["journalKey"]),
        total=Decimal(row["amount"]),
        payment_reference="".join(filter(str.isalnum, row["reference"])),
        has_files=bool(row["files"]),
    )
