"""A copy of a document without the files inside it, for whoever cannot take it whole."""

from typing import Final

from lxml import etree

from . import safe_xml
from .mapping.aggregate import CAC, CBC
from .reading.document import document_of

_EMBEDDED: Final = f"{CBC}EmbeddedDocumentBinaryObject"


def without_embedded_files(data: bytes) -> bytes:
    """Return the document in UTF-8 without its embedded files (BT-125); links to files and all else stay.

    A Peppol envelope stays; of an AttachedDocument the copy is the document inside. An ``Attachment`` that held nothing else
    goes too, because Peppol refuses empty elements (PEPPOL-EN16931-R008). The same bytes always give the same copy.

    Raises:
        ReadError: they are no UBL invoice or credit note.
    """
    document = document_of(safe_xml.parse(data))
    safe_xml.check_depth(document)
    root = document.getroottree().getroot()
    for embedded in list(root.iter(_EMBEDDED)):
        holder = embedded.getparent()
        assert holder is not None  # the root is an invoice, a credit note or an envelope
        holder.remove(embedded)
        above = holder.getparent()
        if holder.tag == f"{CAC}Attachment" and not len(holder) and above is not None:
            above.remove(holder)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
