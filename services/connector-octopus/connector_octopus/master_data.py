"""Octopus's bookyears, accounts, journals, VAT codes and relations, as typed values read from its rows (octopus §2.2–2.6)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final, Self

from koppel_bookkeeping import Side
from koppel_bookkeeping.periods import Period
from koppel_bookkeeping.settings import VatCodes
from koppel_bookkeeping.vat_categories import UNRATED
from koppel_bookkeeping.vat_situation import VatSituation
from koppel_connector import MasterRecord, values
from koppel_connector.contract import MasterDataStore
from koppel_connector.ledger.records import Records, TypedRecord
from koppel_connector.ledger.relations import RelationRecord

from .api import Row, identity_of, key_id

SALES, PURCHASES, FINANCIAL = "V", "A", "F"
"""The first letter of a journal's key is its type; there is no field for it (octopus §2.5)."""
SELLS: Final = 2
"""``type`` of a VAT code for sales; 1, for purchases, by analogy with journals (octopus §2.6)."""
HEADER_DIGITS_MAX: Final = 3
"""A shorter account is a header such as 600, which no line may use (octopus §5)."""


def periods_in(row: Row) -> list[Period]:
    """Return the periods of a bookyear, each with the bookyear's key as its year."""
    bookyear = key_id(row.get("bookyearKey"))
    found = []
    for each in row.get("periods") or ():
        number, starts_on, ends_on = values.integer(each.get("bookyearPeriod")), _day(each, "start"), _day(each, "end")
        if bookyear is not None and number is not None and starts_on and ends_on:
            found.append(Period(bookyear, number, starts_on, ends_on, str(number)))
    return found


def _day(row: Mapping[str, Any], which: str) -> date | None:
    try:
        return date.fromisoformat(values.text(row.get(f"{which}Date"))[:10])
    except ValueError:
        return None


