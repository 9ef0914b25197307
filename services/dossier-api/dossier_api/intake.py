"""From a request's body to a checked intake: which files, what they say, what the sender added. No database here."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import ValidationError

from koppel_mesh.http.problems import FieldError, HttpProblem, printable

from .blobs import hash_of
from .models.entry import Metadata
from .multipart import Part, parts_of
from .parsed import ParsedInvoice, ParsedStatements
from .reading import Unreadable
from .reading.coda import read_coda
from .reading.ubl import read_ubl

Role = Literal["ubl", "pdf", "coda"]

OFF_LOOP_BYTES = 200_000
"""From here on reading takes long enough to be noticed by other requests; smaller files cost less than a thread."""
PDF_SEARCH_BYTES = 1024
"""How far into the file readers look for the header; some producers put a few bytes before it."""
XML_TYPES = {"application/xml", "text/xml"}
MEDIA_TYPES: dict[Role, str] = {"ubl": "application/xml", "pdf": "application/pdf", "coda": "text/plain"}
_UNFIT_FOR_NAMES = re.compile(r"[^\w.\- ()+,=@\[\]]", re.ASCII)


Read = TypeVar("Read")


@dataclass(frozen=True)
class File:
    """One file of a document."""

    role: Role
    data: bytes
    sha256: str
    filename: str | None
    embedded: bool = False
    """Whether another file of the document holds it: then it is never lost."""

    def row(self) -> dict[str, object]:
        """Return the file as kept in the document's ``content``."""
        return {
            "role": self.role,
            "media_type": MEDIA_TYPES[self.role],
            "sha256": self.sha256,
            "size_bytes": len(self.data),
            "filename": self.filename,
        }


@dataclass(frozen=True)
class Intake:
    """What came in. The first file is the main one: its hash is the document's identity in its dossier."""

    files: tuple[File, ...]
    parsed: ParsedInvoice | ParsedStatements | None
    metadata: Metadata

    @property
    def sha256(self) -> str:
        """Return the hash of the main content."""
        return self.files[0].sha256


def media_type_of(content_type: str) -> str:
    """Return the bare media type of a ``Content-Type`` header."""
    return content_type.partition(";")[0].strip().lower()


async def take_in(body: bytes, content_type: str, direction: Literal["sale", "purchase"] | None) -> Intake:
    """Read and check what was handed in.

    Raises:
        HttpProblem: 415 for what we do not take, 422 for what is not what it says.
    """
    media_type = media_type_of(content_type)
    metadata = Metadata(direction=direction)
    if media_type in XML_TYPES:
        return await _structured(body, None, None, metadata)
    if media_type == "application/pdf":
        return _bare_pdf(_pdf(body, None), metadata)
    if media_type == "multipart/form-data":
        return await _multipart(body, content_type, direction)
    if media_type == "text/plain":
        return await _statement(body, metadata)
    takes = "application/xml, text/plain (CODA), application/pdf or multipart/form-data"
    raise HttpProblem(415, "unsupported_media_type", f"A document is handed in as {takes}.")


async def _multipart(body: bytes, content_type: str, direction: Literal["sale", "purchase"] | None) -> Intake:
    parts = parts_of(body, content_type)
    if unknown := sorted(parts.keys() - {"ubl", "pdf", "metadata"}):
        raise HttpProblem(
            422, "unknown_part", "The parts are ubl, pdf and metadata.", printable(", ".join(unknown))[:300]
        )
    metadata = _metadata(parts.get("metadata"))
    if metadata.direction is None and direction is not None:
        metadata = metadata.model_copy(update={"direction": direction})
    pdf = _pdf(bytes(parts["pdf"].data), parts["pdf"].filename) if "pdf" in parts else None
    if "ubl" in parts:
        return await _structured(bytes(parts["ubl"].data), parts["ubl"].filename, pdf, metadata)
    if pdf is None:
        raise HttpProblem(422, "nothing_handed_in", "At least one of the parts ubl and pdf is needed.")
    return _bare_pdf(pdf, metadata)


async def _structured(data: bytes, filename: str | None, pdf: File | None, metadata: Metadata) -> Intake:
    parsed = await _read(read_ubl, data, "UBL")
    main = File("ubl", data, hash_of(data), safe_name(filename))
    if pdf is None and parsed.pdf is not None:
        pdf = File("pdf", parsed.pdf.data, hash_of(parsed.pdf.data), safe_name(parsed.pdf.filename), embedded=True)
    return Intake((main, pdf) if pdf else (main,), parsed, metadata)


async def _statement(data: bytes, metadata: Metadata) -> Intake:
    parsed = await _read(read_coda, data, "CODA")
    return Intake((File("coda", data, hash_of(data), None),), parsed, metadata)


async def _read(read: Callable[[bytes], Read], data: bytes, form: str) -> Read:
    _not_empty(data)
    try:
        return await asyncio.to_thread(read, data) if len(data) > OFF_LOOP_BYTES else read(data)
    except Unreadable as error:
        title = f"The document cannot be read as {form}."
        raise HttpProblem(422, "unreadable_document", title, errors=error.errors) from error


def _bare_pdf(pdf: File, metadata: Metadata) -> Intake:
    return Intake((pdf,), None, metadata)


def _pdf(data: bytes, filename: str | None) -> File:
    _not_empty(data)
    if not looks_like_pdf(data):
        raise HttpProblem(422, "not_a_pdf", "The body does not begin as a PDF does.")
    return File("pdf", data, hash_of(data), safe_name(filename))


def looks_like_pdf(data: bytes) -> bool:
    """Return whether ``data`` carries the mark of a PDF where readers look for it."""
    return b"%PDF-" in data[:PDF_SEARCH_BYTES]


def _metadata(part: Part | None) -> Metadata:
    if part is None:
        return Metadata()
    try:
        return Metadata.model_validate_json(bytes(part.data))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        errors = [
            FieldError(
                field=printable(".".join(("metadata", *(str(step) for step in item["loc"]))))[:300],
                rule=item["type"],
                message=printable(item["msg"])[:500],
            )
            for item in found[:100]
        ]
        raise HttpProblem(422, "invalid_metadata", "The part metadata is not what we take.", errors=errors) from error


def _not_empty(data: bytes) -> None:
    if not data.strip():
        raise HttpProblem(422, "empty_body", "There is nothing in it.")


def safe_name(filename: str | None) -> str | None:
    """Return a name that is safe in a header and in a folder; the sender's path, if any, goes."""
    if not filename:
        return None
    name = _UNFIT_FOR_NAMES.sub("_", re.split(r"[/\\]", filename)[-1]).strip(". ")
    return name[:120] or None
