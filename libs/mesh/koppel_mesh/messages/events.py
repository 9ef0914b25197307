"""The messages between Koppel's services (contract §8): six facts, each a frozen value.

A fact is thin: ids, kind, hashes. The bytes of a document are fetched from dossier-api by whoever needs them.
Unknown fields are ignored, so a newer sender may add some; a field is never removed or given another meaning —
that would be a new type with the next major version in its name.
"""

from abc import abstractmethod
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PrivateAttr


class DocumentKind(StrEnum):
    """What a document is to the dossier's owner."""

    SALES_INVOICE = "sales_invoice"
    SALES_CREDIT_NOTE = "sales_credit_note"
    PURCHASE_INVOICE = "purchase_invoice"
    PURCHASE_CREDIT_NOTE = "purchase_credit_note"
    DAILY_RECEIPTS = "daily_receipts"
    BANK_STATEMENT = "bank_statement"
    CASH_STATEMENT = "cash_statement"
    MISCELLANEOUS = "miscellaneous"


STATEMENT_KINDS = frozenset({DocumentKind.BANK_STATEMENT, DocumentKind.CASH_STATEMENT})
"""Documents that mean something only after the one before them."""


class DocumentState(StrEnum):
    """How far a document has come, as a person sees it."""

    RECEIVED = "received"
    AWAITING_ENTRY = "awaiting_entry"
    HELD = "held"
    """A person has to answer a question about it."""
    DROPPED = "dropped"
    """A person said that it must not go."""
    AWAITING_APPROVAL = "awaiting_approval"
    FILED = "filed"
    EXPORTED = "exported"
    BOOKED = "booked"


class DeliveryState(StrEnum):
    """How far one delivery of one document to one connection has come."""

    READY = "ready"
    SENDING = "sending"
    EXPORTED = "exported"
    BOOKED = "booked"
    FAILED = "failed"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    REVIEW = "review"
    SUPERSEDED = "superseded"


class ConnectionState(StrEnum):
    """Whether a dossier's connection to a vendor can be used."""

    AUTHORISING = "authorising"
    CONNECTED = "connected"
    DEGRADED = "degraded"
    REAUTHORISE = "reauthorise"
    DISCONNECTED = "disconnected"


class ExportFrequency(StrEnum):
    """When documents go by themselves: only by hand, with last month's, or ten minutes after they came."""

    NEVER = "never"
    LAST_MONTH = "last_month"
    AFTER_10_MINUTES = "after_10_minutes"


class Trigger(StrEnum):
    """What made a document go."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    APPROVAL = "approval"


class WhoCanFix(StrEnum):
    """The role of the person who can make a problem go away."""

    ACCOUNTANT = "accountant"
    ENTREPRENEUR = "entrepreneur"
    OPERATOR = "operator"
    PARTNER = "partner"
    KOPPEL = "koppel"


class Value(BaseModel):
    """A frozen value inside a message."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class LocalisedText(Value):
    """One sentence in the three languages of the portal."""

    nl: str
    fr: str
    en: str


class ProblemData(Value):
    """Why something does not go on, for the person who can fix it."""

    code: str
    message: LocalisedText
    who_can_fix: WhoCanFix
    detail: str | None = None


class ContentRef(Value):
    """One file of a document: its role (``ubl``, ``pdf``, ``coda``) and the hash it is fetched by."""

    role: str
    media_type: str
    sha256: str
    size_bytes: int


class ExportRules(Value):
    """The default settings of a dossier: when its documents go, and what holds them back."""

    frequency: ExportFrequency = ExportFrequency.NEVER
    approval_required: bool = False
    lock_after_export: bool = False


class EventData(Value):
    """Base of the six; ``type`` is also the routing key."""

    type: ClassVar[str]
    needs_listener: ClassVar[bool] = True
    """Whether it waits until some service listens; one that only partners want goes nowhere where nobody does."""
    _traceparent: str | None = PrivateAttr(None)

    @property
    def traceparent(self) -> str | None:
        """The W3C trace this fact belongs to, as its envelope carried it."""
        return self._traceparent

    def traced(self, traceparent: str | None) -> Self:
        """Return the same fact as part of ``traceparent``."""
        fact = self.model_copy()
        fact._traceparent = traceparent
        return fact

    @property
    @abstractmethod
    def subject_id(self) -> UUID:
        """Id of what the fact is about (CloudEvents ``subject``)."""


class DossierChanged(EventData):
    """A dossier was made or its settings changed. dossier-api → scheduler, connectors.

    ``version`` rises with each change of one dossier, so that a late older fact is recognised and left aside.
    """

    type: ClassVar[str] = "dossier.changed.v1"
    dossier_id: UUID
    firm_id: UUID
    name: str
    enterprise_number: str
    language: Literal["nl", "fr", "en"]
    export: ExportRules
    version: int = 0

    @property
    def subject_id(self) -> UUID:
        """Return the dossier's id."""
        return self.dossier_id