@dataclass(frozen=True)
class LedgerAccount(TypedRecord):
    """One account of a bookyear's chart."""

    kind: ClassVar[str] = "ledger_account"

    recoverable_percent: Decimal
    """Which part of the VAT is claimed back on it."""
    sales_vat_code: str
    purchase_vat_code: str
    blocked: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Accept the percentage as the string that the kit stores."""
        object.__setattr__(self, "recoverable_percent", Decimal(self.recoverable_percent))

    @property
    def takes_lines(self) -> bool:
        """Whether it is an account to book on."""
        return len(self.code) > HEADER_DIGITS_MAX

    def vat_code(self, side: Side) -> str:
        """Return the VAT code that the accountant gave it; empty where there is none."""
        return self.sales_vat_code if side == "sale" else self.purchase_vat_code

    @classmethod
    def read(cls, row: Row, language: str) -> Self:
        """Read a row of Octopus."""
        code, names = str(key_id(row.get("accountKey")) or ""), row.get("description") or {}
        named = [values.text(names.get(f"description_{each}")) for each in (language.upper(), "NL", "FR", "EN")]
        percent = values.decimal(row.get("vatRecupPercentage"))
        return cls(
            *(code, code, next(filter(None, named), "")),
            recoverable_percent=Decimal(100) if percent is None else percent.normalize(),
            sales_vat_code=values.text(row.get("salesVatCode")),
            purchase_vat_code=values.text(row.get("purchaseVatCode")),
        )


@dataclass(frozen=True)
class Journal(TypedRecord):
    """One journal of a bookyear."""

    kind: ClassVar[str] = "journal"

    blocked: bool
    currency: str
    iban: str
    foreign_currency: ClassVar[bool] = True

    def serves(self, side: Side) -> bool:
        """Whether bookings of this side belong in it."""
        return self.code.startswith(SALES if side == "sale" else PURCHASES)

    @classmethod
    def read(cls, row: Row) -> Self:
        """Read a row of Octopus."""
        code = values.text(row.get("journalKey"))
        return cls(
            *(code, code, values.text(row.get("name"))),
            blocked=values.flag(row.get("closed")),
            currency=values.text(row.get("currencyCode")),
            iban=values.text(row.get("iban") or row.get("ibanAccountNr")),
        )


@dataclass(frozen=True)
class VatCode(TypedRecord):
    """One VAT code of the dossier; accountants make and change them, so none is known by its name."""

    kind: ClassVar[str] = "vat_code"

    percentage: Decimal
    type: int
    is_due_by_buyer: bool = False
    """Whether lines that show no VAT are booked on it, whatever its percentage; only the settings tell (``read_vat_codes``)."""
    blocked: ClassVar[bool] = False
    unusable: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        """Accept the percentage as the string that the kit stores."""
        object.__setattr__(self, "percentage", Decimal(self.percentage))

    @property
    def computes_vat(self) -> bool:
        """Whether an amount of VAT is booked with it."""
        return self.percentage > 0 and not self.is_due_by_buyer

    def serves(self, side: Side) -> bool:
        """Whether Octopus allows it on this side: the wrong one is refused (-75)."""
        return (self.type == SELLS) == (side == "sale")

    def can_mean(self, situation: VatSituation) -> bool:
        """Whether its percentage says what the situation is; of 0 % there are many, and nothing tells them apart."""
        return situation.is_rated and self.percentage == situation.rate

    @classmethod
    def read(cls, row: Row) -> Self:
        """Read a row of Octopus."""
        code = values.text(row.get("code"))
        percentage = values.decimal(row.get("basePercentage")) or Decimal(0)
        return cls(
            *(code, code, values.text(row.get("description"))),
            percentage=percentage.normalize(),
            type=values.integer(row.get("type")) or 0,
        )


@dataclass(frozen=True)
class Relation(RelationRecord):
    """A customer or supplier; ``code`` is the number that Octopus gave it."""

    is_customer: bool
    is_supplier: bool
    sales_account: str
    purchase_account: str
    days_until_due: int | None
    email: str = ""
    iban: str = ""

    def has_role(self, side: Side) -> bool:
        """Whether its ``client`` or ``supplier`` is ticked."""
        return self.is_customer if side == "sale" else self.is_supplier

    def account_code(self, side: Side) -> str:
        """Return the account that Octopus proposes for it; empty where there is none."""
        return self.sales_account if side == "sale" else self.purchase_account

    @classmethod
    def read(cls, row: Row) -> Self:
        """Read a row of Octopus."""
        number = str(key_id(identity_of(row).get("relationKey")) or "")
        # Another type of term, such as "end of month", has no documented number.
        days = values.integer(row.get("expirationDays")) if not values.integer(row.get("expirationType")) else None
        return cls(
            *(number, number, values.text(row.get("name"))),
            vat_number=values.text(row.get("vatNr")),
            enterprise_number="",
            blocked="active" in row and not values.flag(row["active"]),
            is_customer=values.flag(row.get("client")),
            is_supplier=values.flag(row.get("supplier")),
            sales_account=str(values.integer(row.get("defaultBookingAccountClient")) or ""),
            purchase_account=str(values.integer(row.get("defaultBookingAccountSupplier")) or ""),
            days_until_due=days,
            email=values.text(row.get("email")),
            iban=values.text(row.get("ibanAccountNr")),
        )


def read_vat_codes(store: MasterDataStore, settings: VatCodes) -> dict[str, VatCode]:
    """Return the VAT codes by code; those that the settings give to lines without VAT charge none (octopus §3).

    A code of the co-contractor carries 21 %, which the buyer owes, and nothing of Octopus's tells it from a rated one.
    """
    chosen = {**settings.sale, **{f"{key} ": code for key, code in settings.purchase.items()}}
    unrated = {code for key, code in chosen.items() if re.split("[:@ ]", key)[0] in UNRATED}
    return {
        code: replace(each, is_due_by_buyer=True) if code in unrated else each
        for code, each in Records(store, VatCode).all_by_code().items()
    }


def bookyear_record(row: Row) -> MasterRecord:
    """Return a bookyear as the kit keeps it."""
    bookyear = key_id(row.get("bookyearKey"))
    name = values.text(row.get("bookyearDescription")) or str(bookyear)
    return MasterRecord(
        "bookyear", str(bookyear), str(bookyear), name, {"closed": values.flag(row.get("closed"))}, bookyear
    )
