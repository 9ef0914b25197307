"""The keys tokens are signed with: made, published before they sign, and published until their last token has ended."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from joserfc.jwk import ECKey
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import KEYS_FRESH_S, LEEWAY_S
from koppel_mesh.ids import new_id
from koppel_mesh.keyring import KeyRing
from koppel_mesh.prepared_sql import Statement

ALGORITHM = "ES256"
PUBLISHED_BEFORE_S = KEYS_FRESH_S * 2
"""A new key is in the key set for this long before it signs, so that whoever keeps the set for an hour has it."""
_ONE_AT_A_TIME = Statement("SELECT pg_advisory_xact_lock(hashtext('koppel signing keys'))")
_SIGNING = Statement("""
    SELECT kid, sealed, key_id, clock_timestamp() AS now FROM signing_key WHERE signs_from <= now()
    ORDER BY signs_from DESC LIMIT 1
""")
_PUBLIC = Statement("SELECT kid, public, signs_from, now() AS now FROM signing_key ORDER BY signs_from")
_SEALED = Statement("SELECT kid, sealed, key_id FROM signing_key")
_RESEAL = Statement("UPDATE signing_key SET sealed = :sealed, key_id = :key_id WHERE kid = :kid")
_NEWEST = Statement("SELECT max(created_at) AS at, now() AS now FROM signing_key")
_ADD = Statement("""
    INSERT INTO signing_key (kid, public, sealed, key_id, signs_from)
    VALUES (:kid, CAST(:public AS jsonb), :sealed, :key_id, now() + CAST(:wait AS interval))
""")


@dataclass(frozen=True)
class SigningKey:
    """The private key that signs now."""

    kid: UUID
    key: ECKey
    now: float
    """The moment, in seconds, by the database's clock."""


async def signing(connection: AsyncConnection, ring: KeyRing) -> SigningKey:
    """Return the newest key that may sign.

    Raises:
        MissingKeyError: it is under a secret key that is not in the ring.
    """
    row = await _SIGNING.one(connection)
    return SigningKey(row.kid, ECKey.import_key(ring.open(row.kid, row.sealed, row.key_id)), row.now.timestamp())


async def published(connection: AsyncConnection, token_lifetime_s: int) -> list[dict[str, Any]]:
    """Return the public keys by which any living token can be checked, and those that will sign soon."""
    rows = await _PUBLIC.all(connection)
    keys = []
    for row, successor in zip(rows, [*rows[1:], None], strict=True):
        last_token_s = token_lifetime_s + LEEWAY_S
        ended = successor is not None and successor.signs_from + timedelta(seconds=last_token_s) < row.now
        if not ended:
            keys.append({**row.public, "kid": str(row.kid), "use": "sig", "alg": ALGORITHM})
    return keys


async def reseal(tx: AsyncConnection, ring: KeyRing) -> int:
    """Encrypt again what is under an old secret key, so that it may leave the ring; return how many keys that were.

    Raises:
        MissingKeyError: a signing key is under a secret key that is not in the ring.
    """
    await _ONE_AT_A_TIME.run(tx)
    rows = await _SEALED.all(tx)
    old = [row for row in rows if row.key_id != ring.key_id or not ring.is_under_first_key(row.sealed)]
    for row in old:
        sealed = ring.seal(row.kid, ring.open(row.kid, row.sealed, row.key_id))
        await _RESEAL.run(tx, {"kid": row.kid, "sealed": sealed, "key_id": ring.key_id})
    return len(old)


async def rotate(tx: AsyncConnection, ring: KeyRing, *, older_than_days: int = 0) -> bool:
    """Make the next key when the newest is older than that; return whether one was made. The very first signs at once."""
    await _ONE_AT_A_TIME.run(tx)
    newest = await _NEWEST.one(tx)
    if newest.at is not None and newest.now - newest.at < timedelta(days=older_than_days):
        return False
    key, kid = ECKey.generate_key("P-256", private=True), new_id()
    wait_s = PUBLISHED_BEFORE_S if newest.at is not None else 0
    await _ADD.run(
        tx,
        {
            "kid": kid,
            "public": json.dumps(key.as_dict(private=False)),
            "sealed": ring.seal(kid, dict(key.as_dict(private=True))),
            "key_id": ring.key_id,
            "wait": timedelta(seconds=wait_s),
        },
    )
    return True
