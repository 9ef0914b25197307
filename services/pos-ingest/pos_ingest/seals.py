"""Seals over the days of receipt books, and the keys that make them.

A key stays published for ever: seals are checked years later. Its private half is destroyed when the next key takes over, so that
nobody who finds it can seal in its name.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.ids import new_id
from koppel_mesh.keyring import KeyRing
from koppel_mesh.prepared_sql import Record, Statement
from koppel_receipts import Sealed, new_key

_ONE_AT_A_TIME = Statement("SELECT pg_advisory_xact_lock(hashtext('koppel seal keys'))")
_ADD_KEY = Statement("INSERT INTO seal_key (id, public, sealed, key_id) VALUES (:id, :public, :sealed, :key_id)")
# A private half that was destroyed is empty.
_NEWEST = Statement("""
    SELECT id, sealed, key_id, clock_timestamp() - created_at AS age FROM seal_key WHERE sealed <> ''
    ORDER BY created_at DESC LIMIT 1
""")
_DESTROY = Statement("UPDATE seal_key SET sealed = '' WHERE id <> :id AND sealed <> ''")
_PUBLIC = Statement("SELECT id, public, created_at FROM seal_key ORDER BY created_at")
_RESEAL = Statement("UPDATE seal_key SET sealed = :sealed, key_id = :key_id WHERE id = :id")
_ADD_SEAL = Statement("""
    INSERT INTO seal (book_id, seq, key_id, signature) VALUES (:book_id, :seq, :key_id, :signature) ON CONFLICT DO NOTHING
""")


async def prepare_keys(tx: AsyncConnection, ring: KeyRing, days: int) -> None:
    """Have a key that is not older than ``days``, under the first of the secret keys, and no private half of an older one.

    Raises:
        MissingKeyError: the key is under a secret key that is not in the ring.
    """
    await _ONE_AT_A_TIME.run(tx)
    newest = await _NEWEST.one_or_none(tx)
    if newest is None or newest.age >= timedelta(days=days):
        key, key_id = new_key(), new_id()
        sealed = ring.seal(key_id, {"private": key.private})
        await _ADD_KEY.run(tx, {"id": key_id, "public": key.public, "sealed": sealed, "key_id": ring.key_id})
        await _DESTROY.run(tx, {"id": key_id})
    elif newest.key_id != ring.key_id or not ring.is_under_first_key(newest.sealed):
        again = ring.seal(newest.id, ring.open(newest.id, newest.sealed, newest.key_id))
        await _RESEAL.run(tx, {"id": newest.id, "sealed": again, "key_id": ring.key_id})


async def seal(tx: AsyncConnection, ring: KeyRing, entry: Record) -> None:
    """Seal the book up to an entry, which is the last one of its day so far.

    Raises:
        MissingKeyError: the key is under a secret key that is not in the ring.
    """
    key_id, private = await sealing_key(tx, ring)
    says = Sealed(str(entry.book_id), entry.seq, entry.entry_on.isoformat(), entry.hash, key_id)
    sealed = {"book_id": entry.book_id, "seq": entry.seq, "key_id": UUID(key_id), "signature": says.sign(private)}
    await _ADD_SEAL.run(tx, sealed)


async def sealing_key(connection: AsyncConnection, ring: KeyRing) -> tuple[str, str]:
    """Return the id and the private half of the key that seals now.

    Raises:
        MissingKeyError: the key is under a secret key that is not in the ring.
    """
    key = await _NEWEST.one(connection)
    return str(key.id), ring.open(key.id, key.sealed, key.key_id)["private"]


async def public_keys(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Return every key, as JSON Web Keys (RFC 8037)."""
    return [as_jwk(row.id, row.public) for row in await _PUBLIC.all(connection)]


def as_jwk(key_id: UUID, public: str) -> dict[str, Any]:
    """Return a public key as a JSON Web Key."""
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": str(key_id), "x": public}
