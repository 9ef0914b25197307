"""The audit log: who gave or took which right, when and from where, and which tokens were refused. Rows end by age."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.visibility import VISIBLE

_ADD = Statement("""
    INSERT INTO audit_entry (id, act, actor, firm_id, about, source, request_id)
    VALUES (:id, :act, :actor, :firm_id, CAST(:about AS jsonb), :source, :request_id)
""")
_PAGE = Statement(f"""
    SELECT * FROM audit_entry
    WHERE {VISIBLE} AND (CAST(:act AS text) IS NULL OR act = :act) AND (CAST(:actor AS text) IS NULL OR actor = :actor)
        AND (CAST(:after AS uuid) IS NULL OR id < CAST(:after AS uuid)) ORDER BY id DESC LIMIT :limit
""")
_FORGET = Statement("DELETE FROM audit_entry WHERE at < now() - CAST(:days AS integer) * interval '1 day'")


class Act(StrEnum):
    """What was done."""

    CLIENT_CREATED = "client.created"
    CLIENT_CHANGED = "client.changed"
    CLIENT_DELETED = "client.deleted"
    SECRET_ADDED = "secret.added"  # noqa: S105 - a name, no secret
    SECRET_ENDED = "secret.ended"  # noqa: S105
    CONSENT_GRANTED = "consent.granted"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    SIGNING_KEY_ROTATED = "signing_key.rotated"
    TOKEN_REVOKED = "token.revoked"  # noqa: S105
    TOKEN_REFUSED = "token.refused"  # noqa: S105


class AuditEntry(BaseModel):
    """Something that was done by the client ``actor`` and concerns a firm, or none."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    at: datetime
    act: Act
    actor: str
    firm_id: UUID | None
    about: dict[str, Any]
    source: str
    request_id: str | None


async def add(
    tx: AsyncConnection, act: Act, *, actor: str, firm_id: UUID | None, about: Mapping[str, Any], source: str
) -> None:
    """Add an entry, in the transaction of what it tells of."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    made = {"actor": actor, "firm_id": firm_id, "about": json.dumps(about, default=str), "source": source}
    await _ADD.run(tx, {"id": new_id(), "act": act.value, **made, "request_id": request_id})


async def page(
    connection: AsyncConnection, caller: Caller, act: Act | None, actor: str | None, after: UUID | None, limit: int
) -> Sequence[Record]:
    """Return what concerns the caller's firm, everything for a caller bound to none, the newest first."""
    asked = {"firm_id": caller.firm_id, "act": act.value if act else None, "actor": actor}
    return await _PAGE.all(connection, {**asked, "after": after, "limit": limit})


async def forget(tx: AsyncConnection, days: int) -> None:
    """Delete what was kept long enough."""
    await _FORGET.run(tx, {"days": days})
