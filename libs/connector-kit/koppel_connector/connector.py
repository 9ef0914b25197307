"""The interface between the kit and a connector: facts as data, a pure mapping, a thin client.

A connector is one instance without state. It never opens a socket of its own: ``Vendor.call`` is the only way out, because
there the token, the budget, the sync log and the deadline are. It reports by returning a value or raising a verdict.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from koppel_mesh.clock import utc_now
from koppel_mesh.messages import DocumentKind, LocalisedText
from pydantic import BaseModel, SecretStr

from .problems import Problem, ProblemCatalogue
from .verdicts import Blocked, Later, OutcomeUnknown, Rejected, Throttled, Verdict

Phase = Literal["send", "lookup", "read", "read_back", "token"]


# ---------------------------------------------------------------------------------------------------- facts of a vendor


@dataclass(frozen=True)
class HeaderNames:
    """Where a vendor tells its own count. A header that is absent says nothing; it never means zero."""

    limit: str | None = None
    remaining: str | None = None
    reset: str | None = None
    reset_unit: Literal["ms_epoch", "s_epoch", "s_delta"] = "ms_epoch"


@dataclass(frozen=True)
class Window:
    """So many calls per period of the vendor's clock (a whole minute, a whole UTC day)."""

    name: str
    capacity: int
    period_s: int
    headers: HeaderNames | None = None


@dataclass(frozen=True)
class ErrorBudget:
    """How many refused calls per endpoint we allow ourselves; less than the vendor does, so that it never blocks us."""

    capacity: int
    period_s: int
    statuses: frozenset[int]


TokenMeaning = Literal["too_early", "spent", "revoked", "misconfigured", "transient"]


@dataclass(frozen=True)
class TokenError:
    """One line of the table "what a refusal of the token endpoint means". The first line that fits wins."""

    meaning: TokenMeaning
    status: int | None = None
    error: str | None = None
    description: str | None = None
    """Part of ``error_description`` or of a ``Reason`` header, compared without case."""


@dataclass(frozen=True)
class OAuthProfile:
    """OAuth 2.0 authorization code with rotating refresh tokens."""

    authorize_path: str
    token_path: str
    access_valid_s: int = 590
    """A call never starts with an older access token."""
    refresh_not_before_s: int = 0
    """The vendor refuses an earlier refresh, counted from when the pair was received."""
    refresh_valid_days: int = 30
    keep_alive_days: int = 7
    """An idle connection is refreshed this often, so that its grant never lapses."""
    authorize_params: Mapping[str, str] = field(default_factory=dict)
    scope: str | None = None
    client_auth: Literal["body", "basic"] = "body"
    errors: tuple[TokenError, ...] = ()


@dataclass(frozen=True)
class PasswordProfile:
    """Credentials live in the settings, as write-only secret fields."""


@dataclass(frozen=True)
class Application:
    """Our registration with the vendor: where it is and who we are there."""

    base_url: str
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")


@dataclass(frozen=True)
class Profile:
    """The facts about one vendor."""

    name: str
    """Service and URL segment: ``connector-exact``."""
    title: str
    """What people call the vendor: ``Exact Online``."""
    kinds: frozenset[DocumentKind]
    auth: OAuthProfile | PasswordProfile
    settle_s: float
    """How long the vendor may need before a search finds what it just stored."""
    problems: ProblemCatalogue = field(default_factory=ProblemCatalogue)
    windows: tuple[Window, ...] = ()
    error_budget: ErrorBudget | None = None
    deadline_s: float = 20.0
    on_ambiguous: Literal["lookup", "resend_safe", "review"] = "lookup"
    reads_back: bool = True
    """False for targets that cannot be asked: there ``exported`` is the end."""
    max_inflight: int = 1
    """Deliveries of one connection under way at once; 1 keeps order and is kinder to vendors."""
    operation: str = "book"
    """Part of the delivery key; a connector with several effects per document names each."""


# ------------------------------------------------------------------------------------------------------ an open connection


