"""What the document refers to: orders, contracts, earlier invoices (BG-3), and what travels with it (BG-24)."""

from collections.abc import Mapping
from typing import Any, Final

from lxml import etree

from koppel_ubl.model import Attachment, BillingReference, Identifier

from .aggregate import (
    CAC,
    CBC,
    Aggregate,
    Notes,
    Values,
    aggregate,
    built,
    day,
    embedded,
    identifier,
    into,
    joined,
    one,
    required,
    sole,
    text,
)

PROJECT_REFERENCE: Final = "50"
"""UNTDID 1001: a credit note has no element of its own for the project (P-R080)."""
INVOICED_OBJECT: Final = "130"
"""UNTDID 1001: BT-18 on the document, BT-128 on a line."""

_PRECEDING = aggregate(required(text("cbc:ID", "number")), day("cbc:IssueDate", "issue_date"))


def _billing_reference(values: Values, element: etree._Element, notes: Notes) -> BillingReference:
    invoice, note = values.get("invoice"), values.get("credit_note")
    if invoice is not None and note is not None:
        notes.skip_below(element, CAC + "CreditNoteDocumentReference")
    found = invoice if invoice is not None else note or {}
    return BillingReference(**found, is_credit_note=invoice is None and note is not None)


def _of_billing_reference(reference: BillingReference) -> Mapping[str, Any]:
    kind = "credit_note" if reference.is_credit_note else "invoice"
    return {kind: {"number": reference.number, "issue_date": reference.issue_date}}


BILLING = Aggregate(
    (
        one("cac:InvoiceDocumentReference", "invoice", _PRECEDING),
        one("cac:CreditNoteDocumentReference", "credit_note", _PRECEDING),
    ),
    _billing_reference,
    _of_billing_reference,
)
OBJECT = aggregate(identifier("cbc:ID", "id"), text("cbc:DocumentTypeCode", "type_code"))
"""A line's reference to the invoiced object."""


def _document(values: Values, element: etree._Element, notes: Notes) -> Attachment | Values:
    found: Identifier | None = values.pop("id", None)
    type_code = values.get("type_code")
    kind = values.pop("kind", None)
    description = values.pop("description", None)
    if type_code in {INVOICED_OBJECT, PROJECT_REFERENCE}:
        if kind or description or len(values) > 1:
            notes.skip_below(element, CBC + "DocumentType", CBC + "DocumentDescription", CAC + "Attachment")
        return {"id": found, "type_code": type_code}
    if found is not None:
        values["id"] = found.value
        if found.scheme is not None:
            notes.skip_below(element, CBC + "ID/@schemeID")
    if description and kind:
        notes.skip_below(element, CBC + "DocumentType")
    content = values.pop("embedded", None)
    if content is not None:
        values.update(content)
    values["description"] = description or kind
    return built(Attachment, values)


def _of_document(found: Attachment | Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(found, Attachment):
        return found
    file = {"content": found.content, "media_type": found.media_type, "file_name": found.file_name}
    return {
        "id": Identifier(found.id) if found.id else None,
        "type_code": found.type_code,
        "description": found.description,
        "embedded": file if found.content is not None else None,
        "uri": found.uri,
    }


DOCUMENT = Aggregate(
    (
        required(identifier("cbc:ID", "id")),
        text("cbc:DocumentTypeCode", "type_code"),
        text("cbc:DocumentType", "kind", read_only=True),
        joined("cbc:DocumentDescription", "description"),
        into(
            "cac:Attachment",
            aggregate(
                embedded("cbc:EmbeddedDocumentBinaryObject", "embedded"),
                sole("cac:ExternalReference", "cbc:URI", "uri"),
            ),
        ),
    ),
    _document,
    _of_document,
)
