"""Documents that travel with the invoice: links, and files embedded in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

PDF: Final = "application/pdf"
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
PICTURES: Final = (PDF, PNG, JPEG)
"""What shows a document as a person would print it."""
_SIGNATURES: Final = ((PNG, b"\x89PNG\r\n\x1a\n"), (JPEG, b"\xff\xd8\xff"))
_SELF: Final = frozenset(
    {"invoice", "commercialinvoice", "creditnote", "factuur", "verkoopfactuur", "creditnota", "facture", "notedecrédit"}
    | {"rechnung", "gutschrift", "invoicepdf", "factuurpdf", "facturepdf"}
)
"""How senders describe the picture of the document itself; Peppol's own words are ``CommercialInvoice`` and ``CreditNote``."""
_SELF_IN_NAME: Final = re.compile(
    r"(?<![^\W_])(invoice|creditnote|credit[ _-]note|factuur|creditnota|facture|rechnung|gutschrift)(?![^\W\d_])"
)
_BESIDE_SELF: Final = frozenset(
    {
        "nr",
        "no",
        "n",
        "nummer",
        "numero",
        "numéro",
        "number",
        "pdf",
        "copy",
        "kopie",
        "copie",
        "of",
        "de",
        "la",
        "van",
        "the",
    }
    | {
        "het",
        "your",
        "our",
        "uw",
        "onze",
        "votre",
        "notre",
        "visualisation",
        "visual",
        "representation",
        "print",
        "image",
    }
)
"""What a description of the document itself may say besides, and its number."""
_NOT_ALPHANUMERIC: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """BG-24: a supporting document, embedded or linked."""

    id: str | None = None
    """BT-122."""
    description: str | None = None
    """BT-123."""
    type_code: str | None = None
    """DocumentTypeCode other than 130 and 50, which name the invoiced object (BT-18) and the project (BT-11)."""
    uri: str | None = None
    """BT-124: never fetched by this library."""
    media_type: str | None = None
    """BT-125-1, as declared."""
    file_name: str | None = None
    """BT-125-2, without folders, control characters or anything else a file system could stumble over."""
    content: bytes | None = field(default=None, repr=False)
    """BT-125."""
    is_archive: bool = False
    """Whether the file is a ZIP, RAR or the like, and no office document: its content is then left in the document."""

    @property
    def is_pdf(self) -> bool:
        """Whether the content begins as a PDF does, whatever its declared type."""
        return self.content is not None and self.content[:1024].lstrip()[:5] == b"%PDF-"

    @property
    def actual_media_type(self) -> str:
        """What the content begins as where that is plain (PDF, PNG, JPEG), else the declared type; empty without either."""
        if self.is_pdf:
            return PDF
        begins_as = next((kind for kind, start in _SIGNATURES if (self.content or b"").startswith(start)), None)
        return begins_as or (self.media_type or "").partition(";")[0].strip().lower()


def picture_of(attachments: Sequence[Attachment], number: str | None, type_code: str | None) -> Attachment | None:
    """Return the embedded file that shows the document itself: PDF, PNG or JPEG; None when none does.

    Args:
        attachments: of the document, in its order.
        number: the document's (BT-1).
        type_code: the document's (BT-3).

    What is described as the invoice, or has its number, comes before what has its type code, that before what has its number or
    ``invoice`` in its file name, and that before the first PDF. A PNG or JPEG that nothing names may be a logo.
    """
    shown = [one for one in attachments if one.content and one.actual_media_type in PICTURES]
    ranked = sorted(shown, key=lambda one: (_rank(one, number, type_code), not one.is_pdf))
    return next((one for one in ranked if one.is_pdf or _rank(one, number, type_code) < _UNNAMED), None)


def is_named_as_document(attachment: Attachment, number: str | None, type_code: str | None) -> bool:
    """Return whether description, number, type code or file name say that it shows the document itself."""
    return _rank(attachment, number, type_code) < _UNNAMED


_UNNAMED: Final = 3
_STEM: Final = re.compile(r"\.pdf$", re.IGNORECASE)
_WORDS: Final = re.compile(r"[\s,;:()°]+|\.(?=\s|$)")


def _rank(one: Attachment, number: str | None, type_code: str | None) -> int:
    """Return how directly the attachment says that it shows the document: 0 is best."""
    own_number = _letters(number)
    if _describes_self(one.description, own_number) or (
        own_number and _letters(_STEM.sub("", one.id or "")) == own_number
    ):
        return 0
    if one.type_code is not None and one.type_code == type_code:
        return 1
    name = (one.file_name or "").lower()
    has_number = len(own_number) >= 3 and re.search(rf"(?<!\d){own_number}(?!\d)", _letters(name))
    if has_number or _SELF_IN_NAME.search(name):
        return 2
    return _UNNAMED


def _describes_self(description: str | None, own_number: str) -> bool:
    """Whether it says ``Invoice``, ``Factuur nr. 12`` or ``Copy of the invoice`` and nothing else."""
    if _letters(description) in _SELF:
        return True
    words = [word for word in _WORDS.split((description or "").lower()) if word]
    bare = [word for word in words if word not in _BESIDE_SELF and _letters(word) != own_number]
    return bool(bare) and all(word in _SELF for word in bare)


def _letters(text: str | None) -> str:
    return _NOT_ALPHANUMERIC.sub("", (text or "").lower())
