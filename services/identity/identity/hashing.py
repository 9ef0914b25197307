"""Client secrets are kept as scrypt hashes; checking costs the same whether the client exists or not."""

import hashlib
import hmac
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from uuid import UUID

_COST, _BLOCK, _PARALLEL = 2**14, 8, 1
_NOBODY = b"\0" * 16


def new_secret() -> str:
    """Return a secret of 256 bits: nobody guesses it, so no client is locked out by somebody else's guesses."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """Return the salted hash to keep."""
    salt = os.urandom(16)
    return f"scrypt${b64encode(salt).decode()}${b64encode(_derive(secret, salt)).decode()}"


def matching(secret: str, hashes: Mapping[UUID, str]) -> UUID | None:
    """Return which of those kept ``secret`` is, in constant time for each. With none kept, as slow and None."""
    if not hashes:
        _derive(secret, _NOBODY)
        return None
    found = None
    for secret_id, kept in hashes.items():
        _, salt, digest = kept.split("$")
        if hmac.compare_digest(_derive(secret, b64decode(salt)), b64decode(digest)):
            found = secret_id
    return found


def _derive(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode("utf-8", "surrogatepass"), salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL, dklen=32)
