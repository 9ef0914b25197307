"""Rows as the bodies that callers get."""

from collections.abc import Iterable
from typing import Any

from koppel_bookkeeping import Document
from koppel_bookkeeping.document import (
    Counterparty,
    DeliverySummary,
    DocumentFile,
    DocumentLine,
    DocumentSummary,
    RecognisedRelation,
    Total,
)

from .models.dossiers import DossierBody, ExportRulesBody


def dossier_body(row: Any) -> DossierBody:
    """Return a dossier."""
    return DossierBody(
        id=row.id,
        firm_id=row.firm_id,
        name=row.name,
        enterprise_number=row.enterprise_number,
        language=row.language,
        email=row.email,
        reference=row.reference,
        export=ExportRulesBody(
            frequency=row.export_frequency,
            approval_required=row.approval_required,
            lock_after_export=row.lock_after_export,
        ),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def document_summary(row: Any) -> DocumentSummary:
    """Return a document as lists show it."""
    return DocumentSummary(**_summary(row))


def document_body(row: Any, deliveries: Iterable[Any] = ()) -> Document:
    """Return a document in full."""
    detail = row.detail
    accounts = row.line_accounts
    return Document(
        **_summary(row),
        findings=row.findings,
        lines=[DocumentLine(**line, ledger_account=accounts.get(line["id"])) for line in detail.get("lines", [])],
        vat=detail.get("vat") or [],
        accounting_cost=detail.get("accounting_cost"),
        self_billed=detail.get("self_billed", False),
        approved_at=row.approved_at,
        approved_by=row.approved_by,
        deliveries=[delivery_body(each) for each in deliveries],
        statements=detail.get("statements", []),
        questions=row.questions,
        signs_reversed=detail.get("signs_reversed", False),
    )


def delivery_body(row: Any) -> DeliverySummary:
    """Return a delivery."""
    return DeliverySummary(
        id=row.id,
        connector=row.connector,
        connection_id=row.connection_id,
        revision=row.revision,
        state=row.state,
        entry_number=row.entry_number,
        entry_url=row.entry_url,
        exported_at=row.exported_at,
        booked_at=row.booked_at,
        problem=row.problem,
        warnings=row.warnings,
        ends_as=row.ends_as,
    )


def _summary(row: Any) -> dict[str, Any]:
    party = row.detail.get("counterparty")
    return {
        "id": row.id,
        "dossier_id": row.dossier_id,
        "firm_id": row.firm_id,
        "kind": row.kind,
        "number": row.number,
        "issue_date": row.issue_date,
        "due_date": row.due_date,
        "total": Total(amount=row.total, currency=row.currency) if row.total is not None else None,
        "currency": row.currency,
        "state": row.state,
        "locked": row.locked,
        "revision": row.revision,
        "sha256": row.sha256.hex(),
        "reference": row.reference,
        "journal": row.journal,
        "journals": row.journals,
        "ledger_account": row.ledger_account,
        "counterparty": Counterparty.model_validate(party) if party else None,
        "relation": RecognisedRelation.model_validate(row.relation) if row.relation else None,
        "content": [DocumentFile.model_validate(file) for file in row.content],
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "exported_at": row.exported_at,
        "booked_at": row.booked_at,
    }
