"""Clients: who may ask for tokens, with which scopes, bound to which firm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.ids import new_id

from .tables import client, secret


@dataclass(frozen=True)
class Client:
    """One client and the hashes of its living secrets."""

    client_id: str
    firm_id: UUID | None
    scopes: tuple[str, ...]
    hashes: tuple[str, ...]


async def find(connection: AsyncConnection, client_id: str) -> Client | None:
    """Return the client that may ask for tokens under this id."""
    rows = (
        await connection.execute(
            select(client.c.client_id, client.c.firm_id, client.c.scopes, secret.c.hash)
            .join(secret, secret.c.client == client.c.id)
            .where(client.c.client_id == client_id, ~client.c.disabled)
            .where(or_(secret.c.ends_at.is_(None), secret.c.ends_at > func.now()))
        )
    ).all()
    if not rows:
        return None
    return Client(rows[0].client_id, rows[0].firm_id, tuple(rows[0].scopes), tuple(row.hash for row in rows))


async def ensure(
    tx: AsyncConnection, client_id: str, name: str, hashed: str, scopes: Sequence[str], firm_id: UUID | None
) -> None:
    """Make the client, or give the one that is there this secret and these scopes: it comes from the settings."""
    made = upsert(client).values(id=new_id(), client_id=client_id, name=name, firm_id=firm_id, scopes=list(scopes))
    row_id = (
        await tx.execute(
            made.on_conflict_do_update(
                index_elements=["client_id"], set_={"scopes": made.excluded.scopes, "firm_id": made.excluded.firm_id}
            ).returning(client.c.id)
        )
    ).scalar_one()
    await tx.execute(delete(secret).where(secret.c.client == row_id))
    await tx.execute(insert(secret).values(id=new_id(), client=row_id, hash=hashed))


async def create(
    tx: AsyncConnection, client_id: str, name: str, hashed: str, scopes: Sequence[str], firm_id: UUID | None
) -> Row[Any] | None:
    """Make a client; None when its id is taken."""
    made: Row[Any] | None = (
        await tx.execute(
            upsert(client)
            .values(id=new_id(), client_id=client_id, name=name, firm_id=firm_id, scopes=list(scopes))
            .on_conflict_do_nothing()
            .returning(client)
        )
    ).first()
    if made is not None:
        await tx.execute(insert(secret).values(id=new_id(), client=made.id, hash=hashed))
    return made


async def get(connection: AsyncConnection, row_id: UUID) -> Row[Any] | None:
    """Return one client."""
    return (await connection.execute(select(client).where(client.c.id == row_id))).first()


async def page(connection: AsyncConnection, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """Return clients in the order they were made."""
    query = select(client).order_by(client.c.id).limit(limit)
    return (await connection.execute(query.where(client.c.id > after) if after else query)).all()


async def change(tx: AsyncConnection, row_id: UUID, values: dict[str, Any]) -> Row[Any] | None:
    """Change a client; None when there is none."""
    if not values:
        return await get(tx, row_id)
    changed: Row[Any] | None = (
        await tx.execute(update(client).where(client.c.id == row_id).values(values).returning(client))
    ).first()
    return changed


async def remove(tx: AsyncConnection, row_id: UUID) -> bool:
    """Delete a client and its secrets; its tokens live on until they end."""
    return (await tx.execute(delete(client).where(client.c.id == row_id).returning(client.c.id))).first() is not None


async def add_secret(tx: AsyncConnection, row_id: UUID, hashed: str, overlap_s: int) -> None:
    """Give a client a new secret; the ones before stay valid for ``overlap_s``, so that a partner can change over."""
    await tx.execute(
        update(secret)
        .where(secret.c.client == row_id)
        .values(ends_at=func.least(secret.c.ends_at, func.now() + timedelta(seconds=overlap_s)))
    )
    await tx.execute(insert(secret).values(id=new_id(), client=row_id, hash=hashed))
