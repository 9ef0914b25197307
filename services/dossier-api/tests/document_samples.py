"""Documents of our own for the tests, made from one sample by changing what a test is about."""

import base64
from pathlib import Path

SAMPLES = Path(__file__).parent / "samples"
PDF = b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
OURS = "0793904121"
THEIRS = "0836836222"


def invoice(
    number: str = "2026-0001",
    *,
    seller: str = OURS,
    buyer: str = THEIRS,
    pdf: bytes | None = None,
    reference: str = "PO-1",
    day: str = "2026-11-03",
) -> bytes:
    """Return an invoice of 100.00 + 21.00 VAT on two lines."""
    attachment = ""
    if pdf is not None:
        attachment = (
            "<cac:AdditionalDocumentReference><cbc:ID>1</cbc:ID><cac:Attachment>"
            '<cbc:EmbeddedDocumentBinaryObject mimeCode="application/pdf" filename="factuur.pdf">'
            f"{base64.b64encode(pdf).decode()}</cbc:EmbeddedDocumentBinaryObject></cac:Attachment>"
            "</cac:AdditionalDocumentReference>"
        )
    text = (SAMPLES / "invoice.xml").read_text()
    given = {
        "NUMBER": number,
        "SELLER": seller,
        "BUYER": buyer,
        "REFERENCE": reference,
        "DAY": day,
        "ATTACHMENT": attachment,
    }
    for name, value in given.items():
        text = text.replace(f"@{name}@", value)
    return text.encode()


def credit_note(number: str = "CN-1", *, seller: str = OURS, buyer: str = THEIRS) -> bytes:
    """Return a credit note of the same amounts."""
    text = invoice(number, seller=seller, buyer=buyer).decode()
    text = text.replace("<Invoice ", "<CreditNote ").replace("</Invoice>", "</CreditNote>")
    text = text.replace("schema:xsd:Invoice-2", "schema:xsd:CreditNote-2")
    text = text.replace("cac:InvoiceLine", "cac:CreditNoteLine").replace("cbc:InvoicedQuantity", "cbc:CreditedQuantity")
    text = text.replace(
        "cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode", "cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode"
    )
    return text.encode()


def attached_document(inside: bytes) -> bytes:
    """Return a UBL AttachedDocument that carries ``inside`` as text."""
    ubl = "urn:oasis:names:specification:ubl:schema:xsd"
    return (
        f'<AttachedDocument xmlns="{ubl}:AttachedDocument-2" xmlns:cac="{ubl}:CommonAggregateComponents-2" '
        f'xmlns:cbc="{ubl}:CommonBasicComponents-2"><cac:Attachment><cac:ExternalReference><cbc:Description><![CDATA['
    ).encode() + (inside + b"]]></cbc:Description></cac:ExternalReference></cac:Attachment></AttachedDocument>")


def multipart(**parts: tuple[str, bytes]) -> tuple[bytes, str]:
    """Return body and content type; each part is its media type and its bytes."""
    body = b""
    for name, (media_type, data) in parts.items():
        head = f'--edge\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.bin"\r\n'
        body += f"{head}Content-Type: {media_type}\r\n\r\n".encode() + data + b"\r\n"
    return body + b"--edge--\r\n", "multipart/form-data; boundary=edge"
