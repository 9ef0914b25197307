"""Signatures of Standard Webhooks: ``v1`` (HMAC-SHA256) by its own library, ``v1a`` (Ed25519) by an endpoint's own key pair.

Both keys belong to one endpoint and one secret of it: what was signed for one endpoint is not valid at another.
"""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey
from standardwebhooks import Webhook

from koppel_mesh.keyring import KeyRing

SECRET_BYTES = 32


@dataclass(frozen=True)
class SigningSecret:
    """One secret of an endpoint, in the clear."""

    id: UUID
    secret: str
    """``whsec_…``."""
    private_key: dict[str, Any]
    """A JSON Web Key (RFC 8037)."""

    @classmethod
    def new(cls, secret_id: UUID) -> "SigningSecret":
        """Return a new secret with a key pair."""
        secret = f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"
        return cls(secret_id, secret, dict(OKPKey.generate_key("Ed25519", private=True).as_dict(private=True)))

    @classmethod
    def opened(cls, ring: KeyRing, secret_id: UUID, sealed: bytes, key_id: str) -> "SigningSecret":
        """Return what ``sealed`` made.

        Raises:
            WrongKeyError: it is under a secret key that is not in the ring, or is damaged.
        """
        values = ring.open(secret_id, sealed, key_id)
        return cls(secret_id, values["secret"], values["private_key"])

    def sealed(self, ring: KeyRing) -> bytes:
        """Return it encrypted."""
        return ring.seal(self.id, {"secret": self.secret, "private_key": self.private_key})

    @cached_property
    def signing_key(self) -> Ed25519PrivateKey:
        """What makes ``v1a``."""
        key = OKPKey.import_key(self.private_key).private_key
        assert isinstance(key, Ed25519PrivateKey)
        return key

    @property
    def public_key(self) -> dict[str, Any]:
        """The JSON Web Key by which ``v1a`` is checked."""
        public = OKPKey.import_key(self.private_key).as_dict(private=False)
        return {**public, "use": "sig", "alg": "EdDSA", "kid": str(self.id)}


def headers(secrets_of_endpoint: Sequence[SigningSecret], message_id: str, at: datetime, body: str) -> dict[str, str]:
    """Return the headers of Standard Webhooks.

    Args:
        secrets_of_endpoint: those that sign now, the newest first; a receiver is content with one signature that it can check.
        message_id: the same at every repetition.
        at: aware, in UTC: the library drops the zone of the time that it is given.
        body: as it is sent.
    """
    signed = f"{message_id}.{int(at.timestamp())}.{body}".encode()
    signatures = [Webhook(each.secret).sign(message_id, at, body) for each in secrets_of_endpoint]
    signatures += [f"v1a,{base64.b64encode(each.signing_key.sign(signed)).decode()}" for each in secrets_of_endpoint]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
        "webhook-key-id": " ".join(str(each.id) for each in secrets_of_endpoint),
    }
