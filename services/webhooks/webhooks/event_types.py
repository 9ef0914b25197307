"""What partners receive: version 1 of each event, as CloudEvents 1.0 in structured JSON (contract §7c).

A field is never removed, renamed or given another meaning, and none becomes required of receivers; another meaning is another
version under another ``dataschema``. ``tests/events`` freezes an example and the JSON Schema of each.
"""

from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SerializeAsAny

from koppel_mesh.messages import ConnectionState, DeliveryState, DocumentKind, ProblemData

SOURCE = "/koppel/webhooks"


class Data(BaseModel):
    """Base of what is told; links lead to the API of Koppel and need a token."""

    model_config = ConfigDict(frozen=True)
    type: ClassVar[str]


class _OfDocument(Data):
    document_id: UUID
    dossier_id: UUID | None
    revision: int = Field(description="Counts the contents of the document.")
    url: str = Field(description="The document at dossier-api.")


class DocumentReceived(_OfDocument):
    """A document was taken in."""

    type: ClassVar[str] = "document.received"
    kind: DocumentKind
    number: str | None
    issue_date: date | None
    received_at: AwareDatetime


class DocumentFindings(_OfDocument):
    """The check of a document found something; findings do not stop it."""

    type: ClassVar[str] = "document.findings"
    count: int = Field(description="How many findings the document has; read them at its url.")


class DocumentApproved(_OfDocument):
    """A document that waited for approval may go."""

    type: ClassVar[str] = "document.approved"
    kind: DocumentKind
    number: str | None


class _OfDelivery(_OfDocument):
    delivery_id: UUID
    connector: str
    connection_id: UUID


class DeliveryExported(_OfDelivery):
    """The accountant's software took a document; whether it is in the books is not yet known."""

    type: ClassVar[str] = "delivery.exported"
    exported_at: AwareDatetime | None


class DeliveryBooked(_OfDelivery):
    """A document is in the books, with its entry number."""

    type: ClassVar[str] = "delivery.booked"
    entry_number: str | None
    entry_url: str | None
    booked_at: AwareDatetime | None


class DeliveryProblem(_OfDelivery):
    """Something stops a document on its way."""

    type: ClassVar[str] = "delivery.problem"
    state: DeliveryState
    problem: ProblemData


class StatementGap(_OfDocument):
    """A statement waits because one before it is missing."""

    type: ClassVar[str] = "statement.gap"
    problem: ProblemData


class ConnectionStateChanged(Data):
    """A connection to the accountant's software was made, lost or repaired."""

    type: ClassVar[str] = "connection.state_changed"
    connection_id: UUID
    dossier_id: UUID
    connector: str
    state: ConnectionState
    problem: ProblemData | None


class ReceiptsPeriodClosed(Data):
    """A period of a receipt book was closed; its invoice follows as a document."""

    type: ClassVar[str] = "receipts.period_closed"
    period_id: UUID
    receipt_book_id: UUID
    dossier_id: UUID
    starts_on: date
    ends_on: date
    number: str | None = Field(description="Of the invoice; null where there was nothing to invoice.")
    total: Decimal = Field(description="Takings in EUR, VAT included.")


class EndpointChallenge(Data):
    """Sent to an endpoint that has not shown yet that it wants events: it answers 2xx and repeats the challenge."""

    type: ClassVar[str] = "endpoint.challenge"
    endpoint_id: UUID
    challenge: str = Field(description='Repeat it in the body of the answer: {"challenge": "…"}, or the bare text.')


class EndpointTest(Data):
    """Sent when the partner asks for a test; it stands for nothing that happened."""

    type: ClassVar[str] = "endpoint.test"
    endpoint_id: UUID


EVENTS: dict[str, type[Data]] = {
    event.type: event
    for event in (
        DocumentReceived,
        DocumentFindings,
        DocumentApproved,
        DeliveryExported,
        DeliveryBooked,
        DeliveryProblem,
        ConnectionStateChanged,
        ReceiptsPeriodClosed,
        StatementGap,
    )
}
"""What an endpoint may ask for."""
ALL_TYPES: dict[str, type[Data]] = {**EVENTS, **{event.type: event for event in (EndpointChallenge, EndpointTest)}}


class CloudEvent(BaseModel):
    """The envelope. ``id`` is also the ``webhook-id`` and stays the same however often the event is sent."""

    model_config = ConfigDict(frozen=True)
    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str = SOURCE
    type: str
    subject: str = Field(description="Id of what the sequence counts: a document, a connection, a period.")
    time: AwareDatetime = Field(description="When we learnt of it.")
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str = Field(description="Address of the JSON Schema of the data, with its version.")
    firmid: UUID | None = Field(None, exclude_if=lambda firm_id: firm_id is None)
    sequence: int = Field(
        description="Rises by one with each event of one subject. Leave aside what is older than you know."
    )
    data: SerializeAsAny[Data]


def schema_path(event_type: str) -> str:
    """Return the path of the JSON Schema of an event's data."""
    return f"/webhooks/v1/schemas/{event_type}"


def body_of(event_id: UUID, data: Data, *, public_url: str, time: AwareDatetime, subject: UUID, **more: object) -> str:
    """Return an event as JSON, the same bytes for whoever gets it; ``more`` are ``firmid`` and ``sequence``."""
    return CloudEvent.model_validate(
        {
            "id": event_id,
            "type": data.type,
            "subject": str(subject),
            "time": time,
            "dataschema": f"{public_url}{schema_path(data.type)}",
            "data": data,
            **more,
        }
    ).model_dump_json()
