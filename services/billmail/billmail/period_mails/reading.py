"""The documents of a period, read from dossier-api."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from billmail.attaching import Contents
from koppel_bookkeeping import Document
from koppel_mesh.http.internal_client import InternalClient
from koppel_mesh.messages import DocumentState

READY = frozenset({DocumentState.FILED, DocumentState.EXPORTED, DocumentState.BOOKED})
"""What may go: the others wait for an entry, an answer or an approval."""
PAGE_ROWS = 200


async def list_documents(mesh: InternalClient, dossier_id: UUID, from_on: date, to_on: date) -> list[Mapping[str, Any]]:
    """Return the documents that were issued in a period, oldest first; raises ``InternalCallError``."""
    found: list[Mapping[str, Any]] = []
    after = None
    while True:
        query = {
            "dossier_id": str(dossier_id),
            "from": from_on.isoformat(),
            "to": to_on.isoformat(),
            "limit": PAGE_ROWS,
        }
        page = await mesh.get_json(
            "/dossier-api/v1/documents", params=query | ({"after": after} if after is not None else {})
        )
        found += page["items"]
        after = page["next"]
        if after is None:
            return found[::-1]


async def read_document(mesh: InternalClient, document_id: str) -> Document:
    """Return one document; raises ``InternalCallError``."""
    return Document.model_validate(await mesh.get_json(f"/dossier-api/v1/documents/{document_id}"))


async def read_contents(mesh: InternalClient, document: Document) -> Contents:
    """Return the files of one document; raises ``InternalCallError``."""
    path = f"/dossier-api/v1/documents/{document.id}/content"
    return Contents(**{each.role: await mesh.get_bytes(f"{path}/{each.role}") for each in document.content})
