"""The keys tokens are signed with: made, published before they sign, and published until their last token has ended."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from joserfc.jwk import ECKey
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import KEYS_FRESH_S, LEEWAY_S
from koppel_mesh.ids import new_id
from koppel_mesh.keyring import KeyRing

from .tables import signing_key

ALGORITHM = "ES256"
PUBLISHED_BEFORE_S = KEYS_FRESH_S * 2
"""A new key is in the key set for this long before it signs, so that whoever keeps the set for an hour has it."""
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('koppel signing keys'))")


@dataclass(frozen=True)
class SigningKey:
    """The private key that signs now."""

    kid: UUID
    key: ECKey


async def signing(connection: AsyncConnection, ring: KeyRing) -> SigningKey:
    """Return the newest key that may sign.

    Raises:
        MissingKeyError: it is under a secret key that is not in the ring.
    """
    row = (
        await connection.execute(
            select(signing_key.c.kid, signing_key.c.sealed, signing_key.c.key_id)
            .where(signing_key.c.signs_from <= func.now())
            .order_by(signing_key.c.signs_from.desc())
            .limit(1)
        )
    ).one()
    return SigningKey(row.kid, ECKey.import_key(ring.open(row.kid, row.sealed, row.key_id)))


async def published(connection: AsyncConnection, token_lifetime_s: int) -> list[dict[str, Any]]:
    """Return the public keys by which any living token can be checked, and those that will sign soon."""
    rows = (await connection.execute(select(signing_key).order_by(signing_key.c.signs_from))).all()
    now = (await connection.execute(select(func.now()))).scalar_one()
    keys = []
    for row, successor in zip(rows, [*rows[1:], None], strict=True):
        last_token_s = token_lifetime_s + LEEWAY_S
        ended = successor is not None and successor.signs_from + timedelta(seconds=last_token_s) < now
        if not ended:
            keys.append({**row.public, "kid": str(row.kid), "use": "sig", "alg": ALGORITHM})
    return keys


async def reseal(tx: AsyncConnection, ring: KeyRing) -> int:
    """Encrypt again what is under an old secret key, so that it may leave the ring; return how many keys that were.

    Raises:
        MissingKeyError: a signing key is under a secret key that is not in the ring.
    """
    await tx.execute(_ONE_AT_A_TIME)
    rows = (await tx.execute(select(signing_key.c.kid, signing_key.c.sealed, signing_key.c.key_id))).all()
    old = [row for row in rows if row.key_id != ring.key_id or not ring.is_under_first_key(row.sealed)]
    for row in old:
        sealed = ring.seal(row.kid, ring.open(row.kid, row.sealed, row.key_id))
        await tx.execute(
            update(signing_key).where(signing_key.c.kid == row.kid).values(sealed=sealed, key_id=ring.key_id)
        )
    return len(old)


async def rotate(tx: AsyncConnection, ring: KeyRing, *, older_than_days: int = 0) -> bool:
    """Make the next key when the newest is older than that; return whether one was made. The very first signs at once."""
    await tx.execute(_ONE_AT_A_TIME)
    newest = (await tx.execute(select(func.max(signing_key.c.created_at).label("at"), func.now().label("now")))).one()
    if newest.at is not None and newest.now - newest.at < timedelta(days=older_than_days):
        return False
    key, kid = ECKey.generate_key("P-256", private=True), new_id()
    wait_s = PUBLISHED_BEFORE_S if newest.at is not None else 0
    await tx.execute(
        insert(signing_key).values(
            kid=kid,
            public=key.as_dict(private=False),
            sealed=ring.seal(kid, dict(key.as_dict(private=True))),
            key_id=ring.key_id,
            signs_from=func.now() + timedelta(seconds=wait_s),
        )
    )
    return True
