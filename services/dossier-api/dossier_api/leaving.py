"""Which firms left, kept beside the bytes: a database that is set back to an earlier moment brings their data back.

Nothing is deleted because of this list alone: what stands in the store is not ours to trust with that. It is a warning, and
``koppel firm delete`` does the rest.
"""

from uuid import UUID

import structlog

from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

from .blobs import BlobStore, StoreAway

WARNING = "firms that came back"
_KNOWN = Statement("SELECT firm_id FROM firm_deletion WHERE firm_id = ANY(CAST(:firms AS uuid[]))")
log = structlog.get_logger(__name__)


async def stop_firm(context: Context, firm_id: UUID) -> None:
    """Note that a firm left, before anything of it is deleted.

    Raises:
        ConnectionError: the store is away; it is tried again.
    """
    store: BlobStore = context.resources
    try:
        await store.note_firm(firm_id)
    except StoreAway as error:
        raise ConnectionError(str(error)) from error


async def look_for_returned(context: Context) -> None:
    """Warn of firms that left and that the database does not know to have left."""
    store: BlobStore = context.resources
    try:
        noted = await store.noted_firms()
    except StoreAway as error:
        log.warning("the firms that left cannot be read", error=str(error))
        return
    async with context.database.reading() as reading:
        known = {row.firm_id for row in await _KNOWN.all(reading, {"firms": list(noted)})}
    returned = sorted(map(str, noted - known))
    if returned:
        context.health.warnings[WARNING] = f"these firms left and are back, delete them again: {', '.join(returned)}"
        log.error("firms that left are back", firms=returned)
    else:
        context.health.warnings.pop(WARNING, None)
