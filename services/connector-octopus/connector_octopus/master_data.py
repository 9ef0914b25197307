"""Octopus's bookyears, accounts, journals, VAT codes and relations, as typed values read from its rows (octopus §2.2–2.6)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Final, Self

from koppel_bookkeeping import Side
from koppel_bookkeeping.periods import Period
from koppel_bookkeeping.settings import VatCodes
from koppel_bookkeeping.vat_categories import UNRATED
from koppel_bookkeeping.vat_situation import VatSituation
from koppel_connector import MasterRecord, values
from koppel_connector.contract import MasterDataStore
from koppel_connector.ledger.records import Columns, Records, TypedRecord
from koppel_connector.ledger.relations import RelationRecord

from .rows import IDENTITY, Row, day_in, identity_of, key_id, key_text, objects_in

SALES, PURCHASES, FINANCIAL = "V", "A", "F"
"""The first letter of a journal's key is its type; there is no field for it (octopus §2.5)."""
SELLS: Final = 2
"""``type`` of a VAT code for sales; 1, for purchases, by analogy with journals (octopus §2.6)."""
EXTERNAL_NUMBER_MAX: Final = 2**31 - 1
_NOT_DIGITS: Final = re.compile("[^0-9]")
HEADER_DIGITS_MAX: Final = 3
"""A shorter account is a header such as 600, which no line may use (octopus §5)."""


def periods_in(row: Row) -> list[Period]:
    """Return the periods of a bookyear, each with the bookyear's key as its year."""
    bookyear = key_id(row.get("bookyearKey"))
    found = []
    for each in objects_in(row.get("periods")):
        number = values.integer(each.get("bookyearPeriod"))
        starts_on, ends_on = day_in(each.get("startDate")), day_in(each.get("endDate"))
        if bookyear is not None and number is not None and starts_on and ends_on:
            found.append(Period(bookyear, number, starts_on, ends_on, str(number)))
    return found


def _number(value: Any) -> int:
    return values.integer(value) or 0


def _code(value: Any) -> str:
    return str(key_id(value) or "")


def _percent(value: Any, absent: int = 0) -> Decimal:
    percent = values.decimal(value)
    return Decimal(absent) if percent is None else percent.normalize()


def _is_inactive(active: Any) -> bool:
    return active is not None and not values.flag(active)


def _relation_key(identity: Row) -> str:
    return _code(identity.get("relationKey"))


def _external_number(identity: Row) -> str:
    """Return the number of another package; 0 is none."""
    return _code(identity.get("externalRelationId"))


_LEDGER_ACCOUNT: Final[Columns] = {
    "id": ("accountKey", _code),
    "code": ("accountKey", _code),
    "name": ("description", values.text),
    "recoverable_percent": ("vatRecupPercentage", partial(_percent, absent=100)),
    "sales_vat_code": ("salesVatCode", values.text),
    "purchase_vat_code": ("purchaseVatCode", values.text),
}
_JOURNAL: Final[Columns] = {
    "id": ("journalKey", key_text),
    "code": ("journalKey", key_text),
    "name": ("name", values.text),
    "blocked": ("closed", values.flag),
    "currency": ("currencyCode", values.text),
    "iban": ("iban", values.text),
}
_VAT_CODE: Final[Columns] = {
    "id": ("code", values.text),
    "code": ("code", values.text),
    "name": ("description", values.text),
    "percentage": ("basePercentage", _percent),
    "type": ("type", _number),
}
_RELATION: Final[Columns] = {
    "id": ("relationIdentificationServiceData", _relation_key),
    "code": ("relationIdentificationServiceData", _relation_key),
    "name": ("name", values.text),
    "vat_number": ("vatNr", values.text),
    # Octopus has no field for it: of a Belgian relation it is the VAT number.
    "enterprise_number": ("", values.text),
    "blocked": ("active", _is_inactive),
    "is_customer": ("client", values.flag),
    "is_supplier": ("supplier", values.flag),
    "sales_account": ("defaultBookingAccountClient", _code),
    "purchase_account": ("defaultBookingAccountSupplier", _code),
    "days_until_due": ("expirationDays", values.integer),
    "email": ("email", values.text),
    "iban": ("ibanAccountNr", values.text),
    "external_number": ("relationIdentificationServiceData", _external_number),
}


