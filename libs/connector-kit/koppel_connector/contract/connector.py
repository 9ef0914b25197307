"""The interface between the kit and a connector: the vendor as data, a pure mapping, a thin client.

A connector is one instance without state. It never opens a socket of its own: ``Vendor.call`` and ``Vendor.send_mail`` are the
only ways out, because there the token, the budget, the sync log and the deadline are. It reports by returning a value or raising
a ``ConnectorError``.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Generic
from uuid import UUID

from pydantic import BaseModel

from koppel_bookkeeping.entries_in_books import EntryInBooks, SoughtDocument
from koppel_mesh.messages import DocumentKind

from .answers import VendorAnswer, classify_by_status
from .auth import Auth
from .delivery import DeliveryContext
from .errors import ConnectorError
from .mail import MailReply, classify_by_mail_code
from .master_data import MasterData
from .notices import AddressProbe, Notice, NoticeEffect, Verified
from .problems import Problem
from .profile import Application, Profile
from .purpose import Purpose
from .results import CannotTell, CheckStep, Found, NotFound, ReadBack, RemoteCompany, RemoteDossier, Sent
from .target import Target
from .type_parameters import PreparedT, ServiceSettingsT, SettingsT
from .vendor import Vendor

# What a connector does not override takes arguments it does not use.
# ruff: noqa: ARG002


class Connector(ABC, Generic[SettingsT, PreparedT, ServiceSettingsT]):
    """One vendor. Subclass with your own types, fill in, pass an instance to ``connector_service``."""

    profile: ClassVar[Profile]
    settings_model: ClassVar[type[BaseModel]]
    """Settings of a connection (contract §7). Everything may be missing at first; ``SecretStr`` fields are write-only.

    When a person gives them, the settings of the service are the ``context`` of their validation."""

    def profile_for(self, service_settings: ServiceSettingsT) -> Profile:
        """Return what the vendor is like for this service: quotas, and the pace that follows from them, may be agreed on.

        Everything but numbers stays as ``profile`` says.
        """
        return self.profile

    @abstractmethod
    def application(self, service_settings: ServiceSettingsT, settings: SettingsT) -> Application:
        """Return where the vendor is and who we are there, from the service's and the connection's settings."""

    def limit_scope(self, settings: SettingsT) -> str | None:
        """Return what the vendor counts calls by, when several connections share it (a division); else None."""
        return None

    def books_scope(self, settings: SettingsT) -> str | None:
        """Return what names the books that the connection writes to, where several connections may lead to the same.

        Without an answer, those that share a ``limit_scope`` share the books.
        """
        return self.limit_scope(settings)

    def targets(self, kind: DocumentKind, settings: SettingsT) -> tuple[Target, ...] | Problem:
        """Return what becomes of documents of ``kind`` at a connection with these settings, secrets left out.

        A problem makes a blocked delivery, so that whoever looks at the document is told; it is asked again when the settings
        change. Override where the answer depends on the settings, or where a document has several; else the profile's holds.
        """
        target = self.profile.targets.get(kind)
        return (target,) if target is not None else Problem("kind_not_taken", kind.value)

    def missing_settings(self, settings: SettingsT, purpose: Purpose) -> list[str]:
        """Return the names of settings without which the vendor is not asked for this purpose.

        What ``login`` lacks, the others lack too; it need not be named again. What a person chooses from imported master data
        (a journal) must not be needed to import. Deliveries wait as ``blocked`` until nothing is missing to send.
        """
        return []

    def request_headers(self, vendor: Vendor[SettingsT]) -> Mapping[str, str]:
        """Return headers every call carries; what a grant or a session needs is added by the kit."""
        return {"Accept": "application/json"}

    def auth(self, settings: SettingsT) -> Auth:
        """Return how a connection with these settings is let in: ``Profile.auth``, or one of ``Profile.other_auth``."""
        return self.profile.auth

    def login_key(self, settings: SettingsT) -> str | None:
        """Return by what the vendor knows the user behind the settings, when several connections of a firm share one login.

        They share its session and its refusal: after one wrong password none of them tries again until the secrets of one are
        changed, which changes those of all. Never a secret itself: people see it as the user of the connection (R086). None: the
        login is this connection's own.
        """
        return None

    async def log_in(self, vendor: Vendor[SettingsT]) -> Mapping[str, str]:
        """Log in by calls that say so (``Call.logs_in``); return the headers that let the others in, secrets all of them.

        Only for a ``PasswordProfile`` with a ``session_valid_s``. Where ``classify`` makes a ``ReauthorisationRequired`` of a
        wrong password, the connection stops at the first, until its settings change: vendors lock users out.
        """
        # No stub: it is asked of nobody but those, and cannot be abstract, for the others have nothing to log in with.
        raise NotImplementedError(f"{self.profile.name} has sessions and no log_in")

    async def open_dossier(self, vendor: Vendor[SettingsT]) -> Mapping[str, str]:
        """Open a session of the dossier in the settings by calls that say so (``Call.opens_dossier``): the login lets them in.

        Only for a profile with ``dossier_session_valid_s``. Return the headers that calls carry beside those of the login,
        secrets all of them; none while no dossier is chosen.
        """
        # No stub, as with ``log_in``.
        raise NotImplementedError(f"{self.profile.name} has sessions of a dossier and no open_dossier")

    async def log_in_at(self, vendor: Vendor[SettingsT], api: str) -> Mapping[str, str]:
        """Log in at another API of the vendor's (``Call.api``), with the same user and password, as ``log_in`` does.

        A refusal (``ReauthorisationRequired``) is raised to whoever called that API, and is believed for a day, for every
        connection of the login, or until its secrets change; it stops no connection.
        """
        raise NotImplementedError(f"{self.profile.name} calls {api} and has no log_in_at")

    async def open_dossier_at(self, vendor: Vendor[SettingsT], api: str) -> Mapping[str, str]:
        """Open a session of the dossier at another API, as ``open_dossier`` does."""
        raise NotImplementedError(f"{self.profile.name} calls {api} and has no open_dossier_at")

    @abstractmethod
    async def prepare(self, context: DeliveryContext[SettingsT]) -> PreparedT:
        """Turn the document into what ``send`` needs: mapping and master data. May make the relation, idempotently.

        Raises:
            ConnectorError: what to do next.
            CannotBook: the document cannot be booked as it stands; the catalogue says whether that waits for a person.
        """

    @abstractmethod
    async def send(self, context: DeliveryContext[SettingsT], prepared: PreparedT) -> Sent:
        """Put the document into the vendor's books, with ``context.remote_ref`` where a search finds it."""

    @abstractmethod
    async def lookup(self, context: DeliveryContext[SettingsT]) -> Found | NotFound | CannotTell:
        """Search the vendor for ``context.remote_ref``. ``NotFound`` must mean that the search was complete.

        The kit asks after a call without an answer, and before it sends what an earlier delivery of the document (a ``Trace``)
        may have put into the same books; ``context`` then is that of the earlier one.
        """

    async def read_back(
        self, vendor: Vendor[SettingsT], contexts: Sequence[DeliveryContext[SettingsT]]
    ) -> Mapping[UUID, ReadBack]:
        """Return, by delivery id, what the books say. An absent id: "ask later". How many come at once: ``Profile.read_back``."""
        return {}

    async def search_books(
        self, vendor: Vendor[SettingsT], documents: Sequence[SoughtDocument]
    ) -> Sequence[EntryInBooks]:
        """Return the entries with the number of any of these documents, whoever made them; others among them do no harm.

        Only for a profile with a ``book_search``, whose ``batch`` says how many documents come at once: answer them in one call.
        The kit compares what is found with each document, leaves out what we made, and has a person decide.

        Raises:
            ConnectorError: the books cannot be searched. ``Rejected`` says that this question is refused: several documents are
                then asked for one by one, for a day. One that is refused alone, or by ``ActionRequired``, keeps no document back:
                it is warned of, and for a day nothing is asked again.
        """
        # No stub, as with ``log_in``.
        raise NotImplementedError(f"{self.profile.name} has a book search and no search_books")

    async def changes_in_books(self, vendor: Vendor[SettingsT], since: datetime) -> Sequence[NoticeEffect]:
        """Return what people changed or removed in the books since a moment, of a vendor that tells only whoever asks.

        For a profile with ``watch_every_s``. The same may be told twice; the kit does with it what it does with a notice's.
        """
        return ()

    async def ping(self, vendor: Vendor[SettingsT]) -> None:
        """Make the cheapest call that changes nothing: it tells whether a vendor that was away is back.

        Without one, an import or a delivery has to be the probe.
        """
        return

    async def connected_user(self, vendor: Vendor[SettingsT]) -> str | None:
        """Return the name of the user who gave the consent (R086)."""
        return None

    async def remote_dossiers(self, vendor: Vendor[SettingsT]) -> list[RemoteDossier]:
        """Return what the login can reach, each with the right that is missing."""
        return []

    async def remote_company(self, vendor: Vendor[SettingsT]) -> RemoteCompany | None:
        """Return the company whose books the connection leads to; None where the vendor does not tell.

        The kit compares its numbers with the dossier's before anything is sent there, and again with every import.
        """
        return None

    async def missing_rights(self, vendor: Vendor[SettingsT]) -> Sequence[str]:
        """Return the rights, in words, that the user of the login is missing in these books for what the settings want.

        Asked before each import, which may fail for them; a person sees them with the user's name.
        """
        return ()

    async def import_master_data(self, vendor: Vendor[SettingsT]) -> MasterData:
        """Return the vendor's master data."""
        return MasterData()

    async def check(self, vendor: Vendor[SettingsT]) -> AsyncIterator[CheckStep]:
        """Yield the steps of a health check, each by itself. A ``ConnectorError`` raised inside ends the step, not the check.

        Raises:
            ReauthorisationRequired: the grant is dead, after its step was yielded; the kit marks the connection.
        """
        return
        yield

    async def subscribe(self, vendor: Vendor[SettingsT], address: str) -> None:
        """Have the vendor send notices of the connection's books to ``address``, if it does not do so yet.

        Only for a profile with ``notices``; asked with every import. Where it fails the books are read as before.
        """
        # No stub, as with ``log_in``.
        raise NotImplementedError(f"{self.profile.name} has notices and no subscribe")

    def verify(
        self, notice: Notice, service_settings: ServiceSettingsT, settings: SettingsT | None
    ) -> Verified | AddressProbe | None:
        """Return the proof that a notice comes from the vendor; None when it proves nothing, and then it is refused and not kept.

        Pure, and asked of whatever anybody sends: compare secrets with ``hmac.compare_digest``. ``settings`` are those of the
        connection whose id the notice came to; None where it came to the vendor's own key.
        """
        return None

    def receive(self, notice: Notice) -> Sequence[NoticeEffect]:
        """Return what a verified notice tells. Pure; the kit does what follows from it, once.

        What it raises keeps the notice open, with its words as the problem: it is tried again by schedule, then given up.
        """
        return ()

    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        """Return None for a success, else what to do next. Override for what the vendor means by its statuses.

        Whatever tells that a session or an access token is over is a ``SessionOver``: it is renewed and the call made again.
        """
        return classify_by_status(answer)

    def classify_mail(self, reply: MailReply) -> ConnectorError | None:
        """Return None for a success, else what to do next; only asked where messages are sent (``Vendor.send_mail``)."""
        return classify_by_mail_code(reply)
