"""Documents that travel with the invoice: links, and files embedded in it."""

import re
import unicodedata
from dataclasses import dataclass, field

_NAME_LENGTH_MAX = 120
_UNSAFE = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\xd0\xcf\x11\xe0", "application/x-ole-storage"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"MZ", "application/x-msdownload"),
    (b"\x7fELF", "application/x-elf"),
)
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ODS = "application/vnd.oasis.opendocument.spreadsheet"


@dataclass(frozen=True, slots=True)
class Attachment:
    """BT-125: an embedded file. Its type is what its bytes say, not what the sender declared."""

    content: bytes = field(repr=False)
    declared_type: str | None = None
    """BT-125-1, `mimeCode`"""
    declared_name: str | None = None
    """BT-125-2, `filename`, as written: may hold `../../` or worse"""
    file_name: str = "attachment"
    """A name that is safe to store under on any system"""

    @property
    def detected_type(self) -> str | None:
        """The media type the first bytes betray; None when they betray nothing (plain text, CSV)."""
        return detect_type(self.content)

    @property
    def is_as_declared(self) -> bool:
        """Whether bytes and declaration agree; text formats, which have no signature, get the benefit of the doubt."""
        declared = (self.declared_type or "").partition(";")[0].strip().lower()
        detected = self.detected_type
        return declared == detected or (detected is None and declared.startswith("text/"))


@dataclass(frozen=True, slots=True)
class SupportingDocument:
    """BG-24."""

    id: str = ""
    """BT-122"""
    description: str | None = None
    """BT-123"""
    uri: str | None = None
    """BT-124: never fetched by this library"""
    attachment: Attachment | None = None
    """BT-125"""
    type_code: str | None = None
    """cbc:DocumentTypeCode other than 130 and 50, which name the invoiced object (BT-18) and the project (BT-11)"""
    type_name: str | None = None
    """cbc:DocumentType"""


def detect_type(content: bytes) -> str | None:
    """The media type by signature; a PDF may have up to 1,024 bytes before its header (ISO 32000-1, note in 7.5.2)."""
    for signature, media_type in _SIGNATURES:
        if content.startswith(signature):
            return media_type
    head = content[:2048]
    if head.startswith(b"PK\x03\x04"):
        return _zip_type(head)
    if b"%PDF-" in head[:1024]:
        return "application/pdf"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<!doctype html") or text.startswith(b"<html"):
        return "text/html"
    return "application/xml" if text.startswith(b"<?xml") else None


def _zip_type(head: bytes) -> str:
    if _ODS.encode() in head[:200]:
        return _ODS
    return _XLSX if b"[Content_Types].xml" in head or b"xl/" in head or b"_rels/.rels" in head else "application/zip"


def safe_file_name(name: str | None, fallback: str) -> str:
    """The last part of a path, without what any file system chokes on; `fallback` when nothing is left."""
    last = re.split(r"[/\\]", name or "")[-1]
    clean = _UNSAFE.sub("", unicodedata.normalize("NFC", last)).strip(" .")
    if not clean:
        return fallback if name is not fallback else "attachment"
    if _RESERVED.fullmatch(clean):
        clean = f"_{clean}"
    if len(clean) <= _NAME_LENGTH_MAX:
        return clean
    stem, dot, extension = clean.rpartition(".")
    if not dot or len(extension) > 10:
        return clean[:_NAME_LENGTH_MAX].rstrip(" .")
    return f"{stem[: _NAME_LENGTH_MAX - len(extension) - 1].rstrip(' .')}.{extension}"
