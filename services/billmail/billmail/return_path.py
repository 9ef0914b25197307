"""The envelope's sender: where bounces go, and by what one proves which mail it answers. Pure.

``bounces+<name>.<proof>@domain``. The name is that of a delivery (VERP) or, where the receiver keeps a list of senders, of the
connection; the proof is an HMAC of it with a secret key of the service. Only who handled a mail of ours knows one, so a bounce
that carries it is believed of that mail and of no other.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import SecretStr

PURPOSE: Final = b"koppel billmail return path\0"
TAG_ROOM: Final = 50
"""Characters of ``+name.proof``, of the 64 that a local part may have (RFC 5321 §4.5.3.1.1)."""
_PREFIX: Final = "KPL-"
_TAG: Final = re.compile(r"\+(?P<name>[a-z2-7]{20}|[0-9a-f]{32})\.(?P<proof>[a-z2-7]{16})$")


@dataclass(frozen=True)
class Returned:
    """What an envelope's sender of ours names: one of the two."""

    remote_ref: str | None = None
    connection_id: UUID | None = None


class ReturnPath:
    """Makes and reads the senders of envelopes.

    Args:
        address: the mailbox that bounces come to.
        keys: the first signs, all are believed, so that a key is replaced without losing a bounce.
    """

    def __init__(self, address: str, keys: Sequence[SecretStr]) -> None:
        self._local, _, self._domain = address.rpartition("@")
        self._keys = [key.get_secret_value().encode() for key in keys]

    def of_delivery(self, remote_ref: str) -> str:
        """Return the sender of a mail by the delivery's reference, ``KPL-…``."""
        return self._address(remote_ref.removeprefix(_PREFIX).lower())

    def of_connection(self, connection_id: UUID) -> str:
        """Return the sender that all mails of a connection share."""
        return self._address(connection_id.hex)

    def read(self, address: str) -> Returned | None:
        """Return what an address names; None where it is none of ours or proves nothing. Mail servers may change its case."""
        local, _, domain = address.lower().rpartition("@")
        found = _TAG.search(local)
        if found is None or domain != self._domain.lower() or local[: found.start()] != self._local.lower():
            return None
        name, proof = found["name"], found["proof"]
        if not any(hmac.compare_digest(proof, _proof(key, name)) for key in self._keys):
            return None
        if len(name) == 32:
            return Returned(connection_id=UUID(name))
        return Returned(remote_ref=f"{_PREFIX}{name.upper()}")

    def _address(self, name: str) -> str:
        return f"{self._local}+{name}.{_proof(self._keys[0], name)}@{self._domain}"


def _proof(key: bytes, name: str) -> str:
    digest = hmac.digest(key, PURPOSE + name.encode(), hashlib.sha256)
    return base64.b32encode(digest[:10]).decode().lower()
