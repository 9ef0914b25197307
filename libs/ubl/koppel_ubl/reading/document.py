"""From bytes to the document: the envelope, the root, and the reader."""

from dataclasses import replace
from typing import Final

from lxml import etree

from koppel_ubl import safe_xml
from koppel_ubl.errors import ReadError
from koppel_ubl.mapping.document import CREDIT_NOTE_ROOT, EITHER, INVOICE_ROOT
from koppel_ubl.model import CreditNote, Invoice

from .reader import Reader
from .unmapped import local

_ENVELOPE: Final = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}StandardBusinessDocument"
_ROOTS: Final = frozenset({INVOICE_ROOT, CREDIT_NOTE_ROOT})


def read(data: bytes) -> Invoice | CreditNote:
    """Read a UBL 2.1 (or 2.0) invoice or credit note.

    Lenient about rules, strict about safety and about what cannot be read: a missing number is None, a number that
    is no number is an error. ``document.unmapped`` lists what the model has no place for.

    Args:
        data: the bytes as received, in UTF-8, UTF-16 or Latin-1, with or without a Peppol envelope (SBDH).

    Raises:
        ReadError: with a stable ``code``; the only exception this function raises for any bytes.
    """
    root = document_of(safe_xml.parse(data, limit_depth=False))
    reading = Reader(root)
    document: Invoice | CreditNote = reading.read(root, EITHER)
    reading.note_foreign()
    paths = reading.unmapped.paths
    return replace(document, unmapped=tuple(paths)) if paths else document


def document_of(root: etree._Element) -> etree._Element:
    """Return the invoice or credit note: the root itself, or what an envelope holds.

    Raises:
        ReadError: ``wrong_root``; ``too_deep`` for an envelope.
    """
    if root.tag == _ENVELOPE:
        safe_xml.check_depth(root)  # readers of the document inside do not enter the rest of the envelope
        inside = [child for child in root if child.tag in _ROOTS]
        if len(inside) == 1:
            return inside[0]
        raise ReadError("wrong_root", "The envelope holds no UBL invoice or credit note.", line=root.sourceline)
    if root.tag not in _ROOTS:
        name = local(str(root.tag))[:80]
        raise ReadError(
            "wrong_root", f"The document is <{name}>, not a UBL 2 Invoice or CreditNote.", line=root.sourceline
        )
    return root
