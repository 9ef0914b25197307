"""Answers about documents and their problems."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from koppel_mesh.messages import DocumentKind, DocumentState, LocalisedText, ProblemData

from .common import Money


class FindingBody(BaseModel):
    """A rule the document breaks; it travels along and blocks nothing."""

    rule: str
    severity: str
    message: LocalisedText
    xpath: str | None = None
    line: int | None = None


class ContentBody(BaseModel):
    """One file of the document."""

    role: str
    media_type: str
    sha256: str
    size_bytes: int
    filename: str | None = None


class PartyBody(BaseModel):
    """The other side, as the document or the person who entered it says."""

    name: str | None = None
    enterprise_number: str | None = None
    vat_number: str | None = None


class RelationSummary(BaseModel):
    """Which relation the counterparty was recognised as at intake, and what that relation asks."""

    id: UUID
    source: str
    code: str
    name: str
    journal: str | None = None
    ledger_account: str | None = None


class LineBody(BaseModel):
    """One line; ``ledger_account`` is what a person set, ``accounting_cost`` what the sender wrote (BT-133)."""

    id: str
    description: str | None = None
    net: str | None = None
    vat_category: str | None = None
    vat_rate: str | None = None
    accounting_cost: str | None = None
    ledger_account: str | None = None


class VatBody(BaseModel):
    """The VAT of one category and rate."""

    category: str
    rate: str | None = None
    base: str
    tax: str


class StatementBody(BaseModel):
    """One statement of a bank account or cash book."""

    account: str
    currency: str
    number: int | None
    opened_on: date | None
    opening: str
    closed_on: date | None
    closing: str
    movements: int


class DeliveryBody(BaseModel):
    """Where the document went, or is going."""

    id: UUID
    connector: str
    connection_id: UUID
    revision: int
    state: str
    entry_number: str | None
    entry_url: str | None
    exported_at: datetime | None
    booked_at: datetime | None
    problem: ProblemData | None


class DocumentSummary(BaseModel):
    """A document as lists show it."""

    id: UUID
    dossier_id: UUID
    firm_id: UUID
    kind: DocumentKind
    number: str | None
    issue_date: date | None
    due_date: date | None
    total: Money | None
    currency: str | None
    state: DocumentState
    locked: bool
    revision: int
    sha256: str
    reference: str | None
    journal: str | None
    ledger_account: str | None
    counterparty: PartyBody | None
    relation: RelationSummary | None
    content: list[ContentBody]
    created_at: datetime
    updated_at: datetime
    exported_at: datetime | None
    booked_at: datetime | None


class DocumentBody(DocumentSummary):
    """A document with everything a connector and a person want of it."""

    findings: list[FindingBody] = Field(default_factory=list)
    lines: list[LineBody] = Field(default_factory=list)
    vat: list[VatBody] = Field(default_factory=list)
    accounting_cost: str | None = None
    self_billed: bool = False
    approved_at: datetime | None = None
    approved_by: str | None = None
    deliveries: list[DeliveryBody] = Field(default_factory=list)
    statements: list[StatementBody] = Field(default_factory=list)


class ProblemItem(BaseModel):
    """An open problem."""

    id: UUID
    code: str
    message: LocalisedText
    who_can_fix: str
    detail: str | None
    dossier_id: UUID
    document_id: UUID | None
    connector: str
    connection_id: UUID
    delivery_id: UUID | None
    first_seen_at: datetime
    last_seen_at: datetime
    count: int


def content_list(rows: list[dict[str, Any]]) -> list[ContentBody]:
    """Return the files of a document row."""
    return [ContentBody.model_validate(row) for row in rows]
