"""The secrets of clients: kept as hashes, several at a time while a client changes over."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement

_IS_LIVING = "(ends_at IS NULL OR ends_at > now())"
_LIVING = Statement(f"""
    SELECT id, hash, last_used_at IS NOT NULL AND last_used_at >= date_trunc('hour', now()) AS is_noted
    FROM secret WHERE client = :client AND {_IS_LIVING}
""")
_LIST = Statement("SELECT id, created_at, ends_at, last_used_at FROM secret WHERE client = :client ORDER BY id")
_ADD = Statement("INSERT INTO secret (id, client, hash) VALUES (:id, :client, :hash) RETURNING id")
_REMOVE_ALL = Statement("DELETE FROM secret WHERE client = :client")
_END_ALL = Statement("""
    UPDATE secret SET ends_at = least(ends_at, now() + CAST(:overlap AS interval)) WHERE client = :client
""")
_END = Statement("""
    UPDATE secret SET ends_at = least(ends_at, now()) WHERE id = :id AND client = :client RETURNING id
""")
_NOTE_USE = Statement("UPDATE secret SET last_used_at = date_trunc('hour', now()) WHERE id = :id")


class ShownSecret(BaseModel):
    """A secret as it is shown: without its value. It was last used in the hour that begins at ``last_used_at``."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    created_at: datetime
    ends_at: datetime | None
    last_used_at: datetime | None


async def living(connection: AsyncConnection, client: UUID) -> Sequence[Record]:
    """Return id and hash of the secrets that a client may show itself with, and whether their use is noted already."""
    return await _LIVING.all(connection, {"client": client})


async def of_client(connection: AsyncConnection, client: UUID) -> list[ShownSecret]:
    """Return every secret of a client, those that have ended too."""
    return [ShownSecret.model_validate(row) for row in await _LIST.all(connection, {"client": client})]


async def add(tx: AsyncConnection, client: UUID, hashed: str) -> UUID:
    """Give a client a secret; return its id."""
    secret_id: UUID = (await _ADD.one(tx, {"id": new_id(), "client": client, "hash": hashed})).id
    return secret_id


async def replace(tx: AsyncConnection, client: UUID, hashed: str) -> None:
    """Let a client have this secret alone."""
    await _REMOVE_ALL.run(tx, {"client": client})
    await add(tx, client, hashed)


async def rotate(tx: AsyncConnection, client: UUID, hashed: str, overlap_s: int) -> UUID:
    """Give a client a new secret; the ones before stay valid for ``overlap_s``, so that it can change over."""
    await _END_ALL.run(tx, {"client": client, "overlap": timedelta(seconds=overlap_s)})
    return await add(tx, client, hashed)


async def end(tx: AsyncConnection, client: UUID, secret_id: UUID) -> bool:
    """End a secret at once; return whether the client has it."""
    return await _END.one_or_none(tx, {"id": secret_id, "client": client}) is not None


async def note_use(tx: AsyncConnection, secret_id: UUID) -> None:
    """Note that a secret was used within this hour."""
    await _NOTE_USE.run(tx, {"id": secret_id})