@dataclass(frozen=True)
class LedgerAccount(TypedRecord):
    """One account of a bookyear's chart."""

    kind: ClassVar[str] = "ledger_account"
    columns: ClassVar[Columns] = _LEDGER_ACCOUNT

    recoverable_percent: Decimal
    """Which part of the VAT is claimed back on it."""
    sales_vat_code: str
    purchase_vat_code: str
    blocked: ClassVar[bool] = False

    @property
    def takes_lines(self) -> bool:
        """Whether it is an account to book on."""
        return len(self.code) > HEADER_DIGITS_MAX

    def vat_code(self, side: Side) -> str:
        """Return the VAT code that the accountant gave it; empty where there is none."""
        return self.sales_vat_code if side == "sale" else self.purchase_vat_code

    @classmethod
    def read(cls, row: Row, language: str) -> Self:
        """Read a row, with its name in a language, or in another one that it has."""
        names = row.get("description")
        names = names if isinstance(names, Mapping) else {"description_NL": names}
        named = [values.text(names.get(f"description_{each}")) for each in (language.upper(), "NL", "FR", "EN")]
        return cls.from_row({**row, "description": next(filter(None, named), "")})


@dataclass(frozen=True)
class Journal(TypedRecord):
    """One journal of a bookyear."""

    kind: ClassVar[str] = "journal"
    columns: ClassVar[Columns] = _JOURNAL

    blocked: bool
    currency: str
    iban: str
    foreign_currency: ClassVar[bool] = True

    def serves(self, side: Side) -> bool:
        """Whether bookings of this side belong in it."""
        return self.code.startswith(SALES if side == "sale" else PURCHASES)


@dataclass(frozen=True)
class VatCode(TypedRecord):
    """One VAT code of the dossier; accountants make and change them, so none is known by its name."""

    kind: ClassVar[str] = "vat_code"
    columns: ClassVar[Columns] = _VAT_CODE

    percentage: Decimal
    type: int
    is_due_by_buyer: bool = False
    """Whether lines that show no VAT are booked on it, whatever its percentage; only the settings tell (``read_vat_codes``)."""
    blocked: ClassVar[bool] = False
    unusable: ClassVar[str | None] = None

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


@dataclass(frozen=True)
class Relation(RelationRecord):
    """A customer or supplier; ``code`` is the number that Octopus gave it, which no document knows (octopus §2.4)."""

    columns: ClassVar[Columns] = _RELATION
    number_field: ClassVar[str] = "external_number"

    is_customer: bool
    is_supplier: bool
    sales_account: str
    purchase_account: str
    days_until_due: int | None
    email: str = ""
    iban: str = ""
    external_number: str = ""
    """The number by which another package, and so its documents, knows it; empty where there is none."""

    @classmethod
    def number_meant(cls, code: str) -> str:
        """Return the digits of a customer number without leading zeros (octopus §6); empty where Octopus's type has no room."""
        digits = _NOT_DIGITS.sub("", code).lstrip("0")
        return digits if digits and int(digits) <= EXTERNAL_NUMBER_MAX else ""

    def has_role(self, side: Side) -> bool:
        """Whether its ``client`` or ``supplier`` is ticked."""
        return self.is_customer if side == "sale" else self.is_supplier

    def account_code(self, side: Side) -> str:
        """Return the account that Octopus proposes for it; empty where there is none."""
        return self.sales_account if side == "sale" else self.purchase_account

    @classmethod
    def read(cls, row: Row) -> Self:
        """Read a row. Another type of term than days, such as "end of month", has no documented number."""
        days = None if values.integer(row.get("expirationType")) else row.get("expirationDays")
        return cls.from_row({**row, IDENTITY: identity_of(row), "expirationDays": days})


def read_vat_codes(store: MasterDataStore, settings: VatCodes, *, has_vat: bool) -> dict[str, VatCode]:
    """Return the VAT codes by code; those that the settings give to lines without VAT charge none (octopus §3).

    A code of the co-contractor carries 21 %, which the buyer owes, and nothing of Octopus's tells it from a rated one. Where the
    settings give one code to both, the line decides.

    Args:
        store: of the connection.
        settings: what people chose.
        has_vat: whether it is for lines that show VAT.
    """
    chosen = [*settings.sale.items(), *settings.purchase.items()]
    unrated = {code for key, code in chosen if _category(key) in UNRATED}
    if has_vat:
        unrated -= {code for key, code in chosen if _category(key) not in UNRATED}
    return {
        code: replace(each, is_due_by_buyer=True) if code in unrated else each
        for code, each in Records(store, VatCode).all_by_code().items()
    }


def _category(setting_key: str) -> str:
    return re.split("[:@]", setting_key)[0]


def bookyear_record(row: Row) -> MasterRecord:
    """Return a bookyear as the kit keeps it.

    Raises:
        ValueError: it has no key.
    """
    bookyear = key_id(row.get("bookyearKey"))
    if bookyear is None:
        raise ValueError("a row of a bookyear without bookyearKey")
    name = values.text(row.get("bookyearDescription")) or str(bookyear)
    return MasterRecord(
        "bookyear", str(bookyear), str(bookyear), name, {"closed": values.flag(row.get("closed"))}, bookyear
    )
