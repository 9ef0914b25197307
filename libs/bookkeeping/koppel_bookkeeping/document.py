"""The document as dossier-api answers with it and connectors read it (``GET /dossier-api/v1/documents/{id}``).

One class for both ends: dossier-api builds it, the connector kit parses it. Amounts stand as on paper, a credit note's are
positive, and travel as decimal text. Fields may be added; none is removed, renamed or given another meaning.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, StringConstraints

from koppel_mesh.messages import DeliveryState, DocumentKind, DocumentState, LocalisedText, ProblemData

from .amounts import plain


def _not_a_float(value: Any) -> Any:
    if isinstance(value, float):
        # A JSON number has been through binary floating point by now; a cent may already be lost.
        raise ValueError('amounts are decimal strings, such as "121.00"')
    return value


Amount = Annotated[Decimal, BeforeValidator(_not_a_float), PlainSerializer(plain, return_type=str)]
"""A decimal number, as text on the wire: ``"121.00"``."""
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Total(_Part):
    """An amount in a currency."""

    amount: Amount
    currency: Currency


class Finding(_Part):
    """A rule the document breaks; it travels along and blocks nothing."""

    rule: str
    severity: str
    message: LocalisedText
    xpath: str | None = None
    line: int | None = None


class DocumentFile(_Part):
    """One file of the document."""

    role: str
    """``ubl``, ``pdf`` or ``coda``."""
    media_type: str
    sha256: str
    size_bytes: int
    filename: str | None = None


class QuestionOption(_Part):
    """One answer that a question takes."""

    answer: str
    """What is sent to answer so."""
    label: LocalisedText


class Question(_Part):
    """What a person has to say before the document goes, because guessing could book it wrong."""

    code: str
    """``probable_duplicate`` or ``negative_credit_note``."""
    message: LocalisedText
    options: list[QuestionOption]
    other_document_id: UUID | None = None
    """The document that this one is probably a copy of."""
    answer: str | None = None
    """None while the question is open."""
    answered_at: datetime | None = None
    answered_by: str | None = None
    reason: str | None = None
    """What the person wrote beside the answer."""


class Counterparty(_Part):
    """The other side, as the document or the person who entered it says."""

    name: str | None = None
    enterprise_number: str | None = None
    vat_number: str | None = None


class RecognisedRelation(_Part):
    """Which relation the counterparty was recognised as when the document was filed, and what that relation asks."""

    id: UUID
    source: str
    code: str
    name: str
    journal: str | None = None
    ledger_account: str | None = None


class DocumentLine(_Part):
    """One line; ``ledger_account`` is what a person set, ``accounting_cost`` what the sender wrote (BT-133)."""

    id: str
    description: str | None = None
    net: Amount | None = None
    vat_category: str | None = None
    vat_rate: Amount | None = None
    accounting_cost: str | None = None
    ledger_account: str | None = None


class VatTotal(_Part):
    """The VAT of one category and rate (BG-23)."""

    category: str
    rate: Amount | None = None
    base: Amount
    tax: Amount


class StatementSummary(_Part):
    """One statement of a bank account or cash book."""

    account: str
    currency: str
    number: int | None
    opened_on: date | None
    opening: Amount
    closed_on: date | None
    """Of the closing balance; of a day without movements, which may be written without one, that of its file."""
    closing: Amount
    movements: int
    separate_application: str | None = None
    """The bank's number of an extract that holds only some of the account's movements, and proves no balance."""


class DeliverySummary(_Part):
    """Where the document went, or is going."""

    id: UUID
    connector: str
    connection_id: UUID
    revision: int
    state: DeliveryState
    entry_number: str | None
    entry_url: str | None
    exported_at: datetime | None
    booked_at: datetime | None
    problem: ProblemData | None
    warnings: list[ProblemData] = []
    """What a person should know although nothing is in the way, such as a file that did not go along."""
    ends_as: DeliveryState = DeliveryState.BOOKED
    """The state it ends in where all goes well: exported where no books can be read, as with a mailbox."""


class DocumentSummary(_Part):
    """A document as lists show it."""

    id: UUID
    dossier_id: UUID
    firm_id: UUID
    kind: DocumentKind
    number: str | None
    issue_date: date | None
    due_date: date | None
    total: Total | None
    """Including VAT; of statements the closing balance."""
    currency: str | None
    state: DocumentState
    locked: bool
    revision: int
    sha256: str
    reference: str | None
    journal: str | None
    journals: dict[UUID, str] = {}
    """By connection, where its books call the journal something else; else ``journal`` holds."""
    ledger_account: str | None
    counterparty: Counterparty | None
    relation: RecognisedRelation | None
    content: list[DocumentFile]
    created_at: datetime
    updated_at: datetime
    exported_at: datetime | None
    booked_at: datetime | None


class Document(DocumentSummary):
    """A document with everything that a connector and a person want of it."""

    findings: list[Finding]
    lines: list[DocumentLine]
    vat: list[VatTotal]
    accounting_cost: str | None
    self_billed: bool
    approved_at: datetime | None
    approved_by: str | None
    deliveries: list[DeliverySummary]
    statements: list[StatementSummary]
    questions: list[Question] = []
    signs_reversed: bool = False
    """Whether a person said that the file's amounts stand with the wrong sign: here they are turned, in the file they are not."""

    def file(self, role: str) -> DocumentFile | None:
        """Return the file of that role; None when the document has none."""
        return next((each for each in self.content if each.role == role), None)
