"""What changed since an earlier revision was sent: a new one never goes beside it (decision 5), and a person decides.

The delivery keeps a summary of the document as it was sent, for the document itself is replaced by its next revision.
"""

import json
from uuid import UUID

from koppel_bookkeeping import Document
from koppel_bookkeeping.revisions import changes, summary_of
from koppel_connector.contract.delivery import DeliveryContext
from koppel_connector.kit import Kit
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.prepared_sql import Statement

_SUMMARY = "as_filed"
_SENT = Statement(f"""
    SELECT d.document_id, o.progress -> '{_SUMMARY}' AS sent
    FROM delivery d JOIN delivery o ON o.document_id = d.document_id AND o.operation = d.operation
        AND o.connection_id = d.connection_id AND o.revision < d.revision
    WHERE d.id = :id AND jsonb_exists(o.progress, '{_SUMMARY}') AND (o.remote_id IS NOT NULL OR o.unknown_since IS NOT NULL)
    ORDER BY o.revision DESC LIMIT 1
""")


async def keep_summary(context: DeliveryContext) -> None:
    """Keep what the document says now; durable before anything of it leaves."""
    if _SUMMARY not in context.progress:
        await context.save(**{_SUMMARY: summary_of(context.document)})


async def changes_since_sent(kit: Kit, delivery_id: UUID) -> list[str] | None:
    """Return what differs from the revision that was sent before; None where none was, or it cannot be read now."""
    async with kit.database.reading() as reading:
        found = await _SENT.one_or_none(reading, {"id": delivery_id})
    if found is None:
        return None
    try:
        document = await kit.mesh.get_json(f"/dossier-api/v1/documents/{found.document_id}")
    except InternalCallError:
        return None
    sent = json.loads(found.sent) if isinstance(found.sent, str) else found.sent
    return changes(sent, summary_of(Document.model_validate(document)))