class DocumentFact(EventData):
    """What both facts about a document hold.

    ``revision`` counts its contents, ``version`` every change of it, its state's included: it puts late facts in order.
    """

    document_id: UUID
    dossier_id: UUID
    firm_id: UUID
    revision: int
    kind: DocumentKind
    number: str | None
    issue_date: date | None
    created_at: AwareDatetime
    state: DocumentState
    content: tuple[ContentRef, ...]
    version: int = 0
    forward: bool = Field(True, exclude_if=lambda forward: forward)
    """False for what goes to the bookkeeping by hand only, whatever the dossier's rules say (R122); absent: True."""

    @property
    def subject_id(self) -> UUID:
        """Return the document's id."""
        return self.document_id


class DocumentChanged(DocumentFact):
    """A document was taken in, or changed state or content. dossier-api → scheduler."""

    type: ClassVar[str] = "document.changed.v1"
    findings_count: int = Field(0, exclude_if=lambda count: not count)
    """How many findings its check has; absent: none, or an older message."""


class DocumentReady(DocumentFact):
    """A document is to go now. export-scheduler → every connector; a statement by way of connector-coda.

    A statement goes after the one before it. What export-scheduler says of one is heard by connector-coda only, which says it
    again, with a ``sequence_key``, when it is the statement's turn; that is what the other connectors hear.
    """

    type: ClassVar[str] = "document.ready.v1"
    export_id: UUID
    trigger: Trigger
    again: bool = False
    """True for "including already exported": make sure that it is there, never make it twice."""
    sequence_key: str | None = Field(None, exclude_if=lambda key: key is None)
    """Of a statement whose turn it is: the sequence of its account, or of the accounts whose statements share files."""

    @property
    def is_for_connectors(self) -> bool:
        """Return whether connectors deliver it now; a statement is not before it is its turn."""
        return self.kind not in STATEMENT_KINDS or self.sequence_key is not None


class DeliveryChanged(EventData):
    """A delivery moved. Connector → dossier-api, scheduler.

    ``version`` rises with each move of one delivery, so that a late older fact is recognised and left aside.
    """

    type: ClassVar[str] = "delivery.changed.v1"
    delivery_id: UUID
    document_id: UUID
    revision: int
    connector: str
    connection_id: UUID
    state: DeliveryState
    version: int = 0
    firm_id: UUID | None = None
    dossier_id: UUID | None = Field(None, exclude_if=lambda dossier_id: dossier_id is None)
    """Of a delivery to the dossier itself, whose document is not there yet: what pos-ingest could not hand in."""
    entry_number: str | None = None
    entry_url: str | None = None
    exported_at: AwareDatetime | None = None
    booked_at: AwareDatetime | None = None
    problem: ProblemData | None = None
    warnings: tuple[ProblemData, ...] = Field((), exclude_if=lambda warnings: not warnings)
    """What a person should know although nothing is in the way; absent where there is none, as in older messages."""
    ends_as: DeliveryState = Field(DeliveryState.BOOKED, exclude_if=lambda ends_as: ends_as is DeliveryState.BOOKED)
    """The state it ends in where all goes well: exported where no books can be read, as with a mailbox. Absent: booked."""

    @property
    def subject_id(self) -> UUID:
        """Return the delivery's id."""
        return self.delivery_id


class ConnectionChanged(EventData):
    """A connection was made, lost or repaired. Connector → dossier-api, scheduler."""

    type: ClassVar[str] = "connection.changed.v1"
    connection_id: UUID
    dossier_id: UUID
    connector: str
    state: ConnectionState
    version: int = 0
    firm_id: UUID | None = None
    connected_via_user: str | None = None
    problem: ProblemData | None = None

    @property
    def subject_id(self) -> UUID:
        """Return the connection's id."""
        return self.connection_id


class ReceiptsPeriodClosed(EventData):
    """A period of a receipt book was closed: no takings are entered in it any more. pos-ingest → webhooks.

    Its invoice follows as a document of the dossier, known by its number.
    """

    type: ClassVar[str] = "receipts.period_closed.v1"
    needs_listener: ClassVar[bool] = False
    period_id: UUID
    receipt_book_id: UUID
    dossier_id: UUID
    firm_id: UUID
    starts_on: date
    ends_on: date
    number: str | None
    """Of the invoice; None where there was nothing to invoice."""
    total: Decimal
    """Takings in EUR, VAT included."""

    @property
    def subject_id(self) -> UUID:
        """Return the period's id."""
        return self.period_id


EVENT_TYPES: dict[str, type[EventData]] = {
    event.type: event
    for event in (
        DossierChanged,
        DocumentChanged,
        DocumentReady,
        DeliveryChanged,
        ConnectionChanged,
        ReceiptsPeriodClosed,
    )
}
