"""A delivery's document as a ledger gets it: what there is to book, and the files to attach."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from koppel_bookkeeping import Booking, CannotBook, from_entry, from_ubl
from koppel_connector.contract.delivery import DeliveryContext


@dataclass(frozen=True)
class File:
    """One file to attach."""

    name: str
    content: bytes


@dataclass(frozen=True)
class ReadDocument:
    """The booking, read from the UBL where there is one, else from what a person entered; and both files."""

    booking: Booking
    ubl: bytes | None
    pdf: bytes | None

    def files(self, size_bytes_max: int) -> tuple[File, ...]:
        """Return the files, named by the document's number: the PDF, then the UBL.

        Raises:
            CannotBook: a file is larger than that: ``attachment_too_large``, a problem of the connector's own with its limit.
        """
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", self.booking.number).strip("-.")[:80] or "document"
        files = tuple(
            File(f"{stem}.{kind}", content) for kind, content in (("pdf", self.pdf), ("xml", self.ubl)) if content
        )
        for file in files:
            if len(file.content) > size_bytes_max:
                raise CannotBook("attachment_too_large", f"{file.name}: {len(file.content)} bytes")
        return files


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
    return ReadDocument(booking, ubl, await _content(context, "pdf", booking.embedded))


async def _content(context: DeliveryContext, role: str, at_hand: Sequence[bytes] = ()) -> bytes | None:
    """Return a file of the document; what the document does not list is not asked for."""
    if context.document.file(role) is None:
        return None
    try:
        return await context.content(role, at_hand)
    except KeyError:
        return None
