"""The copy of a firm: a ZIP file with the rows of every service and the files of its documents."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from rich.progress import Progress

from .api import Api
from .user_errors import UserError

KEEPER = "dossier-api"
"""The service whose documents have files."""
_UNFIT = re.compile(r"[^\w.\- ]", re.ASCII)
README = """What Koppel holds of firm {firm_id}.

rows/SERVICE.ndjson   the rows of a service: one JSON object a line, {{"table": ..., "row": {{...}}}}. The last line says how many
                      there are. Moments are UTC; bytes are hexadecimal. Passwords, tokens and keys are left out.
files/DOCUMENT_ID/    the files of a document as they came: UBL, PDF or CODA. The row of table document in
                      rows/dossier-api.ndjson has the same id; its "content" gives the SHA-256 of each file.
"""


class DocumentFile(NamedTuple):
    """A file of a document, as its row names it."""

    document_id: str
    role: str
    sha256: str
    filename: str


def write_archive(
    api: Api, services: Sequence[str], firm_id: UUID, target: Path, progress: Progress
) -> tuple[int, int]:
    """Write the archive; it gets its name when it is complete and on the disk.

    Returns:
        How many rows and files it holds.

    Raises:
        UserError: a service does not answer, an answer broke off, or a file is not what its row says.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as raw:
            with ZipFile(raw, "w", ZIP_DEFLATED) as archive:
                archive.writestr("README.txt", README.format(firm_id=firm_id))
                counts = _write(api, services, firm_id, archive, progress)
            raw.flush()
            os.fsync(raw.fileno())
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return counts


def _write(api: Api, services: Sequence[str], firm_id: UUID, archive: ZipFile, progress: Progress) -> tuple[int, int]:
    rows, files = 0, list[DocumentFile]()
    done = progress.add_task("services", total=len(services))
    for service in services:
        with archive.open(f"rows/{service}.ndjson", "w", force_zip64=True) as entry:
            for line in _lines(api, service, firm_id):
                entry.write(line.encode() + b"\n")
                if service == KEEPER and line.startswith('{"table":"document"'):
                    files += _files_of(json.loads(line)["row"])
                rows += not line.startswith('{"end":')
        progress.advance(done)
    read = progress.add_task("files", total=len(files))
    for file in files:
        path = f"/{KEEPER}/v1/documents/{file.document_id}/content/{file.role}"
        content: bytes = api.call("GET", path) or b""
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise UserError(f"{path} is not the file that its document names.")
        archive.writestr(f"files/{file.document_id}/{file.filename}", content)
        progress.advance(read)
    return rows, len(files)


def _lines(api: Api, service: str, firm_id: UUID) -> Iterator[str]:
    """Yield the lines of a service, the last one too.

    Raises:
        UserError: it is missing: the answer broke off.
    """
    last = ""
    with api.lines(f"/{service}/v1/firms/{firm_id}/data") as lines:
        for last in lines:
            yield last
    if not last.startswith('{"end":'):
        raise UserError(f"The answer of {service} broke off; nothing was written.")


def _files_of(row: dict[str, Any]) -> Iterator[DocumentFile]:
    for file in row["content"]:
        name = _UNFIT.sub("_", file["filename"] or "").strip(". ")
        role, ending = file["role"], file["media_type"].rpartition("/")[2]
        yield DocumentFile(row["id"], role, file["sha256"], f"{role}-{name}" if name else f"{role}.{ending}")
