"""From bytes to the document: the envelope, the root, and the reader."""

import binascii
import re
from dataclasses import replace
from decimal import localcontext
from typing import Final

from lxml import etree

from koppel_ubl import safe_xml
from koppel_ubl.errors import ReadError
from koppel_ubl.mapping.aggregate import CAC, CBC
from koppel_ubl.mapping.document import CREDIT_NOTE_ROOT, EITHER, INVOICE_ROOT
from koppel_ubl.model import CreditNote, Invoice
from koppel_ubl.model.numbers import EXACT

from .currencies import other_currencies
from .reader import Reader
from .unmapped import failure, local

_ENVELOPE: Final = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}StandardBusinessDocument"
_ATTACHED: Final = "{urn:oasis:names:specification:ubl:schema:xsd:AttachedDocument-2}AttachedDocument"
_IN_TEXT: Final = f"{CAC}Attachment/{CAC}ExternalReference/{CBC}Description"
_IN_BASE64: Final = f"{CAC}Attachment/{CBC}EmbeddedDocumentBinaryObject"
_DECLARATION: Final = re.compile(r"\s*<\?xml\s[^>]{0,200}?\?>")
_ROOTS: Final = frozenset({INVOICE_ROOT, CREDIT_NOTE_ROOT})


def read(data: bytes) -> Invoice | CreditNote:
    """Read a UBL 2.1 (or 2.0) invoice or credit note.

    Lenient about rules, strict about safety and about what cannot be read: a missing number is None, a number that
    is no number is an error. ``document.unmapped`` lists what the model has no place for.

    Args:
        data: the bytes as received, in UTF-8, UTF-16 or a single-byte encoding of Europe, as they are, in a Peppol envelope
            (SBDH) or inside a UBL AttachedDocument.

    Raises:
        ReadError: with a stable ``code``; the only exception this function raises for any bytes.
    """
    root = document_of(safe_xml.parse(data, limit_depth=False))
    reading = Reader(root)
    with localcontext(EXACT):
        document: Invoice | CreditNote = reading.read(root, EITHER)
    reading.note_foreign()
    if reading.foreign:
        document = replace(document, other_currencies=other_currencies(root, reading.foreign, document))
    paths = reading.unmapped.paths
    return replace(document, unmapped=tuple(paths)) if paths else document


def document_of(root: etree._Element) -> etree._Element:
    """Return the invoice or credit note: the root itself, or what an envelope or an AttachedDocument holds.

    Raises:
        ReadError: ``wrong_root``; ``too_deep`` for an envelope; ``invalid_base64``, and all that ``safe_xml`` refuses, for what
            stands inside an AttachedDocument.
    """
    if root.tag == _ENVELOPE:
        safe_xml.check_depth(root)  # readers of the document inside do not enter the rest of the envelope
        inside = [child for child in root if child.tag in _ROOTS or child.tag == _ATTACHED]
        if len(inside) != 1:
            raise ReadError("wrong_root", "The envelope holds no UBL invoice or credit note.", line=root.sourceline)
        root = inside[0]
    if root.tag == _ATTACHED:
        return _inside_attached(root)
    if root.tag not in _ROOTS:
        name = local(str(root.tag))[:80]
        raise ReadError(
            "wrong_root", f"The document is <{name}>, not a UBL 2 Invoice or CreditNote.", line=root.sourceline
        )
    return root


def _inside_attached(attached: etree._Element) -> etree._Element:
    """Return the document that a UBL AttachedDocument carries as text or in base64; one inside another is not opened.

    Another document may stand beside it, such as an ApplicationResponse.
    """
    safe_xml.check_depth(attached)
    texts = [data for each in attached.findall(_IN_TEXT) if (data := _undeclared(each.text or ""))]
    files = [_decoded(each) for each in attached.findall(_IN_BASE64)]
    found = [data for data in (*texts, *files) if data.lstrip()[:1] == b"<"]
    roots = [safe_xml.parse(data, limit_depth=False) for data in found]
    documents = [root for root in roots if root.tag in _ROOTS]
    if len(documents) == 1:
        return documents[0]
    if len(roots) == 1:
        message = f"The AttachedDocument holds <{local(str(roots[0].tag))[:80]}>, not a UBL 2 Invoice or CreditNote."
    else:
        message = f"The AttachedDocument holds {len(roots)} XML documents where one invoice is expected."
    raise ReadError("wrong_root", message, line=attached.sourceline)


def _undeclared(text: str) -> bytes:
    """Return XML that was text as UTF-8; what encoding it declares was that of another file."""
    return _DECLARATION.sub("", text, count=1).strip().encode()


def _decoded(element: etree._Element) -> bytes:
    try:
        return binascii.a2b_base64("".join((element.text or "").split()), strict_mode=True)
    except ValueError:
        raise failure("invalid_base64", "The attached document is not base64.", element) from None
