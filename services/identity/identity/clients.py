"""Clients: who may ask for tokens, with which scopes, bound to which firm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement

_FIND = Statement("""
    SELECT c.client_id, c.firm_id, c.scopes, s.hash FROM client c JOIN secret s ON s.client = c.id
    WHERE c.client_id = :client_id AND NOT c.disabled AND (s.ends_at IS NULL OR s.ends_at > now())
""")
_ENSURE = Statement("""
    INSERT INTO client (id, client_id, name, firm_id, scopes) VALUES (:id, :client_id, :name, :firm_id, :scopes)
    ON CONFLICT (client_id) DO UPDATE SET scopes = excluded.scopes, firm_id = excluded.firm_id
    RETURNING id
""")
_CREATE = Statement("""
    INSERT INTO client (id, client_id, name, firm_id, scopes) VALUES (:id, :client_id, :name, :firm_id, :scopes)
    ON CONFLICT DO NOTHING RETURNING *
""")
_GET = Statement("SELECT * FROM client WHERE id = :id")
_PAGE = Statement("""
    SELECT * FROM client WHERE CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid) ORDER BY id LIMIT :limit
""")
_CHANGE = Statement("""
    UPDATE client SET name = coalesce(CAST(:name AS text), name), scopes = coalesce(CAST(:scopes AS text[]), scopes),
        disabled = coalesce(CAST(:disabled AS boolean), disabled)
    WHERE id = :id RETURNING *
""")
_REMOVE = Statement("DELETE FROM client WHERE id = :id RETURNING id")
_ADD_SECRET = Statement("INSERT INTO secret (id, client, hash) VALUES (:id, :client, :hash)")
_REMOVE_SECRETS = Statement("DELETE FROM secret WHERE client = :client")
_END_SECRETS = Statement("""
    UPDATE secret SET ends_at = least(ends_at, now() + CAST(:overlap AS interval)) WHERE client = :client
""")


@dataclass(frozen=True)
class Client:
    """One client and the hashes of its living secrets."""

    client_id: str
    firm_id: UUID | None
    scopes: tuple[str, ...]
    hashes: tuple[str, ...]


async def find(connection: AsyncConnection, client_id: str) -> Client | None:
    """Return the client that may ask for tokens under this id."""
    rows = await _FIND.all(connection, {"client_id": client_id})
    if not rows:
        return None
    return Client(rows[0].client_id, rows[0].firm_id, tuple(rows[0].scopes), tuple(row.hash for row in rows))


async def ensure(
    tx: AsyncConnection, client_id: str, name: str, hashed: str, scopes: Sequence[str], firm_id: UUID | None
) -> None:
    """Make the client, or give the one that is there this secret and these scopes: it comes from the settings."""
    row = await _ENSURE.one(tx, _new(client_id, name, scopes, firm_id))
    await _REMOVE_SECRETS.run(tx, {"client": row.id})
    await _ADD_SECRET.run(tx, {"id": new_id(), "client": row.id, "hash": hashed})


async def create(
    tx: AsyncConnection, client_id: str, name: str, hashed: str, scopes: Sequence[str], firm_id: UUID | None
) -> Record | None:
    """Make a client; None when its id is taken."""
    made = await _CREATE.one_or_none(tx, _new(client_id, name, scopes, firm_id))
    if made is not None:
        await _ADD_SECRET.run(tx, {"id": new_id(), "client": made.id, "hash": hashed})
    return made


def _new(client_id: str, name: str, scopes: Sequence[str], firm_id: UUID | None) -> dict[str, Any]:
    return {"id": new_id(), "client_id": client_id, "name": name, "firm_id": firm_id, "scopes": list(scopes)}


async def get(connection: AsyncConnection, row_id: UUID) -> Record | None:
    """Return one client."""
    return await _GET.one_or_none(connection, {"id": row_id})


async def page(connection: AsyncConnection, after: UUID | None, limit: int) -> Sequence[Record]:
    """Return clients in the order they were made."""
    return await _PAGE.all(connection, {"after": after, "limit": limit})


async def change(
    tx: AsyncConnection, row_id: UUID, *, name: str | None, scopes: Sequence[str] | None, disabled: bool | None
) -> Record | None:
    """Change what is given; return the client, None when there is none."""
    return await _CHANGE.one_or_none(tx, {"id": row_id, "name": name, "scopes": scopes, "disabled": disabled})


async def remove(tx: AsyncConnection, row_id: UUID) -> bool:
    """Delete a client and its secrets; its tokens live on until they end."""
    return await _REMOVE.one_or_none(tx, {"id": row_id}) is not None


async def add_secret(tx: AsyncConnection, row_id: UUID, hashed: str, overlap_s: int) -> None:
    """Give a client a new secret; the ones before stay valid for ``overlap_s``, so that a partner can change over."""
    await _END_SECRETS.run(tx, {"client": row_id, "overlap": timedelta(seconds=overlap_s)})
    await _ADD_SECRET.run(tx, {"id": new_id(), "client": row_id, "hash": hashed})
