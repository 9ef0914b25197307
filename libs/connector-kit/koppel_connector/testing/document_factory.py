"""Sample documents: UBL files of our own (``samples/``), told as dossier-api tells them.

A document and its UBL say the same, for it is read from the file as dossier-api reads it; ``tests/test_sample_documents.py``
compares the two.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid5
from xml.sax.saxutils import escape

import koppel_ubl
from koppel_bookkeeping import SIDES, Document, from_ubl
from koppel_bookkeeping.document import DocumentFile, Total
from koppel_mesh.messages import DocumentKind, DocumentState

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
_FILED_AT = datetime(2026, 1, 15, 8, 0, tzinfo=UTC)
_NAMESPACE = UUID("0d7c1a52-93a1-5c52-8f0a-7f4e2a6b9c31")
_NUMBER, _NAME, _ENTERPRISE_NUMBER = "2026-00000", "Exemple Conseil SRL", "0000000295"
"""What the files hold in place of a number and a counterparty of one's own."""
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


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


def with_signs_reversed(original: Sample) -> Sample:
    """Return the document with a file whose amounts have the wrong sign, and with a person's word that they have."""
    ubl = koppel_ubl.write(from_ubl.reverse_signs(koppel_ubl.read(original.files["ubl"])))
    document = original.document
    return read(ubl, DocumentKind(document["kind"]), UUID(document["id"]), signs_reversed=True)


def entered(original: Sample) -> Sample:
    """Return the document as a PDF without UBL: its totals, VAT and counterparty are what a person entered."""
    files = {"pdf": _PDF}
    document = Document.model_validate(
        {
            **original.document,
            "sha256": hashlib.sha256(_PDF).hexdigest(),
            "accounting_cost": None,
            "lines": [],
            "content": [_file_of(role, content) for role, content in files.items()],
        }
    )
    return Sample(document.model_dump(mode="json"), files)


def read(ubl: bytes, kind: DocumentKind, identifier: UUID, *, signs_reversed: bool = False) -> Sample:
    """Return a UBL file as a filed document: as dossier-api answers with it."""
    invoice = koppel_ubl.read(ubl)
    if signs_reversed:
        invoice = from_ubl.reverse_signs(invoice)
    total, currency = from_ubl.total_of(invoice), (invoice.currency or "").upper()
    files = {"ubl": ubl} | ({"pdf": invoice.pdf.content} if invoice.pdf and invoice.pdf.content else {})
    document = Document(
        id=identifier,
        dossier_id=_NAMESPACE,
        firm_id=_NAMESPACE,
        kind=kind,
        state=DocumentState.FILED,
        locked=False,
        revision=1,
        sha256=hashlib.sha256(ubl).hexdigest(),
        number=invoice.number,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        currency=currency,
        total=None if total is None else Total(amount=total, currency=currency),
        counterparty=from_ubl.counterparty_of(invoice.buyer if SIDES[kind] == "sale" else invoice.seller),
        relation=None,
        reference=None,
        journal=None,
        ledger_account=None,
        accounting_cost=invoice.accounting_cost,
        self_billed=False,
        lines=from_ubl.lines_of(invoice),
        vat=from_ubl.vat_of(invoice),
        content=[_file_of(role, content) for role, content in files.items()],
        findings=[],
        deliveries=[],
        statements=[],
        signs_reversed=signs_reversed,
        approved_at=None,
        approved_by=None,
        exported_at=None,
        booked_at=None,
        created_at=_FILED_AT,
        updated_at=_FILED_AT,
    )
    return Sample(document.model_dump(mode="json"), files)


def _file_of(role: str, content: bytes) -> DocumentFile:
    return DocumentFile(
        role=role,
        media_type="application/xml" if role == "ubl" else "application/pdf",
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
    )
