"""A vendor's master data: journals, VAT codes, relations, as a connector sees them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class MasterRecord:
    """One line of the vendor's master data: a journal, a VAT code, a relation."""

    kind: str
    """``relation``, ``ledger_account``, ``journal``, ``vat_code``, ``payment_condition``, or the connector's own."""
    code: str
    remote_id: str
    name: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    """JSON, Decimals and dates. Relations: ``vat_number``, ``enterprise_number``, ``email``, ``iban``, ``is_customer``,
    ``is_supplier``."""
    year: int | None = None
    """The bookyear it belongs to, where the vendor has a chart or journals for each; the same id may stand in several."""


@dataclass(frozen=True)
class MasterData:
    """What an import brought; a list given replaces all lines of its kind."""

    relations: tuple[MasterRecord, ...] = ()
    ledger_accounts: tuple[MasterRecord, ...] = ()
    journals: tuple[MasterRecord, ...] = ()
    vat_codes: tuple[MasterRecord, ...] = ()
    payment_conditions: tuple[MasterRecord, ...] = ()
    other: tuple[MasterRecord, ...] = ()

    def lines(self) -> tuple[MasterRecord, ...]:
        """Return every line."""
        return (
            self.relations
            + self.ledger_accounts
            + self.journals
            + self.vat_codes
            + self.payment_conditions
            + self.other
        )


class MasterDataStore(ABC):
    """The imported master data of one connection, in memory.

    With a ``year``, records of that year and those without one are found; without it, those of every year, the newest first.
    """

    @abstractmethod
    def all(self, kind: str, year: int | None = None) -> Sequence[MasterRecord]:
        """Return every line of ``kind``."""

    @abstractmethod
    def get(self, kind: str, code: str, year: int | None = None) -> MasterRecord | None:
        """Return the line with this code."""

    @abstractmethod
    def find(self, kind: str, key: str, value: str, year: int | None = None) -> Sequence[MasterRecord]:
        """Return the lines whose ``data[key]`` (or ``name``, ``remote_id``) is ``value``; indexed, so cheap to repeat."""

    @abstractmethod
    async def remember(self, master: MasterRecord) -> None:
        """Add or replace one line, durably: what the connector created or found on its way."""
