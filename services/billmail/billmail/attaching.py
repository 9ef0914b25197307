"""What is attached to a mail, and what it is called. Pure."""

import hashlib
import io
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import Final

import koppel_ubl
from koppel_bookkeeping import Document
from koppel_connector import ActionRequired, Problem, Rejected

from .profiles import Attachments, MailProfile

MEDIA_TYPES: Final = {
    "xml": "application/xml",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "csv": "text/csv",
    "cod": "application/octet-stream",
}
"""CODA is no text to a mail server: one that rewrites line ends or charsets would break its 128 columns."""
NAME_LENGTH_MAX: Final = 100
_ZIPPED_AT: Final = (1980, 1, 1, 0, 0, 0)
"""The same document makes the same ZIP, by which a receiver that drops repeats knows it."""


@dataclass(frozen=True)
class File:
    """One attachment."""

    name: str
    content: bytes

    @property
    def ending(self) -> str:
        """What its name ends in, without the dot."""
        return self.name.rpartition(".")[2].lower()

    @property
    def media_type(self) -> str:
        """What it is sent as."""
        return MEDIA_TYPES[self.ending]


@dataclass(frozen=True)
class Contents:
    """The files of one document."""

    ubl: bytes | None = None
    pdf: bytes | None = None
    coda: bytes | None = None


def stem_of(document: Document) -> str:
    """Return what the files of a document are called: kind, number and counterparty in plain letters, and a part of its hash."""
    party = document.counterparty.name if document.counterparty else None
    named = "-".join(filter(None, (document.kind.value.replace("_", "-"), document.number, party)))
    unique = f"-{document.sha256[:8]}"
    return plain_name(named)[: NAME_LENGTH_MAX - len(unique)].rstrip("-._") + unique


def plain_name(text: str) -> str:
    """Return a text as part of a file name: letters, digits, dot, dash and underscore, and no accents."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-._") or "document"


def attachments_of(contents: Contents, style: Attachments, stem: str) -> tuple[File, ...]:
    """Return what is attached to the mail of a document: a statement as it is, else as ``style`` says.

    Raises:
        ActionRequired: the receiver wants a PDF and the document has none.
    """
    if contents.coda is not None:
        return (File(f"{stem}.cod", contents.coda),)
    if contents.pdf is None:
        raise ActionRequired(Problem("pdf_missing"))
    pdf = File(f"{stem}.pdf", contents.pdf)
    if contents.ubl is None or style == "pdf":
        return (pdf,)
    ubl = File(f"{stem}.xml", contents.ubl)
    match style:
        case "xml_with_pdf":
            return (File(ubl.name, _with_pdf(contents.ubl, pdf)),)
        case "zip":
            return (File(f"{stem}.zip", zipped((ubl, pdf))),)
    return (ubl, pdf)


def zipped(files: tuple[File, ...]) -> bytes:
    """Return a ZIP of these files; the same files make the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(file.name, _ZIPPED_AT), file.content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def insist_on_taken(profile: MailProfile, files: tuple[File, ...]) -> None:
    """Check the attachments against what the receiver reads.

    Raises:
        Rejected: it does not read a file of this type, or none that is protected by a password.
    """
    for file in files:
        if file.ending not in profile.takes:
            raise Rejected(Problem("file_type_not_taken", file.name, target=profile.title))
        if file.ending == "pdf" and not profile.takes_encrypted_pdf and re.search(rb"/Encrypt\b", file.content):
            raise Rejected(Problem("pdf_protected", file.name, target=profile.title))


def _with_pdf(ubl: bytes, pdf: File) -> bytes:
    """Return the UBL with the PDF inside: as it is where it holds it already, for then its bytes are its sender's."""
    try:
        held = {hashlib.sha256(each.content or b"").digest() for each in koppel_ubl.read(ubl).attachments}
        if hashlib.sha256(pdf.content).digest() in held:
            return ubl
        return koppel_ubl.with_embedded_pdf(ubl, pdf.content, pdf.name)
    except koppel_ubl.ReadError as error:
        raise Rejected(Problem("ubl_unreadable", str(error)[:300])) from error
