"""What was read of a structured document, freed of its format. Values only."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from koppel_bookkeeping.document import Counterparty, DocumentLine, VatTotal
from koppel_mesh.messages import DocumentKind

from .kinds import Parties


@dataclass(frozen=True)
class Embedded:
    """The human-readable PDF that travels inside the document."""

    data: bytes
    filename: str | None


@dataclass(frozen=True)
class ParsedInvoice:
    """One invoice or credit note."""

    parties: Parties
    number: str | None
    issue_date: date | None
    due_date: date | None
    currency: str
    total: Decimal
    seller: Counterparty
    buyer: Counterparty
    self_billed: bool
    accounting_cost: str | None
    lines: list[DocumentLine] = field(default_factory=list)
    vat: list[VatTotal] = field(default_factory=list)
    pdf: Embedded | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class ParsedStatements:
    """One file of bank or cash-book statements."""

    kind: DocumentKind
    number: str | None
    closed_on: date
    currency: str | None
    """None when the file tells of accounts in several currencies."""
    closing: Decimal | None
    """The balance after the last statement; None when the file tells of several accounts."""
    holder_numbers: frozenset[str]
    """Enterprise numbers of the holders, ten digits; many banks leave them out."""
    statements: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)


def finding(
    rule: str, severity: str, *, nl: str, fr: str, en: str, xpath: str | None = None, line: int | None = None
) -> dict[str, Any]:
    """Return something worth knowing of a document, shaped as ``koppel_bookkeeping.document.Finding``."""
    message = {"nl": nl, "fr": fr, "en": en}
    return {"rule": rule, "severity": severity, "message": message, "xpath": xpath, "line": line}
