"""The connector to Exact Online: the steps of the kit's export path.

A document becomes an entry in a journal (``entries``), or a message to the digital mailbox or ScanService (``mailbox``); a
statement (``statements``) goes to the mailbox as CODA, becomes entries (``bank_entries``), or is kept as a Document.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel

from koppel_bookkeeping import SIDES
from koppel_bookkeeping.entries_in_books import EntryInBooks, SoughtDocument
from koppel_connector import (
    Application,
    CannotTell,
    CheckStep,
    Connector,
    ConnectorError,
    DeliveryContext,
    Found,
    MasterData,
    NotFound,
    Problem,
    Profile,
    Purpose,
    Sent,
    Target,
    Vendor,
    VendorAnswer,
)
from koppel_connector.contract import (
    AddressProbe,
    Notice,
    NoticeEffect,
    ReadBack,
    RemoteCompany,
    RemoteDossier,
    Verified,
)
from koppel_connector.ledger import reading_back
from koppel_mesh.messages import STATEMENT_KINDS, DocumentKind

from . import answers, bank_entries, checks, entries, entries_of_others, importing, mailbox, notices, rights, statements
from .api import Exact
from .bank_entries import PreparedBankEntries
from .entries import PreparedEntry
from .mailbox import PreparedMessage
from .profile import ENTERED_STATEMENT, ENTRY, KEPT_STATEMENT, MAIL, PROFILE, STATEMENT
from .settings import ExactServiceSettings, ExactSettings, StatementDestination

Prepared = PreparedEntry | PreparedMessage | PreparedBankEntries
STATEMENTS_GO: Mapping[StatementDestination, Target] = {
    "mailbox": STATEMENT,
    "journal": ENTERED_STATEMENT,
    "document": KEPT_STATEMENT,
}


class ExactConnector(Connector[ExactSettings, Prepared, ExactServiceSettings]):
    """Entries in journals, the digital mailbox, ScanService and statements of one division."""

    profile: ClassVar[Profile] = PROFILE
    settings_model: ClassVar[type[BaseModel]] = ExactSettings

    def profile_for(self, service_settings: ExactServiceSettings) -> Profile:
        """Without the secret that signs them, no notifications are asked for."""
        has_secret = bool(service_settings.exact_webhook_secret.get_secret_value())
        return self.profile if has_secret else replace(self.profile, notices=None)

    def application(
        self,
        service_settings: ExactServiceSettings,
        settings: ExactSettings,  # noqa: ARG002 - one registration serves every connection
    ) -> Application:
        """Return Exact's address and our registration there; one host serves one country."""
        return Application(
            service_settings.exact_base_url,
            service_settings.exact_client_id,
            service_settings.exact_client_secret,
        )

    def limit_scope(self, settings: ExactSettings) -> str | None:
        """Exact counts calls per app and division, for all its users together."""
        return str(settings.division) if settings.division else None

    def targets(self, kind: DocumentKind, settings: ExactSettings) -> tuple[Target, ...] | Problem:
        """Return the destination of a side, or of statements; whatever becomes of a document, it is one delivery (R080)."""
        if kind in STATEMENT_KINDS:
            return (
                (STATEMENTS_GO[settings.destination.statement],) if settings.send_coda else Problem("coda_switched_off")
            )
        if kind not in SIDES:
            return Problem("kind_not_taken", kind.value)
        return (ENTRY,) if settings.destination.of(SIDES[kind]) == "journal" else (MAIL,)

    def missing_settings(self, settings: ExactSettings, purpose: Purpose) -> list[str]:
        """Return what must be set: a company to ask anything of it, a journal to book."""
        return settings.missing(purpose)

    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        """Classify an answer as Exact means it."""
        return answers.failure(answer)

    # ── one document ──

    async def prepare(self, context: DeliveryContext[ExactSettings]) -> Prepared:
        """Prepare what the delivery was made for."""
        if context.delivery.kind in STATEMENT_KINDS:
            return await statements.prepare(context)
        if mailbox.takes(context):
            return await mailbox.prepare(context)
        return await entries.prepare(context)

    async def send(self, context: DeliveryContext[ExactSettings], prepared: Prepared) -> Sent:
        """Send it."""
        match prepared:
            case PreparedEntry():
                return await entries.send(context, prepared)
            case PreparedMessage():
                return await mailbox.send(context, prepared)
            case PreparedBankEntries():
                return await bank_entries.send(context, prepared)

    async def lookup(self, context: DeliveryContext[ExactSettings]) -> Found | NotFound | CannotTell:
        """Search the entry, the message or the bank entries that were sent."""
        if bank_entries.took(context):
            return await bank_entries.lookup(context)
        return await (mailbox.lookup if mailbox.took(context) else entries.lookup)(context)

    async def read_back(
        self, vendor: Vendor[ExactSettings], contexts: Sequence[DeliveryContext[ExactSettings]]
    ) -> Mapping[UUID, ReadBack]:
        """Read entries back with their lines, and messages with what became of them."""
        ways = {way: [each for each in contexts if way.took(each)] for way in (mailbox, bank_entries)}
        ways[entries] = [each for each in contexts if not any(way.took(each) for way in ways)]
        return await reading_back.each_apart(way.read_back(vendor, took) for way, took in ways.items() if took)

    async def search_books(
        self, vendor: Vendor[ExactSettings], documents: Sequence[SoughtDocument]
    ) -> Sequence[EntryInBooks]:
        """Search up to 30 documents in one call a side, by YourRef: Exact takes the same one twice (§5.5)."""
        return await entries_of_others.search(vendor, documents)

    # ── the connection ──

    async def ping(self, vendor: Vendor) -> None:
        """Ask ``current/Me``: one row, for which no right is needed."""
        await Exact(vendor).me()

    async def connected_user(self, vendor: Vendor) -> str | None:
        """Return who gave the consent (R086)."""
        me = await Exact(vendor).me()
        return str(me.get("FullName") or me.get("UserName") or "") or None

    async def remote_dossiers(self, vendor: Vendor) -> list[RemoteDossier]:
        """Return the divisions that the login reaches, each with the right that is missing."""
        return await importing.remote_dossiers(vendor)

    async def remote_company(self, vendor: Vendor) -> RemoteCompany | None:
        """Return the company of the division in the settings."""
        return await importing.remote_company(Exact(vendor))

    async def missing_rights(self, vendor: Vendor) -> list[str]:
        """Return the rights that the user is missing in the division (R085-R087)."""
        return list(map(str, await rights.missing(Exact(vendor), rights.wanted(vendor.settings))))

    async def import_master_data(self, vendor: Vendor) -> MasterData:
        """Return the division's relations, GLAccounts, Journals, VATCodes and PaymentConditions."""
        return await importing.master_data(Exact(vendor))

    async def subscribe(self, vendor: Vendor, address: str) -> None:
        """Have Exact send notifications of entries, relations and GLAccounts."""
        await notices.subscribe(vendor, address)

    def verify(
        self,
        notice: Notice,
        service_settings: ExactServiceSettings,
        settings: ExactSettings | None,  # noqa: ARG002 - one secret serves every division
    ) -> Verified | AddressProbe | None:
        """Return the proof by HashCode."""
        return notices.verify(notice, service_settings.exact_webhook_secret.get_secret_value())

    def receive(self, notice: Notice) -> Sequence[NoticeEffect]:
        """Return what a notification means."""
        return notices.receive(notice)

    def check(self, vendor: Vendor) -> AsyncIterator[CheckStep]:
        """Yield the health check, step by step."""
        return checks.health_check(vendor)
