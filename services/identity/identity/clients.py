"""Clients: who may ask for tokens, with which scopes, and for which firms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement

from . import consents, secrets


class Kind(StrEnum):
    """What a client is, and thereby what it sees."""

    SERVICE = "service"
    """Koppel's own services and its operators: bound to no firm, they see every firm."""
    FIRM = "firm"
    """Bound to one firm."""
    PARTNER = "partner"
    """Sees a firm for as long as that firm consents."""


_KIND = "coalesce(kind, CASE WHEN firm_id IS NULL THEN 'service' ELSE 'firm' END)"
"""The version before writes no kind."""
_SHOWN = f"""
    id, client_id, name, {_KIND} AS kind, CASE WHEN kind = 'partner' THEN NULL ELSE firm_id END AS firm_id, scopes, disabled,
    created_at
"""
_FIND = Statement(f"SELECT {_SHOWN} FROM client WHERE client_id = :client_id AND NOT disabled FOR SHARE")
_ENSURE = Statement("""
    INSERT INTO client (id, client_id, name, kind, firm_id, scopes)
    VALUES (:id, :client_id, :name, :kind, :firm_id, :scopes)
    ON CONFLICT (client_id) DO UPDATE SET scopes = excluded.scopes, firm_id = excluded.firm_id, kind = excluded.kind
    RETURNING id
""")
_CREATE = Statement(f"""
    INSERT INTO client (id, client_id, name, kind, firm_id, scopes)
    VALUES (:id, :client_id, :name, :kind, :firm_id, :scopes)
    ON CONFLICT DO NOTHING RETURNING {_SHOWN}
""")
_LEFT = Statement("SELECT FROM firm_deletion WHERE firm_id = :firm_id")
_GET = Statement(f"SELECT {_SHOWN} FROM client WHERE id = :id")
_PAGE = Statement(f"""
    SELECT {_SHOWN} FROM client WHERE CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid) ORDER BY id LIMIT :limit
""")
_CHANGE = Statement(f"""
    UPDATE client SET name = coalesce(CAST(:name AS text), name), scopes = coalesce(CAST(:scopes AS text[]), scopes),
        disabled = coalesce(CAST(:disabled AS boolean), disabled)
    WHERE id = :id RETURNING {_SHOWN}
""")
_LOCK = Statement(f"SELECT {_SHOWN} FROM client WHERE id = :id FOR UPDATE")
_REMOVE = Statement("DELETE FROM client WHERE id = :id")


@dataclass(frozen=True)
class Client:
    """One client, its living secrets and, of a partner, what firms let it do."""

    client_id: str
    kind: Kind
    firm_id: UUID | None
    scopes: tuple[str, ...]
    secrets: Sequence[Record]
    consents: Mapping[UUID, frozenset[str]]


@dataclass(frozen=True)
class NewClient:
    """A client to be kept."""

    client_id: str
    name: str
    kind: Kind
    firm_id: UUID | None
    scopes: Sequence[str]

    def values(self) -> dict[str, Any]:
        """Return the columns of its row."""
        row_id = new_id()
        firm_id = row_id if self.kind is Kind.PARTNER else self.firm_id
        named = {"client_id": self.client_id, "name": self.name, "kind": self.kind.value}
        return {"id": row_id, "firm_id": firm_id, "scopes": list(self.scopes), **named}


async def find(tx: AsyncConnection, client_id: str, firm_id: UUID | None) -> Client | None:
    """Return the client that may ask for tokens under this id. Until the transaction ends, nothing of it is revoked.

    Args:
        tx: the transaction in which the moment of its token is taken.
        client_id: as it shows itself.
        firm_id: of the firm it names, to which its consents are then limited.
    """
    row = await _FIND.one_or_none(tx, {"client_id": client_id})
    if row is None:
        return None
    kind = Kind(row.kind)
    given = await consents.living(tx, row.id, firm_id) if kind is Kind.PARTNER else {}
    return Client(row.client_id, kind, row.firm_id, tuple(row.scopes), await secrets.living(tx, row.id), given)


async def ensure(tx: AsyncConnection, new: NewClient, hashed: str) -> None:
    """Make the client, or give the one that is there this secret and these scopes: it comes from the settings."""
    row = await _ENSURE.one(tx, new.values())
    await secrets.replace(tx, row.id, hashed)


async def create(tx: AsyncConnection, new: NewClient, hashed: str) -> Record | None:
    """Make a client; None when its id is taken."""
    made = await _CREATE.one_or_none(tx, new.values())
    if made is not None:
        await secrets.add(tx, made.id, hashed)
    return made


async def has_left(tx: AsyncConnection, firm_id: UUID | None) -> bool:
    """Return whether that firm left and its data is being deleted, again and again."""
    return (await _LEFT.one_or_none(tx, {"firm_id": firm_id})) is not None


async def get(connection: AsyncConnection, row_id: UUID) -> Record | None:
    """Return one client."""
    return await _GET.one_or_none(connection, {"id": row_id})


async def page(connection: AsyncConnection, after: UUID | None, limit: int) -> Sequence[Record]:
    """Return clients in the order they were made."""
    return await _PAGE.all(connection, {"after": after, "limit": limit})


async def change(
    tx: AsyncConnection, row_id: UUID, *, name: str | None, scopes: Sequence[str] | None, disabled: bool | None
) -> Record:
    """Change what is given of a client that is locked; return it as it is then."""
    return await _CHANGE.one(tx, {"id": row_id, "name": name, "scopes": scopes, "disabled": disabled})


async def locked(tx: AsyncConnection, row_id: UUID) -> Record | None:
    """Return one client: until the transaction ends it gets no token and no consent."""
    return await _LOCK.one_or_none(tx, {"id": row_id})


async def remove(tx: AsyncConnection, row_id: UUID, by: str) -> None:
    """Delete a client that is locked, and its secrets, and withdraw every consent to it."""
    await consents.withdraw_all(tx, row_id, by)
    await _REMOVE.run(tx, {"id": row_id})
