"""What was revoked and has not ended by itself: single tokens (RFC 7009), and all that a client got until a moment.

Both moments that are compared, of a token and of a revocation, are of the database's clock, and each is read under a lock of the
client's row: a token that knows nothing of a revocation is older than it.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import LEEWAY_S
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.revocations import SHOWN_MAX

_TOKEN = Statement("""
    INSERT INTO revocation (id, jti, revoked_by, ends_at)
    VALUES (:id, :jti, :by, to_timestamp(:expires_at) + CAST(:leeway AS interval)) ON CONFLICT (jti) DO NOTHING
""")
_CLIENT = Statement("""
    INSERT INTO revocation (id, client_id, firm_id, issued_before, revoked_by, ends_at)
    VALUES (:id, :client_id, :firm_id, clock_timestamp(), :by, clock_timestamp() + CAST(:longest AS interval))
""")
_COVERS = Statement("""
    SELECT EXISTS (SELECT FROM revocation WHERE ends_at > now() AND (jti = :jti OR client_id = :client_id
        AND (firm_id IS NULL OR firm_id = CAST(:firm_id AS uuid)) AND issued_before >= to_timestamp(:issued_at))) AS found
""")
_LIVING = Statement("SELECT * FROM revocation WHERE ends_at > now() ORDER BY id DESC LIMIT :limit")
_FORGET = Statement("DELETE FROM revocation WHERE ends_at < now()")


async def revoke_token(tx: AsyncConnection, claims: Mapping[str, Any], by: str) -> None:
    """Revoke one token."""
    leeway = timedelta(seconds=LEEWAY_S)
    ends = {"expires_at": float(claims["exp"]), "leeway": leeway}
    await _TOKEN.run(tx, {"id": new_id(), "jti": UUID(claims["jti"]), "by": by, **ends})


async def revoke_client(
    tx: AsyncConnection, client_id: str, firm_id: UUID | None, *, by: str, token_lifetime_s: int
) -> None:
    """Revoke every token that a client has got, of one firm or (None) of all; the transaction has locked the client's row."""
    longest = timedelta(seconds=token_lifetime_s + LEEWAY_S)
    about = {"client_id": client_id, "firm_id": firm_id, "by": by, "longest": longest}
    await _CLIENT.run(tx, {"id": new_id(), **about})


async def covers(connection: AsyncConnection, claims: Mapping[str, Any]) -> bool:
    """Return whether a token with these claims is revoked."""
    about = {"client_id": claims["client_id"], "firm_id": claims.get("firm_id"), "issued_at": float(claims["iat"])}
    return bool((await _COVERS.one(connection, {"jti": UUID(claims["jti"]), **about})).found)


async def living(connection: AsyncConnection) -> Sequence[Record]:
    """Return what services have to know of now, the newest first."""
    return await _LIVING.all(connection, {"limit": SHOWN_MAX})


async def forget(tx: AsyncConnection) -> None:
    """Delete what covers no living token any more."""
    await _FORGET.run(tx)
