"""Ending a connection: the grant and the secrets are destroyed, the reconciler ends what waited, the sync log stays."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.kit import Kit
from koppel_mesh.prepared_sql import Statement

from .events import Removed

_DROP_SECRETS = Statement("UPDATE connection SET secrets = NULL, key_id = NULL, import_due_at = NULL WHERE id = :id")
_DROP_GRANT = Statement("DELETE FROM oauth_token WHERE connection_id = :id")


async def remove(kit: Kit, tx: AsyncConnection, connection_id: UUID) -> None:
    """End a connection that is locked."""
    await kit.connections.apply(tx, connection_id, Removed())
    await _DROP_GRANT.run(tx, {"id": connection_id})
    await _DROP_SECRETS.run(tx, {"id": connection_id})


def forget(kit: Kit, connection_id: UUID) -> None:
    """Drop what this process remembers of a connection whose end is committed."""
    if kit.vault is not None:
        kit.vault.forget(connection_id)
    if kit.sessions is not None:
        kit.sessions.forget(connection_id)
    kit.wake("reconciler")
