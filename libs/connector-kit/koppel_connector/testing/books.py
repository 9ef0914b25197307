"""What a vendor's books hold of one document, and what of it is not as the document says (P3)."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Self

from koppel_bookkeeping.sides import CREDIT_NOTES, SIDES, Side
from koppel_mesh.messages import DocumentKind

from .document_factory import Sample


@dataclass(frozen=True)
class HeldLine:
    """One line of a booking, signed as its total is."""

    net: Decimal
    rate: Decimal | None = None
    """Percentage of VAT; None where the vendor's lines have none."""


@dataclass(frozen=True)
class HeldBooking:
    """One booking as the vendor's books hold it. None: this vendor keeps no such thing."""

    reference: str
    """The delivery's remote reference, ``KPL-…``."""
    side: Side | None = None
    total: Decimal | None = None
    """Including VAT. Positive for an invoice, negative for a credit note, however the vendor writes the two."""
    vat: Decimal | None = None
    """Signed as the total."""
    lines: Sequence[HeldLine] | None = None
    currency: str | None = None
    counterparty: str | None = None
    """Enterprise number of the relation that it stands on, ten digits."""
    files: Mapping[str, bytes] | None = None
    """By name; the bytes are what is compared."""


@dataclass(frozen=True)
class TypedIn:
    """A document as an accountant types it in by hand: its number is written otherwise."""

    sells: bool
    number: str
    issued_on: date
    total: Decimal
    """Including VAT; negative for a credit note."""
    name: str
    vat_number: str

    @classmethod
    def of(cls, document: Mapping[str, Any], cents: int = 0) -> Self:
        """Return what stands in the books of a document in the shape of dossier-api; ``cents`` more than it says."""
        kind, party = DocumentKind(document["kind"]), document["counterparty"]
        total = Decimal(document["total"]["amount"]) + Decimal(cents) / 100
        return cls(
            sells=SIDES[kind] == "sale",
            number=document["number"].replace("-", "/"),
            issued_on=date.fromisoformat(document["issue_date"]),
            total=-total if kind in CREDIT_NOTES else total,
            name=party["name"],
            vat_number=f"BE{party['enterprise_number']}",
        )


KEPT_BY_BOOKS = ("side", "total", "currency", "counterparty")
"""What every vendor with books keeps of a booking; a harness that does not tell it leaves nothing to compare."""


def differences(held: HeldBooking, sample: Sample) -> list[str]:
    """Return what the books hold otherwise than the document says; empty when it is booked right."""
    document, found = sample.document, []
    kind = DocumentKind(document["kind"])
    sign = -1 if kind in CREDIT_NOTES else 1
    expected = {
        "side": SIDES[kind],
        "total": sign * Decimal(document["total"]["amount"]),
        "vat": sign * sum((Decimal(group["tax"]) for group in document["vat"]), Decimal(0)),
        "currency": document["currency"],
        "counterparty": document["counterparty"]["enterprise_number"],
    }
    for name, value in expected.items():
        kept = getattr(held, name)
        if kept is not None and kept != value:
            found.append(f"{name} {kept}, the document says {value}")
    if held.lines is not None:
        found += _lines_differ(held.lines, document["vat"], sign)
    if held.files is not None:
        found += _files_differ(held.files, sample.files)
    return found


def _lines_differ(lines: Sequence[HeldLine], groups: Sequence[Mapping[str, Any]], sign: int) -> list[str]:
    """Compare by rate: a vendor may book several lines of a document as one."""
    with_rates = all(line.rate is not None for line in lines)
    held: dict[Decimal, Decimal] = defaultdict(Decimal)
    for line in lines:
        held[line.rate or Decimal(0)] += line.net
    said: dict[Decimal, Decimal] = defaultdict(Decimal)
    for group in groups:
        said[Decimal(group["rate"] or 0) if with_rates else Decimal(0)] += sign * Decimal(group["base"])
    return [
        f"lines at {rate} % make {held[rate]}, the document says {said[rate]}"
        for rate in sorted({*held, *said})
        if held[rate] != said[rate]
    ]


def _files_differ(held: Mapping[str, bytes], files: Mapping[str, bytes]) -> list[str]:
    kept = {hashlib.sha256(content).hexdigest() for content in held.values()}
    return [
        f"the file {role} is missing" for role, file in files.items() if hashlib.sha256(file).hexdigest() not in kept
    ]
