"""What was read of a structured document, freed of its format. Values only."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from .kinds import Parties


@dataclass(frozen=True)
class Embedded:
    """The human-readable PDF that travels inside the document."""

    data: bytes
    filename: str | None


@dataclass(frozen=True)
class Facts:
    """One invoice or credit note. The JSON parts are shaped as ``models.documents`` shows them."""

    parties: Parties
    number: str | None
    issue_date: date | None
    due_date: date | None
    currency: str
    total: Decimal
    seller: dict[str, Any]
    buyer: dict[str, Any]
    self_billed: bool
    accounting_cost: str | None
    lines: list[dict[str, Any]] = field(default_factory=list)
    vat: list[dict[str, Any]] = field(default_factory=list)
    pdf: Embedded | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)
