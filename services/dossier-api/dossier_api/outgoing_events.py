"""The events that are published about dossiers and documents, made of their rows (contract §8)."""

from typing import Any

from koppel_mesh.messages import (
    ContentRef,
    DocumentChanged,
    DocumentKind,
    DocumentState,
    DossierChanged,
    ExportFrequency,
    ExportRules,
)


def dossier_changed(row: Any) -> DossierChanged:
    """Return what others hear of a dossier."""
    return DossierChanged(
        dossier_id=row.id,
        firm_id=row.firm_id,
        name=row.name,
        enterprise_number=row.enterprise_number,
        language=row.language,
        export=ExportRules(
            frequency=ExportFrequency(row.export_frequency),
            approval_required=row.approval_required,
            lock_after_export=row.lock_after_export,
        ),
        version=row.version,
    )


def document_changed(row: Any) -> DocumentChanged:
    """Return what others hear of a document."""
    return DocumentChanged(
        document_id=row.id,
        dossier_id=row.dossier_id,
        firm_id=row.firm_id,
        revision=row.revision,
        kind=DocumentKind(row.kind),
        number=row.number,
        issue_date=row.issue_date,
        created_at=row.created_at,
        state=DocumentState(row.state),
        content=tuple(ContentRef.model_validate(file) for file in row.content),
        version=row.version,
        forward=row.forward,
        findings_count=len(row.findings),
    )
