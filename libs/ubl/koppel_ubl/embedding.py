"""A copy of a document with a PDF inside it, for whoever takes one file only."""

import base64
from typing import Final

from lxml import etree

from . import safe_xml
from .mapping.aggregate import CAC, CBC
from .reading.attachments import safe_file_name
from .reading.document import document_of

_REFERENCE: Final = f"{CAC}AdditionalDocumentReference"
_AFTER: Final = frozenset(
    f"{CAC}{name}"
    for name in (
        *("StatementDocumentReference", "OriginatorDocumentReference", "ProjectReference", "Signature"),
        "AccountingSupplierParty",
    )
)
"""What follows the references to documents: of an invoice since ``ProjectReference``, of a credit note since
``StatementDocumentReference`` (UBL 2.1)."""
_BEFORE_IN_INVOICE: Final = frozenset(
    f"{CAC}{name}" for name in ("StatementDocumentReference", "OriginatorDocumentReference")
)
"""What an invoice has before them."""


def with_embedded_pdf(data: bytes, pdf: bytes, name: str) -> bytes:
    """Return the document in UTF-8 with a PDF embedded in it (BT-125); all else stays.

    A Peppol envelope stays; of an AttachedDocument the copy is the document inside. The same bytes always give the same copy.

    Args:
        data: a UBL invoice or credit note.
        pdf: the file.
        name: its name; folders and control characters are taken out.

    Raises:
        ReadError: ``data`` is no UBL invoice or credit note.
    """
    document = document_of(safe_xml.parse(data))
    safe_xml.check_depth(document)
    reference = etree.Element(_REFERENCE, nsmap=document.nsmap)
    etree.SubElement(reference, f"{CBC}ID").text = safe_file_name(name)
    etree.SubElement(reference, f"{CBC}DocumentDescription").text = "CommercialInvoice"
    attachment = etree.SubElement(reference, f"{CAC}Attachment")
    file = etree.SubElement(attachment, f"{CBC}EmbeddedDocumentBinaryObject")
    file.set("mimeCode", "application/pdf")
    file.set("filename", safe_file_name(name))
    file.text = base64.b64encode(pdf).decode("ascii")
    document.insert(_place_in(document), reference)
    return etree.tostring(document.getroottree(), encoding="UTF-8", xml_declaration=True)


def _place_in(document: etree._Element) -> int:
    """Return where the reference stands: before the others, for many take the first PDF for the picture."""
    is_invoice = etree.QName(document).localname == "Invoice"
    followers = _AFTER - _BEFORE_IN_INVOICE if is_invoice else _AFTER
    return next(
        (at for at, each in enumerate(document) if each.tag == _REFERENCE or each.tag in followers), len(document)
    )
