"""The interface between the kit and a connector: the vendor as data, a pure mapping, a thin client.

A connector is one instance without state. It never opens a socket of its own: ``Vendor.call`` is the only way out, because
there the token, the budget, the sync log and the deadline are. It reports by returning a value or raising a ``ConnectorError``.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel

from koppel_mesh.clock import utc_now
from koppel_mesh.messages import DocumentKind

from .answers import VendorAnswer, classify_by_status, retry_after_s
from .calls import Call, Reply
from .errors import ConnectorError
from .limits import ErrorBudget, HeaderNames, Window
from .master_data import MasterData, MasterDataStore, MasterRecord
from .profile import (
    Application,
    OAuthProfile,
    PasswordProfile,
    Profile,
    TokenError,
    TokenMeaning,
)
from .results import (
    Booked,
    CannotTell,
    CheckStep,
    Differs,
    Found,
    NotBooked,
    NotFound,
    ReadBack,
    RemoteDossier,
    Sent,
    Vanished,
)

__all__ = [
    "Application",
    "Booked",
    "Call",
    "CannotTell",
    "CheckStep",
    "Connection",
    "Connector",
    "Delivery",
    "DeliveryContext",
    "Differs",
    "ErrorBudget",
    "Found",
    "HeaderNames",
    "MasterData",
    "MasterDataStore",
    "MasterRecord",
    "NotBooked",
    "NotFound",
    "OAuthProfile",
    "PasswordProfile",
    "Profile",
    "ReadBack",
    "RemoteDossier",
    "Reply",
    "Sent",
    "TokenError",
    "TokenMeaning",
    "Vanished",
    "Vendor",
    "VendorAnswer",
    "Window",
    "classify_by_status",
    "retry_after_s",
]


@dataclass(frozen=True)
class Connection:
    """Who is connected to what."""

    id: UUID
    dossier_id: UUID
    firm_id: UUID
    state: str
    connected_via_user: str | None = None


class Vendor(ABC):
    """An open connection: the only way to reach the vendor."""

    connection: Connection
    settings: Any
    """The connector's ``settings_model``, secrets included."""
    master_data: MasterDataStore
    application: Application

    @abstractmethod
    async def call(self, call: Call) -> VendorAnswer:
        """Make one call and return its answer, judged as success by ``Connector.classify``.

        Token, then budget, then a committed line in the sync log, then the bytes under one total deadline, then the
        outcome. While a delivery is in hand, every call counts as made for it.

        Raises:
            ConnectorError: what to do next, when the answer is not a success.
        """


@dataclass(frozen=True)
class Delivery:
    """One document on its way to one connection."""

    id: UUID
    document_id: UUID
    revision: int
    operation: str
    kind: DocumentKind
    remote_id: str | None = None
    due_at: datetime = field(default_factory=utc_now)
    """When it was to go, by plan or because somebody asked: what the vendor told before may have changed since."""


@dataclass
class DeliveryContext:
    """What a connector gets in hand for one delivery."""

    delivery: Delivery
    remote_ref: str
    """``KPL-`` and 20 characters: the same for the same (connection, operation, document, revision), always."""
    remote_uuid: UUID
    """UUIDv5 of the same key, for vendors that take a client's id."""
    document: Mapping[str, Any]
    """dossier-api's document, as JSON with Decimals as strings. Empty in ``read_back``, which goes by ``progress``."""
    dossier: Mapping[str, Any]
    """``id``, ``name``, ``enterprise_number``, ``language``."""
    vendor: Vendor
    progress: dict[str, Any]
    """JSON scratch that outlives us: read it before each step, so that a resumed send repeats no finished step."""
    read_content: Callable[[str], Awaitable[bytes]]
    write_progress: Callable[[dict[str, Any]], None]
    has_prior_delivery: bool = False
    """Whether another delivery of the document, over another connection mostly, may have changed something at the vendor."""

    async def content(self, role: str, at_hand: Iterable[bytes] = ()) -> bytes:
        """Return the bytes of one file of the document: ``ubl``, ``pdf`` or ``coda``.

        Args:
            role: which file.
            at_hand: files found inside another one; the one with the right hash is taken instead of being asked for again.

        Raises:
            KeyError: the document has no such file.
        """
        wanted = {file.get("sha256") for file in self.document.get("content", ()) if file.get("role") == role}
        for file in at_hand:
            if hashlib.sha256(file).hexdigest() in wanted:
                return file
        return await self.read_content(role)

    async def save(self, **progress: Any) -> None:
        """Note what was reached. It is durable before the next call's bytes leave, and with the outcome at the latest."""
        self.progress.update(progress)
        self.write_progress(self.progress)


