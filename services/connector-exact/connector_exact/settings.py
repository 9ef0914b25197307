"""Settings: the operator's (environment, contract §2) and those of a connection (contract §7).

Codes are written as Exact shows them to a person, never its GUIDs.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, SecretStr, model_validator

from koppel_bookkeeping import Side
from koppel_bookkeeping.settings import BySide, Code, LedgerSettings
from koppel_connector.contract import Purpose
from koppel_connector.settings import ConnectorSettings

LIVE_URL: Final = "https://start.exactonline.be"


class ExactServiceSettings(ConnectorSettings):
    """``KOPPEL_EXACT_*``: where Exact is and how our app is registered there."""

    exact_base_url: str = ""
    """Unset: ``LIVE_URL`` in production; a laptop without the sandbox has no Exact."""
    exact_client_id: str = ""
    exact_client_secret: SecretStr = SecretStr("")
    exact_webhook_secret: SecretStr = SecretStr("")
    """Of the app's registration, one for all its subscriptions. Unset: Exact is not asked for notifications."""

    @model_validator(mode="after")
    def _has_an_address_and_a_registration(self) -> Self:
        # Without them Exact refuses every consent, and the person who gives it cannot change that.
        self._needed_in_production("exact_client_id", "exact_client_secret")
        self.require_vendor_address("exact_base_url", LIVE_URL)
        return self


Destination = Literal["journal", "mailbox", "scan_service"]
StatementDestination = Literal["mailbox", "journal", "document"]


class Destinations(BySide[Destination]):
    """Where documents go inside Exact: into a journal, to the digital mailbox or to ScanService, never to two of them (R080)."""

    sale: Destination = "journal"
    purchase: Destination = "journal"
    statement: StatementDestination = "mailbox"
    """Of statements (``send_coda``): CODA to the mailbox, which must be linked to each account in Exact; entries of a financial
    journal; or a Document that only keeps the file (R081, exact §3.11). One of them for each statement."""


class ExactSettings(LedgerSettings):
    """The settings of one connection. All may be set later; ``missing`` names what is needed for what."""

    division: int | None = Field(None, ge=1, le=2**31 - 1, json_schema_extra={"chooses_from": "remote_dossier"})
    destination: Destinations = Destinations()
    entry_numbers: Literal["vendor", "document"] = "vendor"
    """``document``: the invoice number becomes Exact's entry number where it is free; no entry is ever overwritten."""
    statement_account: Annotated[Code, Field(json_schema_extra={"chooses_from": "ledger_account"})] | None = None
    """The suspense account of the lines of statements that are entered in a journal."""

    @property
    def books(self) -> bool:
        """Whether any documents go into journals."""
        return "journal" in (self.destination.sale, self.destination.purchase)

    @property
    def mails(self) -> list[tuple[Destination, Side | None]]:
        """Return the destinations that are no journal, and the sides that go there; a bank statement has none."""
        sides: tuple[Side, ...] = ("sale", "purchase")
        coda: list[tuple[Destination, Side | None]] = [("mailbox", None)] if self._statements_go("mailbox") else []
        return [*coda, *((to, side) for side in sides if (to := self.destination.of(side)) != "journal")]

    @property
    def enters_statements(self) -> bool:
        """Whether statements become entries of financial journals."""
        return self._statements_go("journal")

    @property
    def stores_documents(self) -> bool:
        """Whether Documents are made: of entries, or of statements outside the mailbox."""
        return self.books or (self.send_coda and not self._statements_go("mailbox"))

    def _statements_go(self, destination: StatementDestination) -> bool:
        return self.send_coda and self.destination.statement == destination

    def missing(self, purpose: Purpose) -> list[str]:
        """Return the settings without which Exact is not asked; a login reaches every division, and finds which there are."""
        absent = [] if self.division or purpose == "login" else ["division"]
        # The others bring the journals that a person chooses from, or say which of them are wrong.
        return absent + (self.missing_journals() if purpose == "send" and self.books else [])