@dataclass(frozen=True)
class VendorAnswer:
    """What came back, complete, within the deadline."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes
    operation: str
    acts: bool
    phase: Phase

    @property
    def text(self) -> str:
        """The body as text; undecodable bytes are replaced."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON with exact numbers.

        Raises:
            ValueError: it is not JSON.
        """
        return json.loads(self.content, parse_float=Decimal)


@dataclass(frozen=True)
class Master:
    """One line of the vendor's master data: a journal, a VAT code, a relation."""

    kind: str
    """``relation``, ``ledger_account``, ``journal``, ``vat_code``, ``payment_condition``, or the connector's own."""
    code: str
    remote_id: str
    name: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    """JSON values. Relations: ``vat_number``, ``enterprise_number``, ``email``, ``iban``, ``is_customer``, ``is_supplier``."""


@dataclass(frozen=True)
class Masters:
    """What an import brought; a list given replaces all lines of its kind."""

    relations: tuple[Master, ...] = ()
    ledger_accounts: tuple[Master, ...] = ()
    journals: tuple[Master, ...] = ()
    vat_codes: tuple[Master, ...] = ()
    payment_conditions: tuple[Master, ...] = ()
    other: tuple[Master, ...] = ()

    def lines(self) -> tuple[Master, ...]:
        """Return every line."""
        return (
            self.relations + self.ledger_accounts + self.journals + self.vat_codes + self.payment_conditions + self.other
        )


class MasterBook(ABC):
    """The imported master data of one connection, in memory."""

    @abstractmethod
    def all(self, kind: str) -> Sequence[Master]:
        """Return every line of ``kind``."""

    @abstractmethod
    def get(self, kind: str, code: str) -> Master | None:
        """Return the line with this code."""

    @abstractmethod
    def find(self, kind: str, key: str, value: str) -> Sequence[Master]:
        """Return the lines whose ``data[key]`` (or ``name``, ``remote_id``) is ``value``; indexed, so cheap to repeat."""

    @abstractmethod
    async def remember(self, master: Master) -> None:
        """Add or replace one line, durably: what the connector created or found on its way."""


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
    masters: MasterBook
    application: Application

    @abstractmethod
    async def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        acts: bool,
        phase: Phase | None = None,
        work: "Work | None" = None,
        endpoint: str | None = None,
        counted: bool = True,
        deadline_s: float | None = None,
    ) -> VendorAnswer:
        """Make one call and return its answer, judged as success by ``Connector.classify``.

        Token, then budget, then a committed line in the sync log, then the bytes under one total deadline, then the
        outcome. ``path`` is appended to the application's base address, unless it is absolute under that address.
        ``json`` may hold Decimals (written as numbers), UUIDs and dates. ``endpoint`` is the key of the error budget
        (``operation`` when not given); ``counted=False`` is for calls the vendor does not count in its windows.
        ``phase`` is what the worker is doing (``send`` within ``Connector.send``) unless given.

        Raises:
            Verdict: what to do next, when the answer is not a success.
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


@dataclass
class Work:
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

    async def content(self, role: str) -> bytes:
        """Return the bytes of one file of the document: ``ubl``, ``pdf`` or ``coda``.

        Raises:
            KeyError: the document has no such file.
        """
        return await self.read_content(role)

    async def save(self, **progress: Any) -> None:
        """Note what was reached. It is durable before the next call's bytes leave, and with the outcome at the latest."""
        self.progress.update(progress)
        self.write_progress(self.progress)


# ---------------------------------------------------------------------------------------------------------- what came of it


@dataclass(frozen=True)
class Sent:
    """The vendor has it."""

    remote_id: str
    entry_number: str | None = None
    entry_url: str | None = None


@dataclass(frozen=True)
class Found:
    """The search by reference found it. ``count`` above 1 goes to a person."""

    remote_id: str
    entry_number: str | None = None
    entry_url: str | None = None
    count: int = 1


@dataclass(frozen=True)
class NotFound:
    """The search was complete and found nothing."""


@dataclass(frozen=True)
class CannotTell:
    """The search could not be completed."""

    reason: str = ""


