"""Sample documents: UBL files of our own (``samples/``), told as dossier-api tells them.

The JSON is read from the file, so that a document and its UBL say the same; ``tests/test_sample_documents.py`` holds it beside
dossier-api's own reading.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid5
from xml.sax.saxutils import escape

import koppel_ubl
from koppel_mesh.messages import DocumentKind

DOSSIER_NAME = "Voorbeeld Atelier BV"
DOSSIER_NUMBER = "0000000196"
"""Enterprise number of the dossier whose documents these are."""
SAMPLE_KINDS = (
    DocumentKind.SALES_INVOICE,
    DocumentKind.SALES_CREDIT_NOTE,
    DocumentKind.PURCHASE_INVOICE,
    DocumentKind.PURCHASE_CREDIT_NOTE,
)
_SAMPLES = Path(__file__).parent / "samples"
_NAMESPACE = UUID("0d7c1a52-93a1-5c52-8f0a-7f4e2a6b9c31")
_NUMBER, _NAME, _ENTERPRISE_NUMBER = "2026-00000", "Exemple Conseil SRL", "0000000295"
"""What the files hold in place of a number and a counterparty of one's own."""


class Sample(NamedTuple):
    """A document of dossier-api (JSON) and its files by role."""

    document: Mapping[str, Any]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Party:
    """A counterparty."""

    name: str
    enterprise_number: str


def party(number: int) -> Party:
    """Return a counterparty; the same for the same number."""
    base = 30 + number
    return Party(f"Voorbeeld Relatie {number} BV", f"{base:08d}{97 - base % 97:02d}")


def sample(number: int, kind: DocumentKind = DocumentKind.SALES_INVOICE, counterparty: Party | None = None) -> Sample:
    """Return a document that can be booked: another for each number and kind, the same for the same.

    Args:
        number: 0 to 99,999; stands at the end of the document's number.
        kind: one of ``SAMPLE_KINDS``.
        counterparty: the other side; the same for every document when not given.
    """
    other = counterparty or party(0)
    swaps = {
        _NUMBER: f"{'C' if 'credit' in kind else ''}2026-{number:05d}",
        _NAME: escape(other.name),
        _ENTERPRISE_NUMBER: other.enterprise_number,
    }
    text = _text(kind)
    for old, new in swaps.items():
        text = text.replace(old, new)
    return read(text.encode(), kind, identifier=uuid5(_NAMESPACE, f"{kind}/{number}"))


@cache
def _text(kind: DocumentKind) -> str:
    return (_SAMPLES / f"{kind.value}.xml").read_text("utf-8")


def read(ubl: bytes, kind: DocumentKind, identifier: UUID) -> Sample:
    """Return a UBL file as a filed document: as dossier-api answers with it, decimals as text."""
    invoice = koppel_ubl.read(ubl)
    sells = kind.value.startswith("sales")
    files = {"ubl": ubl} | ({"pdf": invoice.pdf.content} if invoice.pdf and invoice.pdf.content else {})
    document = {
        "id": str(identifier),
        "kind": kind.value,
        "state": "filed",
        "locked": False,
        "revision": 1,
        "sha256": hashlib.sha256(ubl).hexdigest(),
        "number": invoice.number,
        "issue_date": _text_of(invoice.issue_date),
        "due_date": _text_of(invoice.due_date),
        "currency": invoice.currency,
        "total": {"amount": _text_of(invoice.totals.with_vat), "currency": invoice.currency},
        "counterparty": _party_of(invoice.buyer if sells else invoice.seller),
        "relation": None,
        "reference": None,
        "journal": None,
        "ledger_account": None,
        "accounting_cost": invoice.accounting_cost,
        "self_billed": False,
        "lines": [_line_of(line) for line in invoice.lines],
        "vat": [
            {
                "category": group.category,
                "rate": _text_of(group.rate),
                "base": _text_of(group.taxable),
                "tax": _text_of(group.tax),
            }
            for group in invoice.vat_breakdown
        ],
        "content": [_file_of(role, content) for role, content in files.items()],
        "findings": [],
        "deliveries": [],
        "statements": [],
        "approved_at": None,
        "approved_by": None,
        "exported_at": None,
        "booked_at": None,
        "created_at": "2026-01-15T08:00:00Z",
        "updated_at": "2026-01-15T08:00:00Z",
    }
    return Sample(document, files)


def _party_of(other: koppel_ubl.Party) -> dict[str, Any]:
    return {"name": other.name, "enterprise_number": other.enterprise_number, "vat_number": other.vat_number}


def _line_of(line: koppel_ubl.Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "description": line.item.name,
        "net": _text_of(line.net),
        "vat_category": line.vat.category,
        "vat_rate": _text_of(line.vat.rate),
        "accounting_cost": line.accounting_cost,
        "ledger_account": None,
    }


def _file_of(role: str, content: bytes) -> dict[str, Any]:
    return {
        "role": role,
        "media_type": "application/xml" if role == "ubl" else "application/pdf",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "filename": None,
    }


def _text_of(value: Any) -> str | None:
    return None if value is None else str(value)
