"""What can be told to this connector: by the operator (environment, contract §2) and per connection (contract §7).

Codes are written as Exact shows them to a person, never its GUIDs.
"""

import re
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from koppel_connector.settings import ConnectorSettings

from .masters import Side


class ExactServiceSettings(ConnectorSettings):
    """``KOPPEL_EXACT_*``: where Exact is and how our app is registered there."""

    exact_base_url: str = "https://start.exactonline.be"
    exact_client_id: str = ""
    exact_client_secret: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _production_is_registered(self) -> Self:
        # Without them every consent ends in a refusal of Exact's, and nobody who gives one can mend that.
        self._needed_in_production("exact_client_id", "exact_client_secret")
        return self


_VAT_KEY: Final = re.compile(r"^(?P<category>[A-Z]{1,2})(?::(?P<rate>\d{1,3}(?:\.\d{1,4})?))?$")
VAT_CATEGORIES: Final = frozenset({"S", "Z", "E", "AE", "K", "G", "O", "L", "M", "B"})


def vat_key(category: str, rate: Decimal | None) -> str:
    """Return ``category:rate`` with the rate written one way only: 21, 6, 5.5."""
    if rate is None:
        return category
    plain = format(rate.normalize(), "f")
    return f"{category}:{plain}"


def _checked_vat_key(key: str) -> str:
    found = _VAT_KEY.match(key.strip())
    if found is None or found["category"] not in VAT_CATEGORIES:
        raise ValueError(f"“{key}” is no VAT key; write category or category:rate, such as S:21 or AE")
    return vat_key(found["category"], Decimal(found["rate"]) if found["rate"] else None)


def _code_text(value: object) -> object:
    """Take a code as people copy it: as a number, or with the padding Exact shows around it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else value


def _journal_only(value: str) -> str:
    if value != "journal":
        raise ValueError(f"destination “{value}” is not available yet; choose “journal”")
    return value


Code = Annotated[
    str,
    BeforeValidator(_code_text),
    Field(min_length=1, max_length=20, pattern=r"^[^\s\x00'](?:[^\x00']*[^\s\x00'])?$"),
]
VatKey = Annotated[str, AfterValidator(_checked_vat_key)]
Destination = Annotated[Literal["journal", "mailbox", "scan_service"], AfterValidator(_journal_only)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Destinations(_Part):
    """Where documents go inside Exact (R080). Mailbox and ScanService are refused until they exist."""

    sale: Destination = "journal"
    purchase: Destination = "journal"


class Journals(_Part):
    """The journals of a dossier: invoices and credit notes apart (R144), receipts in a journal of their own (R140)."""

    sale: Code | None = None
    sale_credit: Code | None = None
    purchase: Code | None = None
    purchase_credit: Code | None = None
    receipts: Code | None = None


class LedgerAccounts(_Part):
    """The account of last resort per side."""

    sale: Code | None = None
    purchase: Code | None = None

    def of(self, side: Side) -> str | None:
        """Return the account of one side."""
        return self.sale if side == "sale" else self.purchase


class VatCodes(_Part):
    """VAT codes by ``category:rate`` or ``category``; what is not given is found where Exact has exactly one."""

    sale: dict[VatKey, Code] = {}
    purchase: dict[VatKey, Code] = {}

    def find(self, side: Side, category: str, rate: Decimal | None) -> str | None:
        """Return the code for category and rate, else for the category alone."""
        codes = self.sale if side == "sale" else self.purchase
        return codes.get(vat_key(category, rate)) or codes.get(category)


class ExactSettings(_Part):
    """The settings of one connection. All may come later; what is missing to send is told by ``missing``."""

    division: int | None = Field(None, ge=1, le=2**31 - 1)
    destination: Destinations = Destinations()
    journals: Journals = Journals()
    default_ledger_account: LedgerAccounts = LedgerAccounts()
    vat_codes: VatCodes = VatCodes()
    entry_numbers: Literal["vendor", "document"] = "vendor"
    """``document``: the invoice number becomes Exact's entry number where it is free; a taken one is never overwritten."""
    send_coda: Literal[False] = False

    def missing(self) -> list[str]:
        """Return the settings without which nothing can be booked."""
        absent = [] if self.division else ["division"]
        if not (self.journals.sale or self.journals.purchase or self.journals.receipts):
            absent += ["journals.sale", "journals.purchase"]
        return absent