@dataclass(frozen=True)
class Booked:
    """Seen in the books, totals equal to the cent."""

    entry_number: str
    entry_url: str | None = None


@dataclass(frozen=True)
class NotBooked:
    """There, but not in the books yet."""


@dataclass(frozen=True)
class Vanished:
    """It was there and is there no more."""


@dataclass(frozen=True)
class Differs:
    """In the books, but not as the document says."""

    problem: Problem
    entry_number: str | None = None
    entry_url: str | None = None


ReadBack = Booked | NotBooked | Vanished | Differs


@dataclass(frozen=True)
class RemoteDossier:
    """A division or dossier the login can reach, or sees and cannot use."""

    id: str
    name: str
    reachable: bool
    missing_right: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckStep:
    """One line of a health check."""

    name: str
    """``login``, ``rights``, ``year``, ``journals``, ``vat_codes``."""
    ok: bool
    problem: Problem | None = None
    detail: str | None = None
    message: LocalisedText | None = None


# --------------------------------------------------------------------------------------------------------------- the connector


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
        """Return headers every call carries; the bearer token of OAuth vendors is added by the kit."""
        return {"Accept": "application/json"}

    @abstractmethod
    async def prepare(self, work: Work) -> Any:
        """Turn the document into what ``send`` needs: mapping and master data. May make the relation, idempotently."""

    @abstractmethod
    async def send(self, work: Work, prepared: Any) -> Sent:
        """Put the document into the vendor's books, with ``work.remote_ref`` where a search finds it."""

    @abstractmethod
    async def lookup(self, work: Work) -> Found | NotFound | CannotTell:
        """Search the vendor for ``work.remote_ref``. ``NotFound`` must mean that the search was complete."""

    async def read_back(self, vendor: Vendor, works: Sequence[Work]) -> Mapping[UUID, ReadBack]:
        """Return, by delivery id, what the books say. One call may answer for up to 50; an absent id means "ask later"."""
        return {}

    async def connected_user(self, vendor: Vendor) -> str | None:
        """Return the name of the user who gave the consent (R086)."""
        return None

    async def remote_dossiers(self, vendor: Vendor) -> list[RemoteDossier]:
        """Return what the login can reach, each with the right that is missing."""
        return []

    async def import_masters(self, vendor: Vendor) -> Masters:
        """Return the vendor's master data."""
        return Masters()

    async def check(self, vendor: Vendor) -> AsyncIterator[CheckStep]:
        """Yield the steps of a health check, each by itself. A verdict raised inside ends the step, not the check."""
        return
        yield

    def classify(self, answer: VendorAnswer) -> Verdict | None:
        """Return None for a success, else what to do next. Override for what the vendor means by its statuses."""
        return classify_by_status(answer)


def classify_by_status(answer: VendorAnswer) -> Verdict | None:
    """Judge by HTTP alone (messaging sheet §3.8): a 5xx to a call that acts is ambiguous, most 4xx are a definite no."""
    status = answer.status
    detail = answer.text[:300].strip() or None
    if 200 <= status < 300:
        return None
    if status == 429:
        return Throttled()
    if status == 403:
        return Blocked(Problem("forbidden_by_vendor", detail))
    if status == 401:
        return Blocked(Problem("reauthorise", detail))
    if status == 409 and answer.acts:
        return OutcomeUnknown("409: it may be there already")
    if status >= 500 or status == 408 or status < 200 or 300 <= status < 400:
        if answer.acts:
            return OutcomeUnknown(f"HTTP {status}")
        return Later(retry_after_s(answer.headers), Problem("vendor_unavailable", f"HTTP {status}"))
    return Rejected(Problem("rejected_by_vendor", detail))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a ``Retry-After`` header, in either of its two forms, at most a day."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(min(int(value[:9]), 86_400))
    try:
        wait_s = (parsedate_to_datetime(value) - _vendor_now(headers)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(wait_s, 0.0), 86_400.0)


def _vendor_now(headers: Mapping[str, str]) -> datetime:
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return utc_now()
