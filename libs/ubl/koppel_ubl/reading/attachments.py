"""Embedded files (BT-125): decoded strictly, archives left where they are, file names made harmless."""

import binascii
import io
import re
import unicodedata
import zipfile
from typing import Final

from lxml import etree

from koppel_ubl.mapping.aggregate import Values

from .unmapped import Unmapped, failure

_UNSAFE: Final = re.compile(r"[^\w.\- ()]+")
_NAME_LENGTH_MAX: Final = 120
_ARCHIVES: Final = (
    *(
        b"\x1f\x8b",
        b"\x1f\x9d",
        b"\x1f\xa0",
        b"BZh",
        b"\xfd7zXZ\x00",
        b"\x28\xb5\x2f\xfd",
        b"\x04\x22\x4d\x18",
        b"LZIP",
    ),
    *(b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"MSCF", b"PK\x05\x06", b"PK\x07\x08"),
)
_TAR: Final = b"ustar"
_TAR_AT: Final = 257
_ZIP: Final = b"PK\x03\x04"
_OFFICE_PARTS: Final = (b"[Content_Types].xml", b"mimetype", b"_rels/", b"docProps/", b"xl/", b"word/")
_OFFICE_PARTS_AT: Final = 30
"""Names of the first file inside spreadsheets and texts, which are ZIP files too; Peppol allows xlsx and ods."""
_OFFICE_MANIFESTS: Final = frozenset({"[Content_Types].xml", "META-INF/manifest.xml"})
"""The file that each of them must have, and that some programs write last."""
_DIRECTORY_ENTRY: Final = b"PK\x01\x02"
_FILES_MAX: Final = 2_000


def file_from(element: etree._Element, text: str | None, unmapped: Unmapped) -> Values:
    """Return content, media type and file name of an ``EmbeddedDocumentBinaryObject``.

    A packed file that is not an office document breaks a rule (BR-CL-24) and can hold anything: its content is left where it is.

    Raises:
        ReadError: ``invalid_base64``.
    """
    unmapped.skip_attributes(element, "mimeCode", "filename")
    try:
        content = binascii.a2b_base64("".join((text or "").split()), strict_mode=True)
    except ValueError:
        raise failure("invalid_base64", "An attachment is not base64.", element) from None
    is_archive = _is_archive(content)
    if is_archive:
        unmapped.skip(element)
    name = element.get("filename")
    return {
        "content": None if is_archive else content,
        "is_archive": is_archive,
        "media_type": element.get("mimeCode") or None,
        "file_name": safe_file_name(name) if name else None,
    }


def _is_archive(content: bytes) -> bool:
    if content.startswith(_ZIP):
        return not content.startswith(_OFFICE_PARTS, _OFFICE_PARTS_AT) and not _has_manifest(content)
    return content.startswith(_ARCHIVES) or content.startswith(_TAR, _TAR_AT)


def _has_manifest(content: bytes) -> bool:
    """Whether a ZIP file has the manifest of an office document; only its directory is read."""
    if content.count(_DIRECTORY_ENTRY) > _FILES_MAX:
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return not _OFFICE_MANIFESTS.isdisjoint(packed.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def safe_file_name(name: str) -> str:
    """Return ``name`` without folders and control characters; never empty, never hidden."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    clean = _UNSAFE.sub("_", last).strip(" .")
    stem, dot, ending = clean.rpartition(".")
    if len(clean) > _NAME_LENGTH_MAX:
        clean = (
            f"{stem[: _NAME_LENGTH_MAX - len(ending) - 1]}{dot}{ending}"
            if dot and len(ending) < 10
            else clean[:_NAME_LENGTH_MAX]
        ).strip(" .")
    return clean or "attachment"
