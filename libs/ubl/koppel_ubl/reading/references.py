"""Tables for references to other documents, attachments and payment means."""

import binascii
import re
from typing import Any

from koppel_ubl.model.attachments import Attachment, SupportingDocument, detect_type, safe_file_name
from koppel_ubl.model.basics import Identifier
from koppel_ubl.model.document import PrecedingInvoice
from koppel_ubl.model.payment import PaymentMeans
from koppel_ubl.reading.rules import (
    CAC,
    CBC,
    Context,
    Element,
    Table,
    Values,
    day,
    fail,
    identifier,
    into,
    one,
    read_into,
    text,
    text_of,
)

_EXTENSIONS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "application/xml": "xml"}
_WHITESPACE = b" \t\r\n"
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")


def _read_embedded(element: Element, context: Context) -> tuple[bytes, str | None, str | None]:
    encoded = text_of(element).encode("ascii", "replace").translate(None, _WHITESPACE)
    try:
        if len(encoded) % 4 or _BASE64.fullmatch(encoded) is None:
            raise binascii.Error("characters outside the alphabet, or a wrong length")
        content = binascii.a2b_base64(encoded)
    except binascii.Error as error:
        raise fail(element, f"the attachment is not base64: {error}", "base64") from None
    context.skip_attributes(element, ("mimeCode", "filename"))
    return content, element.get("mimeCode"), element.get("filename")


_DOCUMENT: Table = {
    f"{CBC}ID": identifier("id"),
    f"{CBC}DocumentTypeCode": text("type_code"),
    f"{CBC}DocumentType": text("type_name"),
    f"{CBC}DocumentDescription": text("description"),
    f"{CAC}Attachment": into(
        {
            f"{CBC}EmbeddedDocumentBinaryObject": one("embedded", _read_embedded),
            f"{CAC}ExternalReference": into({f"{CBC}URI": text("uri")}),
        }
    ),
}


def additional_document(element: Element, values: Values, context: Context) -> None:
    """BT-18 (type 130), BT-11 of a credit note (type 50), else BG-24."""
    found = read_into(element, _DOCUMENT, {}, context)
    reference: Identifier = found.get("id") or Identifier("")
    has_content = "embedded" in found or "uri" in found
    if found.get("type_code") == "130" and not has_content and "invoiced_object" not in values and reference.value:
        values["invoiced_object"] = reference
    elif found.get("type_code") == "50" and not has_content and "project" not in values and reference.value:
        values["project"] = reference.value
    else:
        if reference.scheme or reference.scheme_name:
            context.skip(element[0] if len(element) else element)
        entry = _supporting(found, reference.value)
        values.setdefault("supporting_documents", []).append(entry)


def _supporting(found: dict[str, Any], reference: str) -> SupportingDocument:
    attachment = None
    if "embedded" in found:
        content, declared_type, declared_name = found["embedded"]
        extension = _EXTENSIONS.get(detect_type(content) or "", "bin")
        fallback = f"{safe_file_name(reference, 'attachment')}.{extension}"
        attachment = Attachment(content, declared_type, declared_name, safe_file_name(declared_name, fallback))
    return SupportingDocument(
        id=reference,
        description=found.get("description"),
        uri=found.get("uri"),
        attachment=attachment,
        type_code=found.get("type_code"),
        type_name=found.get("type_name"),
    )


_PRECEDING: Table = {f"{CBC}ID": text("number"), f"{CBC}IssueDate": day("issued_on")}


def preceding_invoice(element: Element, values: Values, context: Context) -> None:
    """BG-3; a credit note may write CreditNoteDocumentReference when it takes back a credit note."""
    for child in element:
        if child.tag in {f"{CAC}InvoiceDocumentReference", f"{CAC}CreditNoteDocumentReference"}:
            found = read_into(child, _PRECEDING, {}, context)
            entry = PrecedingInvoice(found.get("number", ""), found.get("issued_on"))
            values.setdefault("preceding_invoices", []).append(entry)
        else:
            context.skip(child)


_ACCOUNT: Table = {
    f"{CBC}ID": text("account"),
    f"{CBC}Name": text("account_name"),
    f"{CAC}FinancialInstitutionBranch": into(
        {
            f"{CBC}ID": text("bic"),
            f"{CAC}FinancialInstitution": into({f"{CBC}ID": text("bic")}),  # e-FFF
        }
    ),
}


def _account(element: Element, values: Values, context: Context) -> None:
    """BG-17. The scheme names of e-FFF (IBAN, BIC) say what the fields are called here already."""
    found = read_into(element, _ACCOUNT, {}, context)
    for field, value in found.items():
        values.setdefault(field, value)


_PAYMENT_MEANS: Table = {
    f"{CBC}PaymentDueDate": day("due_on"),
    f"{CBC}InstructionID": text("instruction_id"),
    f"{CBC}InstructionNote": text("instruction_note"),
    f"{CBC}PaymentID": text("reference"),
    f"{CAC}CardAccount": into(
        {
            f"{CBC}PrimaryAccountNumberID": text("card_number"),
            f"{CBC}NetworkID": text("card_network"),
            f"{CBC}HolderName": text("card_holder"),
        }
    ),
    f"{CAC}PayeeFinancialAccount": _account,
    f"{CAC}PaymentMandate": into(
        {
            f"{CBC}ID": text("mandate"),
            f"{CAC}PayerFinancialAccount": into({f"{CBC}ID": text("debited_account")}),
        }
    ),
}


def _means_code(element: Element, values: Values, context: Context) -> None:
    """BT-81 with its text BT-82 in an attribute."""
    code = text_of(element)
    if code:
        values.setdefault("code", code)
    name = element.get("name")
    if name:
        values.setdefault("name", name)
    context.skip_attributes(element, ("name",))


_PAYMENT_MEANS = {**_PAYMENT_MEANS, f"{CBC}PaymentMeansCode": _means_code}


def read_payment_means(element: Element, context: Context) -> PaymentMeans:
    """BG-16."""
    return PaymentMeans(**read_into(element, _PAYMENT_MEANS, {}, context))
