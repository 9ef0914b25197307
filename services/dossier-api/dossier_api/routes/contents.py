"""The bytes of a document, by role."""

from typing import Annotated, Literal
from uuid import UUID

import structlog
from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse

from dossier_api.blobs import StoreAway
from dossier_api.documents import DocumentRow, content_of, read_document
from dossier_api.intake import safe_name
from dossier_api.visibility import DocumentReader, store_away
from koppel_mesh.http.server import CurrentContext

router = APIRouter(prefix="/v1", tags=["documents"])
log = structlog.get_logger(__name__)
ENDINGS = {"ubl": "xml", "pdf": "pdf", "coda": "cod"}


@router.get("/documents/{document_id}/content/{role}", response_class=Response)
async def get_content(
    document_id: UUID,
    role: Literal["ubl", "pdf", "coda"],
    context: CurrentContext,
    caller: DocumentReader,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return one file of a document as it came; its ETag is its SHA-256."""
    async with context.database.reading() as reading:
        row = await read_document(reading, caller, document_id)
    file = content_of(row, role)
    etag = f'"{file["sha256"]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    if _matches(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Length"] = str(file["size_bytes"])
    headers["Content-Disposition"] = f'attachment; filename="{_filename(row, role, file["filename"])}"'
    try:
        pieces = await context.resources.stream(file["sha256"])
    except StoreAway as error:
        # The row was committed after the bytes were: only a store that is away, or lost them, comes here.
        log.warning("file could not be read", document=str(row.id), role=role, error=str(error))
        raise store_away() from error
    return StreamingResponse(pieces, headers=headers, media_type=file["media_type"])


def _matches(if_none_match: str | None, etag: str) -> bool:
    given = [each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")]
    return etag in given or "*" in given


def _filename(row: DocumentRow, role: str, given: str | None) -> str:
    return given or f"{safe_name(row.number) or row.id}.{ENDINGS[role]}"
