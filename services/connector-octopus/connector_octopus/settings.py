"""Settings: the operator's (environment, contract §2) and those of a connection (contract §7).

Codes are written as Octopus shows them to a person: journal ``V1``, account ``700000``, VAT code ``21``.
"""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from koppel_bookkeeping.settings import BySide, LedgerSettings, PerSide
from koppel_bookkeeping.terms import DAYS_MAX
from koppel_connector import Purpose
from koppel_connector.mail.addresses import Address
from koppel_connector.mail.settings import MailSettings

LIVE_URL: Final = "https://service.inaras.be"
FEED_READS_PER_DAY: Final = 48
WRITES_PER_DAY: Final = 400


class OctopusServiceSettings(MailSettings):
    """``KOPPEL_OCTOPUS_*``: where Octopus is, who we are there and how often it may be called; and how we mail to it."""

    service: ClassVar[str] = "connector-octopus"
    octopus_base_url: str = ""
    """The host, under which every API of Octopus hangs. Unset: ``LIVE_URL`` in production."""
    octopus_software_house_uuid: str = ""
    """Octopus gives it to a software house once, on request (octopus §1.2)."""
    octopus_feed_reads_per_day: int = Field(FEED_READS_PER_DAY, ge=2, le=86_400)
    """Of each feed of changes, for one dossier (octopus §1.5)."""
    octopus_writes_per_day: int = Field(WRITES_PER_DAY, ge=1)
    """Of each operation that writes, for one dossier (octopus §1.5)."""

    @model_validator(mode="after")
    def _has_an_address_and_an_identification(self) -> Self:
        # Without it Octopus refuses every login, which no accountant can change.
        self._needed_in_production("octopus_software_house_uuid")
        self.require_vendor_address("octopus_base_url", LIVE_URL)
        return self


Destination = Literal["booking", "import_viewer"]


class Destinations(BySide[Destination]):
    """Where documents go inside Octopus: into a journal, or to the Document Import Viewer, never both (R100)."""

    sale: Destination = "booking"
    purchase: Destination = "booking"


Folder = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^/\\\x00-\x1f]+$")]


class ImportFolders(BySide[Folder]):
    """The sub-folders of the Document Import Viewer that documents arrive in."""

    sale: Folder = "Verkopen"
    purchase: Folder = "Aankopen"


class ImportMailbox(BySide[Address | None]):
    """The address of the dossier's mailbox (Manage > Dossiers), or of a sub-folder of it (octopus §2.8)."""

    sale: Address | None = None
    purchase: Address | None = None


def _days(conditions: PerSide) -> PerSide:
    """Octopus has no payment conditions that bookings name: only a due date, so the default is a number of days."""
    for days in (conditions.sale, conditions.purchase):
        if days is not None and not (days.isdecimal() and int(days) <= DAYS_MAX):
            raise ValueError(f"“{days}” is no number of days; Octopus wants a due date, so write one such as 30")
    return conditions


class OctopusSettings(LedgerSettings):
    """The settings of one connection. All may be set later; ``missing`` names what is needed for what."""

    login: Literal["password", "oauth"] = "password"
    user: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] | None = None
    password: SecretStr | None = None
    dossier_id: int | None = Field(None, ge=1, le=2**31 - 1, json_schema_extra={"chooses_from": "remote_dossier"})
    language: Literal["nl", "fr", "en"] = "nl"
    """In which Octopus words its refusals."""
    destination: Destinations = Destinations()
    import_folders: ImportFolders = ImportFolders()
    import_mailbox: ImportMailbox = ImportMailbox()
    """Where documents for the viewer are mailed when the File Import API is refused; unset: they wait (R100)."""
    coda_body: Literal["json_string", "raw"] = "json_string"
    """The form in which Octopus takes a CODA file, which sources tell differently (octopus §2.9)."""
    default_payment_condition: Annotated[PerSide, AfterValidator(_days)] = PerSide()
    """Days until a document is due that does not say it, of a relation without a term of its own."""
    allow_foreign_currency: bool = False
    exchange_rate_quotation: Literal["euros_per_unit", "units_per_euro"] = "euros_per_unit"
    """Which way round the dossier reads an exchange rate; no page says it (octopus §3)."""

    @field_validator("import_mailbox")
    @classmethod
    def _can_be_mailed_to(cls, mailbox: ImportMailbox, info: ValidationInfo) -> ImportMailbox:
        service, is_given = info.context, mailbox != ImportMailbox()
        if is_given and isinstance(service, OctopusServiceSettings) and service.mail_server is None:
            raise PydanticCustomError(
                "no_mail_server", "this Koppel sends no mail: its operator sets KOPPEL_SMTP_URL first"
            )
        return mailbox

    def missing(self, purpose: Purpose) -> list[str]:
        """Return the settings without which Octopus is not asked; default accounts are mandatory for documents, too (R094)."""
        by_password = {"user": self.user, "password": self.password} if self.login == "password" else {}
        absent = [name for name, value in by_password.items() if value is None]
        if purpose != "login" and self.dossier_id is None:
            absent.append("dossier_id")
        if purpose == "send":
            books = "booking" in (self.destination.sale, self.destination.purchase)
            absent += self.missing_journals() if books else []
            accounts = self.default_ledger_account
            absent += [f"default_ledger_account.{side}" for side in ("sale", "purchase") if accounts.of(side) is None]
        return absent
