"""What a person enters for a bare PDF (quick entry), and what people set on any document."""

from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from koppel_mesh.http.dates import Day
from koppel_mesh.messages import DocumentKind

from .common import Amount, Code, EnterpriseNumber, Line, LineId, Money, Request

LINES_MAX = 5000


class EnteredParty(Request):
    """The other side: who owes, or whom is owed."""

    name: Line
    enterprise_number: EnterpriseNumber | None = None
    vat_number: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}[0-9A-Z+*]{2,13}$")] | None = None


class EnteredLine(Request):
    """One line: its account alone for a structured document, its content too in quick entry."""

    id: LineId
    ledger_account: Code | None = None
    description: Line | None = None
    net: Amount | None = None
    vat_category: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,2}$")] | None = None
    vat_rate: Amount | None = None


class EnteredVat(Request):
    """The VAT of one category and rate."""

    category: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,2}$")]
    rate: Amount | None = None
    base: Amount
    tax: Amount


class Settable(Request):
    """What people may set on any document that is not locked. ``null`` clears."""

    journal: Code | None = None
    journals: Annotated[dict[UUID, Code], Field(max_length=20)] = Field(
        default_factory=dict, description="By connection, where its books call the journal something else"
    )
    ledger_account: Code | None = None
    reference: Line | None = None
    lines: Annotated[list[EnteredLine], Field(max_length=LINES_MAX)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _each_line_once(self) -> Self:
        if len({line.id for line in self.lines}) != len(self.lines):
            raise ValueError("two lines have the same id")
        return self


class DocumentPatch(Settable):
    """A change. The fields below are quick entry: a structured document tells them itself."""

    kind: DocumentKind | None = None
    number: Line | None = None
    issue_date: Day | None = None
    due_date: Day | None = None
    total: Money | None = None
    counterparty: EnteredParty | None = None
    vat: Annotated[list[EnteredVat], Field(max_length=100)] | None = None


class Metadata(DocumentPatch):
    """The ``metadata`` part of a multipart intake."""

    direction: Literal["sale", "purchase"] | None = None
    forward: bool = True
    """False: to the bookkeeping by hand only (R122)."""


class QuestionAnswer(Request):
    """A person's answer to a question about a document."""

    question: Code
    """``code`` of the question."""
    answer: Code
    """``answer`` of one of its options."""
    reason: Line | None = None


ENTRY_FIELDS = frozenset({"kind", "number", "issue_date", "due_date", "total", "counterparty", "vat"})
NEEDED: dict[DocumentKind, frozenset[str]] = {
    kind: frozenset({"number", "issue_date", "total", "counterparty"})
    for kind in (
        DocumentKind.SALES_INVOICE,
        DocumentKind.SALES_CREDIT_NOTE,
        DocumentKind.PURCHASE_INVOICE,
        DocumentKind.PURCHASE_CREDIT_NOTE,
    )
} | {
    DocumentKind.DAILY_RECEIPTS: frozenset({"issue_date", "total"}),
    DocumentKind.BANK_STATEMENT: frozenset({"issue_date"}),
    DocumentKind.CASH_STATEMENT: frozenset({"issue_date"}),
    DocumentKind.MISCELLANEOUS: frozenset(),
}
"""What must be known of a document of each kind before it can be filed."""


def totals_problem(total: Decimal | None, vat: list[EnteredVat] | None) -> str | None:
    """Return what is wrong when the VAT breakdown does not make the total."""
    if total is None or not vat:
        return None
    made = sum((each.base + each.tax for each in vat), Decimal(0))
    return None if made == total else f"bases and VAT make {made}, the total is {total}"
