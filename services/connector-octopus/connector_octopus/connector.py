"""The connector to Octopus: the five steps of the kit's export path.

A document becomes a booking (``bookings``), or files in the Document Import Viewer (``import_viewer``); a bank statement goes as
CODA (``statements``). Which of them, the delivery's target says, which was made by the settings of its moment.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel

from koppel_bookkeeping import SIDES
from koppel_bookkeeping.entries_in_books import EntryInBooks, SoughtDocument
from koppel_connector import (
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
    ReadBack,
    Sent,
    Target,
    Vendor,
    VendorAnswer,
)
from koppel_connector.contract import (
    Auth,
    MailReply,
    Notice,
    NoticeEffect,
    RemoteCompany,
    RemoteDossier,
    Verified,
)
from koppel_connector.mail import bounces
from koppel_connector.mail.answers import classify_beside_api
from koppel_connector.mail.settings import MailApplication
from koppel_mesh.messages import STATEMENT_KINDS, DocumentKind

from . import answers, bookings, checks, import_viewer, importing, statements
from .api import Octopus
from .bookings import PreparedBooking
from .entries_of_others import FeedBookings
from .import_viewer import PreparedUpload
from .profile import BOOKING, IMPORT_VIEWER, OAUTH, PASSWORD, PROFILE, STATEMENT, with_budgets
from .settings import OctopusServiceSettings, OctopusSettings
from .statements import PreparedStatement

Prepared = PreparedBooking | PreparedUpload | PreparedStatement


class OctopusConnector(Connector[OctopusSettings, Prepared, OctopusServiceSettings]):
    """Bookings, the Document Import Viewer and CODA of one dossier."""

    profile: ClassVar[Profile] = PROFILE
    settings_model: ClassVar[type[BaseModel]] = OctopusSettings

    def profile_for(self, service_settings: OctopusServiceSettings) -> Profile:
        """Return the profile with the quotas that this service may use up."""
        return with_budgets(service_settings.octopus_feed_reads_per_day, service_settings.octopus_writes_per_day)

    def application(
        self,
        service_settings: OctopusServiceSettings,
        settings: OctopusSettings,  # noqa: ARG002 - one software house serves every connection
    ) -> MailApplication:
        """Return Octopus's address and our identification there, and the mail server for the Document Import Viewer."""
        return service_settings.mail_application(
            service_settings.octopus_base_url, service_settings.octopus_software_house_uuid
        )

    def limit_scope(self, settings: OctopusSettings) -> str | None:
        """Quotas are assumed to count for a dossier (octopus §1.5)."""
        return str(settings.dossier_id) if settings.dossier_id else None

    def targets(self, kind: DocumentKind, settings: OctopusSettings) -> tuple[Target, ...] | Problem:
        """Return the destination of a side, or of statements."""
        if kind in STATEMENT_KINDS:
            return (STATEMENT,) if settings.send_coda else Problem("coda_switched_off")
        if kind not in SIDES:
            return Problem("kind_not_taken", kind.value)
        return (BOOKING,) if settings.destination.of(SIDES[kind]) == "booking" else (IMPORT_VIEWER,)

    def missing_settings(self, settings: OctopusSettings, purpose: Purpose) -> list[str]:
        """Return what must be set: a login, a dossier, journals and default accounts."""
        return settings.missing(purpose)

    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        """Classify an answer as Octopus means it."""
        return answers.failure(answer)

    def classify_mail(self, reply: MailReply) -> ConnectorError | None:
        """Classify the reply of the mail server."""
        return classify_beside_api(reply, "import_mailbox_refused")

    def verify(
        self,
        notice: Notice,
        service_settings: OctopusServiceSettings,
        settings: OctopusSettings | None,  # noqa: ARG002 - the mail proves itself
    ) -> Verified | None:
        """Return the proof that a mail answers one of ours; Octopus itself sends no notices."""
        return bounces.verify(notice, service_settings.return_path)

    def receive(self, notice: Notice) -> Sequence[NoticeEffect]:
        """Return what a mail that came back means."""
        return bounces.receive(notice)

    # ── being let in ──

    def auth(self, settings: OctopusSettings) -> Auth:
        """Return the way in that the settings name."""
        return OAUTH if settings.login == "oauth" else PASSWORD

    def login_key(self, settings: OctopusSettings) -> str | None:
        """An office has one user for all its dossiers; a wrong password stops them all at once."""
        return settings.user.upper() if settings.login == "password" and settings.user else None

    async def log_in(self, vendor: Vendor[OctopusSettings]) -> Mapping[str, str]:
        """Log in by password; the token reaches every dossier."""
        settings = vendor.settings
        assert settings.user is not None and settings.password is not None, "nobody logs in while they are missing"
        return {"Token": await Octopus(vendor).log_in(settings.user, settings.password.get_secret_value())}

    async def open_dossier(self, vendor: Vendor[OctopusSettings]) -> Mapping[str, str]:
        """Open the dossier of the settings; tokens of several live side by side (octopus §1.3)."""
        if vendor.settings.dossier_id is None:
            return {}
        return {"dossierToken": await Octopus(vendor).connect()}

    async def log_in_at(self, vendor: Vendor[OctopusSettings], api: str) -> Mapping[str, str]:
        """Log in at the File Import API."""
        return await import_viewer.log_in(Octopus(vendor), api)

    async def open_dossier_at(
        self,
        vendor: Vendor[OctopusSettings],
        api: str,  # noqa: ARG002 - there is one
    ) -> Mapping[str, str]:
        """Open the dossier at the File Import API."""
        return await import_viewer.open_dossier(Octopus(vendor))

    # ── one document ──

    async def prepare(self, context: DeliveryContext[OctopusSettings]) -> Prepared:
        """Prepare what the delivery was made for."""
        target = context.delivery.target
        if context.delivery.kind in STATEMENT_KINDS:
            return await statements.prepare(context)
        if target is not None and not target.reads_back:
            return await import_viewer.prepare(context)
        return await bookings.prepare(context)

    async def send(self, context: DeliveryContext[OctopusSettings], prepared: Prepared) -> Sent:
        """Send it."""
        match prepared:
            case PreparedBooking():
                return await bookings.send(context, prepared)
            case PreparedUpload():
                return await import_viewer.send(context, prepared)
            case PreparedStatement():
                return await statements.send(context, prepared)

    async def lookup(self, context: DeliveryContext[OctopusSettings]) -> Found | NotFound | CannotTell:
        """Search a booking in the feed of changes, a statement by the balance of its journal."""
        if context.delivery.kind in STATEMENT_KINDS:
            return await statements.lookup(context)
        return await bookings.lookup(context)

    async def read_back(
        self, vendor: Vendor[OctopusSettings], contexts: Sequence[DeliveryContext[OctopusSettings]]
    ) -> Mapping[UUID, ReadBack]:
        """Read a batch of bookings back in one call of the feed."""
        return await bookings.read_back(vendor, contexts)

    async def search_books(
        self, vendor: Vendor[OctopusSettings], documents: Sequence[SoughtDocument]
    ) -> Sequence[EntryInBooks]:
        """Return the bookings with the number of one of the documents, from what the feed of changes told."""
        return await FeedBookings(Octopus(vendor)).search(documents)

    async def changes_in_books(self, vendor: Vendor[OctopusSettings], since: datetime) -> Sequence[NoticeEffect]:
        """Return the bookings that were deleted, which Octopus tells in no other way."""
        return await bookings.deletions(vendor, since)

    # ── the connection ──

    async def ping(self, vendor: Vendor[OctopusSettings]) -> None:
        """Ask for the VAT codes: a short list, which no quota counts."""
        await Octopus(vendor).vat_codes()

    async def connected_user(self, vendor: Vendor[OctopusSettings]) -> str | None:
        """Return the user that the login token belongs to (R086)."""
        return await Octopus(vendor).whoami() or vendor.settings.user

    async def remote_dossiers(self, vendor: Vendor[OctopusSettings]) -> list[RemoteDossier]:
        """Return the dossiers that the login reaches, each with the right that is missing."""
        return await importing.remote_dossiers(vendor)

    async def remote_company(self, vendor: Vendor[OctopusSettings]) -> RemoteCompany | None:
        """Return the company of the dossier in the settings."""
        return await importing.remote_company(vendor)

    async def import_master_data(self, vendor: Vendor[OctopusSettings]) -> MasterData:
        """Return relations, accounts, journals, VAT codes and bookyears."""
        return await importing.master_data(vendor)

    def check(self, vendor: Vendor[OctopusSettings]) -> AsyncIterator[CheckStep]:
        """Yield the health check, step by step."""
        return checks.health_check(vendor)
