"""A delivery's document as a ledger gets it: what there is to book, and the files to attach."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

import koppel_ubl
from koppel_bookkeeping import Booking, CannotBook, EmbeddedFile, from_entry, from_ubl
from koppel_connector.contract import Problem
from koppel_connector.contract.delivery import DeliveryContext

PDF: Final = "application/pdf"
XML: Final = "application/xml"
CODA: Final = "text/plain"
ENDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    PDF: (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "text/csv": (".csv",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (".xlsx",),
    "application/vnd.oasis.opendocument.spreadsheet": (".ods",),
    XML: (".xml",),
}
"""The media types that Peppol allows inside an invoice (BR-CL-24), and the invoice's own; the first ending is the usual."""
_DETAIL_LENGTH_MAX: Final = 500


@dataclass(frozen=True)
class FileLimits:
    """What files a vendor takes with an entry."""

    size_bytes_max: int
    """Of one file."""
    media_types: frozenset[str] = frozenset(ENDINGS)
    """Of ``ENDINGS``."""
    count_max: int = 25
    """Files with one entry: each is a call, and a document of a thousand files must not use up the calls of a day."""
    total_bytes_max: int | None = None
    """Of all files of one entry together, where they travel in one call."""


@dataclass(frozen=True)
class File:
    """One file to attach."""

    name: str
    content: bytes = field(repr=False)
    media_type: str = ""


@dataclass(frozen=True)
class FilesToAttach:
    """What goes with the entry, and what a person is said of the rest."""

    files: tuple[File, ...]
    warnings: tuple[Problem, ...] = ()
    """``file_left_behind``, ``ubl_without_files``."""


@dataclass(frozen=True)
class ReadDocument:
    """The booking, read from the UBL where there is one, else from what a person entered; and both files."""

    booking: Booking
    ubl: bytes | None
    pdf: bytes | None

    def files(self, limits: FileLimits) -> FilesToAttach:
        """Return the files that a vendor takes: the picture of the document, its UBL, then what else the UBL carries.

        Picture and UBL are named by the document's number. Names are unique, and the same for the same document, always.
        A UBL that is too large goes without the files inside it.

        Raises:
            CannotBook: not one file of the document can go: ``attachment_too_large``, a problem of the connector's own.
        """
        files: list[File] = []
        left: list[str] = []
        lightened: str | None = None
        candidates = list(self._candidates())
        for file in candidates:
            fits = file
            if len(file.content) > limits.size_bytes_max and file.content is self.ubl and self.booking.embedded:
                fits = File(file.name, koppel_ubl.without_embedded_files(file.content), XML)
            if reason := _why_not(fits, limits, files):
                left.append(f"{file.name}: {reason}")
                continue
            if fits is not file:
                lightened = f"{file.name}: {len(file.content)} bytes"
            files.append(fits)
        if candidates and not files:
            raise CannotBook("attachment_too_large", left[0])
        said = (("ubl_without_files", lightened), ("file_left_behind", "; ".join(left)[:_DETAIL_LENGTH_MAX]))
        return FilesToAttach(tuple(files), tuple(Problem(code, detail) for code, detail in said if detail))

    def _candidates(self) -> Iterator[File]:
        """Yield every file once, under the name it gets."""
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", self.booking.number).strip("-.")[:80] or "document"
        by_content: dict[bytes, EmbeddedFile] = {}
        for each in self.booking.embedded:
            by_content.setdefault(each.content, each)
        inside = list(by_content.values())
        picture = next((file for file in inside if file.is_picture), None)
        if self.pdf is not None and all(file.content != self.pdf for file in inside):
            # Handed in beside the UBL, it takes the place of the picture inside, which still travels in the UBL.
            inside = [file for file in inside if not file.is_named_so]
            picture = EmbeddedFile(self.pdf, media_type=PDF)
        used: set[str] = set()
        if picture is not None:
            name = _unique(f"{stem}{_ending(picture)}", used)
            yield File(name, picture.content, picture.media_type)
        if self.ubl:
            yield File(_unique(f"{stem}.xml", used), self.ubl, XML)
        for file in inside:
            if file is not picture:
                own = koppel_ubl.safe_file_name(file.name) if file.name else "attachment"
                whole = own if own.lower().endswith(ENDINGS.get(file.media_type, ("",))) else own + _ending(file)
                yield File(_unique(whole, used), file.content, file.media_type)


async def read_document(context: DeliveryContext) -> ReadDocument:
    """Read a delivery's document; a PDF that the UBL carries inside is not asked for again.

    Raises:
        CannotBook: it is unreadable, or does not add up.
    """
    kind = context.delivery.kind
    ubl = await _content(context, "ubl")
    document = context.document
    booking = (
        from_ubl.booking(ubl, kind, signs_reversed=document.signs_reversed)
        if ubl
        else from_entry.booking(document, kind)
    )
    return ReadDocument(booking, ubl, await _content(context, "pdf", [file.content for file in booking.embedded]))


async def files_to_attach(
    context: DeliveryContext, document: ReadDocument, limits: FileLimits, also: Sequence[Problem] = ()
) -> tuple[File, ...]:
    """Return what goes with the entry, and tell with the delivery what does not, and what else there is to know of it.

    Raises:
        CannotBook: as ``ReadDocument.files``.
    """
    chosen = document.files(limits)
    await context.warn([*chosen.warnings, *also])
    return chosen.files


async def _content(context: DeliveryContext, role: str, at_hand: Sequence[bytes] = ()) -> bytes | None:
    """Return a file of the document; what the document does not list is not asked for."""
    if context.document.file(role) is None:
        return None
    try:
        return await context.content(role, at_hand)
    except KeyError:
        return None


def _why_not(file: File, limits: FileLimits, attached: Sequence[File]) -> str | None:
    if len(file.content) > limits.size_bytes_max:
        return f"{len(file.content)} bytes"
    together = len(file.content) + sum(len(each.content) for each in attached)
    if limits.total_bytes_max is not None and together > limits.total_bytes_max:
        return f"{together} bytes with the others"
    if file.media_type not in limits.media_types:
        return file.media_type or "no media type"
    return f"more than {limits.count_max} files" if len(attached) >= limits.count_max else None


def _ending(file: EmbeddedFile) -> str:
    return ENDINGS.get(file.media_type, ("",))[0]


def _unique(name: str, used: set[str]) -> str:
    """Return the name, with a number before its ending where it is used; ledgers may not tell capitals apart."""
    path, number = PurePath(name), 1
    while name.casefold() in used:
        number += 1
        name = f"{path.stem}-{number}{path.suffix}"
    used.add(name.casefold())
    return name
