"""The Document that carries a delivery's files (§3.9): Document → PDF → UBL, each finished step remembered.

Its subject ends in the delivery's remote reference, so that after an answer that never came the Document is found again
instead of made twice; files are recognised by name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from koppel_connector.connector import Work

from . import rights
from .api import Exact
from .mapping.entry import Entry, clipped
from .mapping.refusal import CannotBook

SUBJECT_LENGTH_MAX: Final = 100
# Exact measures the raw bytes of a POST, not their base64 (§2, sizes).
FILE_SIZE_BYTES_MAX: Final = 10_000_000


@dataclass(frozen=True)
class File:
    """One file to attach."""

    name: str
    content: bytes


def files_of(number: str, ubl: bytes | None, pdf: bytes | None) -> tuple[File, ...]:
    """Return the files of a document, the readable one first; raise for one Exact would refuse."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", number).strip("-.")[:80] or "document"
    files = tuple(File(f"{stem}.{kind}", content) for kind, content in (("pdf", pdf), ("xml", ubl)) if content)
    for file in files:
        if len(file.content) > FILE_SIZE_BYTES_MAX:
            raise CannotBook("attachment_too_large", f"{file.name}: {len(file.content)} bytes")
    return files


async def attach(exact: Exact, work: Work, entry: Entry, files: Sequence[File]) -> str:
    """Make the Document and hang the files on it, going on where an earlier attempt stopped; return its id."""
    document_id: str | None = work.progress.get("document_id")
    if document_id is None:
        document_id = await exact.create_document(_body(work, entry))
        await work.save(document_id=document_id)
    for file in files:
        attached: list[str] = work.progress.get("attached", [])
        if file.name not in attached:
            await exact.attach(document_id, file.name, file.content)
            await work.save(attached=[*attached, file.name])
    return document_id


async def forget(work: Work) -> None:
    """Have the Document made anew at the next attempt: somebody has removed the one that is remembered."""
    await work.save(document_id=None, attached=[])


async def recover(exact: Exact, work: Work) -> None:
    """After an ambiguous step: find the Document by its subject and see what hangs on it already."""
    document_id = work.progress.get("document_id")
    if document_id is None:
        found = await exact.documents_about(work.remote_ref)
        if not found:
            await rights.insist_on_reading(exact, "documents/Documents")
            return
        document_id = str(min(str(row["ID"]) for row in found))
        await work.save(document_id=document_id)
    names = [str(row.get("FileName")) for row in await exact.attachments_of(document_id)]
    if not names:
        await rights.insist_on_reading(exact, "documents/DocumentAttachments")
    await work.save(attached=names)


def _body(work: Work, entry: Entry) -> dict[str, Any]:
    booking = entry.booking
    room = SUBJECT_LENGTH_MAX - len(work.remote_ref) - 1
    return {
        "Subject": f"{clipped(f'{booking.number} {booking.party.name}', room)} {work.remote_ref}",
        "Type": entry.family.document_type,
        "Account": entry.relation_id,
        "DocumentDate": booking.issued_on,
        "AmountFC": booking.total,
        "Currency": booking.currency,
    }
