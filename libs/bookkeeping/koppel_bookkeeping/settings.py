"""The parts of a connection's settings that every ledger has (contract §7), as pydantic models to compose.

Codes are written as the vendor shows them to a person. All parts may be missing at first.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from koppel_mesh.messages import DocumentKind

from .sides import Side
from .vat_categories import CATEGORIES, NO_CATEGORY
from .vat_situation import KINDS, Territory, VatSituation, plain_rate

T = TypeVar("T")
_VAT_KEY: Final = re.compile(
    rf"^(?P<category>[A-Z]{{1,2}}|{NO_CATEGORY})"
    rf"(?::(?:(?P<rate>\d{{1,3}}(?:\.\d{{1,4}})?)|(?P<kind>{'|'.join(sorted(KINDS))})))?"
    rf"(?:@(?P<territory>{'|'.join(Territory)}))?$"
)


def _checked_vat_key(key: str) -> str:
    """Return a key of ``VatCodes`` with the rate written one way only: 21, 6, 5.5."""
    found = _VAT_KEY.match(key.strip())
    if found is None or found["category"] not in CATEGORIES:
        raise ValueError(
            f"“{key}” is no VAT key; write a category, and after it a rate or what it is, and where the counterparty is, "
            f"such as S:21, K:services, E:art44 or AE@EU; {NO_CATEGORY} stands for a line without category"
        )
    detail = plain_rate(Decimal(found["rate"])) if found["rate"] else found["kind"]
    return (
        found["category"] + (f":{detail}" if detail else "") + (f"@{found['territory']}" if found["territory"] else "")
    )


def _code_text(value: object) -> object:
    """Take a code as people copy it: as a number, or with the padding that a vendor shows around it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else value


Code = Annotated[
    str,
    BeforeValidator(_code_text),
    Field(min_length=1, max_length=20, pattern=r"^[^\s\x00'](?:[^\x00']*[^\s\x00'])?$"),
]
# A form shows the master data that a code is chosen from, and asks for it by this kind.
JournalCode = Annotated[Code, Field(json_schema_extra={"chooses_from": "journal"})]
VatCode = Annotated[Code, Field(json_schema_extra={"chooses_from": "vat_code"})]
VatKey = Annotated[str, AfterValidator(_checked_vat_key)]
Iban = Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{2}[0-9]{2}[A-Za-z0-9]{11,30}$")]


class SettingsPart(BaseModel):
    """A part of a connection's settings; an unknown name is a mistake that its author wants to hear of."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Journals(SettingsPart):
    """The journals of a dossier: invoices and credit notes apart (R144, R145), receipts in a journal of their own (R140)."""

    sale: JournalCode | None = None
    sale_credit: JournalCode | None = None
    purchase: JournalCode | None = None
    purchase_credit: JournalCode | None = None
    receipts: JournalCode | None = None

    def of(self, kind: DocumentKind) -> str | None:
        """Return the journal of a kind. Credit notes fall back on the invoices'; receipts never share one with invoices."""
        match kind:
            case DocumentKind.SALES_INVOICE:
                return self.sale
            case DocumentKind.SALES_CREDIT_NOTE:
                return self.sale_credit or self.sale
            case DocumentKind.PURCHASE_INVOICE:
                return self.purchase
            case DocumentKind.PURCHASE_CREDIT_NOTE:
                return self.purchase_credit or self.purchase
            case DocumentKind.DAILY_RECEIPTS:
                return self.receipts
            case _:
                return None


class BySide(SettingsPart, Generic[T]):
    """A setting for each side of the books; a subclass gives what holds where nothing is chosen."""

    sale: T
    purchase: T

    def of(self, side: Side) -> T:
        """Return the setting of one side."""
        return self.sale if side == "sale" else self.purchase


class PerSide(BySide[Code | None]):
    """A code for each side of the books: the ledger account, or the payment condition, of last resort."""

    sale: Code | None = None
    purchase: Code | None = None


class VatCodes(SettingsPart):
    """VAT codes by ``CATEGORY[:RATE|:KIND][@BE|@EU|@XX]``; what is not given is found where the vendor has exactly one.

    ``KIND`` is a ``Supply`` or an ``Exemption``, and ``@`` a ``Territory``. A plain ``AE`` is the co-contractor in
    Belgium and a plain ``K`` goods: abroad it is ``AE@EU`` or ``AE@XX``, and services are ``K:services``.
    """

    sale: dict[VatKey, VatCode] = {}
    purchase: dict[VatKey, VatCode] = {}

    def find(self, situation: VatSituation) -> str | None:
        """Return the code under the most specific key that fits."""
        codes = self.sale if situation.side == "sale" else self.purchase
        return next((codes[key] for key in situation.setting_keys() if key in codes), None)


def _checked_rate_key(key: str) -> str:
    currency, _, day = key.strip().partition(":")
    if re.fullmatch(r"[A-Z]{3}", currency) is None or (day and not _is_date(day)):
        raise ValueError(f"“{key}” is no key of a rate; write currency or currency:date, such as USD:2026-01-15")
    return f"{currency}:{day}" if day else currency


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


RateKey = Annotated[str, AfterValidator(_checked_rate_key)]
Rate = Annotated[Decimal, Field(gt=0, lt=1_000_000, max_digits=16, decimal_places=10)]


class LedgerSettings(SettingsPart):
    """What every connection to a ledger is set up with; a connector adds its own fields in a subclass."""

    journals: Journals = Journals()
    default_ledger_account: PerSide = Field(PerSide(), json_schema_extra={"chooses_from": "ledger_account"})
    default_payment_condition: PerSide = Field(PerSide(), json_schema_extra={"chooses_from": "payment_condition"})
    """Of a relation without one, where the document does not say when it is due."""
    vat_codes: VatCodes = VatCodes()
    exchange_rates: dict[RateKey, Rate] = {}
    """Euros for one unit, by ``currency:date`` or ``currency``, for documents that do not tell their rate."""
    send_coda: bool = False
    """Bank and cash statements go along. Not where the bank sends them there already: the balances would break."""
    statement_journals: dict[Iban, JournalCode] = {}
    """The financial journal of an account, where the vendor does not tell its IBAN."""

    def missing_journals(self) -> list[str]:
        """Return the journals to set before anything can be booked; one journal is enough to begin."""
        journals = self.journals
        return [] if journals.sale or journals.purchase or journals.receipts else ["journals.sale", "journals.purchase"]