# What a connector does not override takes arguments it does not use.
# ruff: noqa: ARG002


class Connector(ABC):
    """One vendor. Subclass, fill in, pass an instance to ``connector_service``."""

    profile: ClassVar[Profile]
    settings_model: ClassVar[type[BaseModel]]
    """Settings of a connection (contract §7). Everything may be missing at first; ``SecretStr`` fields are write-only."""

    @abstractmethod
    def application(self, service_settings: Any, settings: Any) -> Application:
        """Return where the vendor is and who we are there, from the service's and the connection's settings."""

    def limit_scope(self, settings: Any) -> str | None:
        """Return what the vendor counts calls by, when several connections share it (a division); else None."""
        return None

    def missing_settings(self, settings: Any) -> list[str]:
        """Return the names of settings without which nothing can be sent; such deliveries wait as ``blocked``."""
        return []

    def request_headers(self, vendor: Vendor) -> Mapping[str, str]:
        """Return headers every call carries; what a grant or a session needs is added by the kit."""
        return {"Accept": "application/json"}

    async def log_in(self, vendor: Vendor) -> Mapping[str, str]:
        """Log in by calls that say so (``Call.logs_in``); return the headers that let the others in, secrets all of them.

        Only for a ``PasswordProfile`` with a ``session_valid_s``. Where ``classify`` makes a ``ReauthorisationRequired`` of a
        wrong password, the connection stops at the first, until its settings change: vendors lock users out.
        """
        # No stub: it is asked of nobody but those, and cannot be abstract, for the others have nothing to log in with.
        raise NotImplementedError(f"{self.profile.name} has sessions and no log_in")

    @abstractmethod
    async def prepare(self, context: DeliveryContext) -> Any:
        """Turn the document into what ``send`` needs: mapping and master data. May make the relation, idempotently."""

    @abstractmethod
    async def send(self, context: DeliveryContext, prepared: Any) -> Sent:
        """Put the document into the vendor's books, with ``context.remote_ref`` where a search finds it."""

    @abstractmethod
    async def lookup(self, context: DeliveryContext) -> Found | NotFound | CannotTell:
        """Search the vendor for ``context.remote_ref``. ``NotFound`` must mean that the search was complete."""

    async def read_back(self, vendor: Vendor, contexts: Sequence[DeliveryContext]) -> Mapping[UUID, ReadBack]:
        """Return, by delivery id, what the books say. One call may answer for up to 50; an absent id means "ask later"."""
        return {}

    async def connected_user(self, vendor: Vendor) -> str | None:
        """Return the name of the user who gave the consent (R086)."""
        return None

    async def remote_dossiers(self, vendor: Vendor) -> list[RemoteDossier]:
        """Return what the login can reach, each with the right that is missing."""
        return []

    async def import_master_data(self, vendor: Vendor) -> MasterData:
        """Return the vendor's master data."""
        return MasterData()

    async def check(self, vendor: Vendor) -> AsyncIterator[CheckStep]:
        """Yield the steps of a health check, each by itself. A ``ConnectorError`` raised inside ends the step, not the check.

        Raises:
            ReauthorisationRequired: the grant is dead, after its step was yielded; the kit marks the connection.
        """
        return
        yield

    def classify(self, answer: VendorAnswer) -> ConnectorError | None:
        """Return None for a success, else what to do next. Override for what the vendor means by its statuses."""
        return classify_by_status(answer)
