"""What a sandbox supplies to the tests of the whole mesh: its companies, its books and its faults, wherever it runs.

The story and the promises (``tests/``) run once for every installed sandbox with a driver; they name no vendor. The kit's
``VendorHarness`` asks much the same for the conformance suite, inside the process of a connector's own tests.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

import httpx2


@dataclass(frozen=True)
class Company:
    """A company whose books the sandbox keeps from its start."""

    remote_id: str
    """As ``GET …/remote-dossiers`` shows it."""
    settings: Mapping[str, Any]
    """Of a connection that books in it, complete."""
    ledger_account: str
    """Code of a ledger account that an import brings."""
    relation: str
    """Name of a relation that an import brings."""


@dataclass(frozen=True)
class Entry:
    """One entry as the books hold it."""

    document_number: str
    entry_number: str
    journal: str
    total: Decimal
    """Including VAT. Negative for a credit note, however the vendor writes it."""
    payment_reference: str
    """Without signs and blanks; empty where there is none."""
    has_files: bool
    total_in_euros: Decimal | None = None
    """As ``total``; None where the sandbox keeps none, and in books that are in euros alone."""


class LostAnswer(StrEnum):
    """How an answer gets lost after the vendor did what was asked."""

    RESET = "reset"
    HALF = "half"
    UNREADABLE = "unreadable"
    HANG = "hang"


class SandboxDriver(ABC):
    """Drives one running sandbox over HTTP, as the vendor's own users and administrators would.

    Args:
        url: where the sandbox hangs.
    """

    connector: ClassVar[str]
    """Name of the service: ``connector-exact``."""
    companies: ClassVar[tuple[Company, Company]]
    """Two companies that one login reaches."""
    company_without_rights: ClassVar[str]
    """``remote_id`` of a company that the login sees and may not book in."""
    login: ClassVar[Mapping[str, Any]] = {}
    """Settings with which a connection is made; empty where a person gives consent in a browser."""
    names_user: ClassVar[bool] = True
    """Whether the vendor says whose login it is, so that the connection shows it."""
    journals: ClassVar[Mapping[str, str]]
    """The journal of each kind of document that the connector takes, as ``Entry.journal`` shows it."""
    booking_operation: ClassVar[str]
    """A part of the operation's name, in the sync log, of the call that books a sales invoice."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx2.Client(base_url=url, timeout=30, trust_env=False)

    def close(self) -> None:
        """Close the connections to the sandbox."""
        self.http.close()

    def control(self, action: str, **body: Any) -> Any:
        """Do one control action (``koppel_sandbox.control``) and return its result."""
        answer = self.http.post(f"_control/{action}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    # ── what the sandbox saw and holds ──

    @abstractmethod
    def entries(self, company: Company) -> list[Entry]:
        """Return the entries in a company's books."""

    def files(self, company: Company, document_number: str) -> list[str] | None:  # noqa: ARG002 - for those who override
        """Return the names of the files with an entry, in the order in which they came; None where the sandbox shows none."""
        return None

    def vat_boxes(self, company: Company, document_number: str) -> dict[str, Decimal] | None:  # noqa: ARG002 - the same
        """Return what an entry does to the Belgian VAT return, by box, as its VAT codes say.

        Purchases are parted into 81, 82 and 83 by the class of the account. None where its codes are not tied to boxes.
        """
        return None

    @abstractmethod
    def call_count(self) -> int:
        """Return how many calls the sandbox has answered that a connector writes into its sync log."""

    @abstractmethod
    def read_count(self, company: Company) -> int:
        """Return how often the sales entries of a company were read, with an answer that holds them."""

    @abstractmethod
    def is_booking(self, method: str, path: str) -> bool:
        """Return whether this request books a sales invoice."""

    def open_company(self, enterprise_number: str) -> Company:  # noqa: ARG002 - for those who override
        """Return a company of one test's own, with this number: what goes wrong there meets no other test.

        A sandbox that cannot make companies returns one of ``companies``.
        """
        return self.companies[0]

    def renumber(self, company: Company, enterprise_number: str) -> None:
        """Have a company that was opened be another one, as after a takeover; only asked where companies can be opened."""
        raise NotImplementedError(f"{type(self).__name__} opens no companies")

    # ── what an accountant does ──

    @abstractmethod
    def close_period(self, company: Company, on: date) -> None:
        """Close the sales journal's period of this day: bookings are refused as ``period_closed``."""

    @abstractmethod
    def open_period(self, company: Company, on: date) -> None:
        """Open it again."""

    @abstractmethod
    def deny_booking(self, company: Company) -> None:
        """Take the right to book sales invoices away: bookings are refused as ``missing_right``."""

    @abstractmethod
    def allow_booking(self, company: Company) -> None:
        """Give it back."""

    @abstractmethod
    def change_total(self, company: Company, document_number: str, total: Decimal) -> None:
        """Change the total of an entry in the books."""

    @abstractmethod
    def delete_entry(self, company: Company, document_number: str) -> None:
        """Delete an entry from the books."""

    # ── faults ──

    @abstractmethod
    def lift_limits(self) -> None:
        """Allow so many calls that no test waits for a limit's window to end."""

    @abstractmethod
    def slow_down(self, company: Company, seconds: float) -> None:
        """Answer every call about a company this late."""

    @abstractmethod
    def throttle(self, company: Company, times: int, retry_after_s: int) -> None:
        """Answer the next calls about a company with "too many", and when to come back."""

    @abstractmethod
    def fail_reading(self, company: Company) -> None:
        """Answer no search of a company's sales entries any more."""

    @abstractmethod
    def lose_answers(self, how: LostAnswer, times: int) -> None:
        """Lose the answers of the next calls that make something; a hang outlasts a deadline of 3 s."""

    def clear_faults(self) -> None:
        """End every fault."""
        self.control("faults", clear=True)
