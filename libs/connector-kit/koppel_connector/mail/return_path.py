"""The envelope's sender: where bounces go, and by what one proves which mail it answers. Pure.

``bounces+<name>.<proof>@domain``. The name is that of the connection, always the same, for receivers keep lists of senders
(billmail §7); which of its mails came back, their Message-IDs say. The proof is an HMAC of the name with a secret key of the
service. Only who handled a mail of a connection knows one, so a bounce that carries it is believed of that connection and of no
other, and only by the service that sent it, whatever others share its keys.

The envelopes of earlier versions name the delivery itself (VERP), and what comes back to those is believed of that delivery.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import SecretStr

_PREFIX: Final = "KPL-"
_TAGGED: Final = re.compile(
    r"(?P<local>[a-z0-9._-]{1,64})\+(?P<name>[a-z2-7]{20}|[0-9a-f]{32})\.(?P<proof>[a-z2-7]{16})@(?P<domain>[a-z0-9.-]{1,255})"
)


@dataclass(frozen=True)
class TaggedAddress:
    """An address that looks like an envelope's sender of ours; in small letters, for mail servers may change its case."""

    mailbox: str
    name: str
    proof: str

    @property
    def remote_ref(self) -> str | None:
        """The delivery that it names, as earlier versions wrote it; None where it names a connection."""
        return None if self.connection_id else f"{_PREFIX}{self.name.upper()}"

    @property
    def connection_id(self) -> UUID | None:
        """The connection that it names; None where it names a delivery."""
        return UUID(self.name) if len(self.name) == 32 else None


def tagged_addresses(text: str) -> Iterator[TaggedAddress]:
    """Yield every address in a text that looks like one of ours."""
    for found in _TAGGED.finditer(text.lower()):
        yield TaggedAddress(f"{found['local']}@{found['domain']}", found["name"], found["proof"])


class ReturnPath:
    """Makes and proves the senders of envelopes.

    Args:
        service: whose mails they are, such as ``billmail``.
        address: the mailbox that bounces come to.
        keys: the first signs, all are believed, so that a key is replaced without losing a bounce.
    """

    def __init__(self, service: str, address: str, keys: Sequence[SecretStr]) -> None:
        self._purpose = f"koppel {service} return path\0".encode()
        self._local, _, self._domain = address.rpartition("@")
        self._keys = [key.get_secret_value().encode() for key in keys]

    def of_connection(self, connection_id: UUID) -> str:
        """Return the sender that all mails of a connection share."""
        name = connection_id.hex
        return f"{self._local}+{name}.{self._proof(self._keys[0], name)}@{self._domain}"

    def is_proven(self, tagged: TaggedAddress) -> bool:
        """Return whether an address is one that we made."""
        if tagged.mailbox != f"{self._local}@{self._domain}".lower():
            return False
        return any(hmac.compare_digest(tagged.proof, self._proof(key, tagged.name)) for key in self._keys)

    def _proof(self, key: bytes, name: str) -> str:
        digest = hmac.digest(key, self._purpose + name.encode(), hashlib.sha256)
        return base64.b32encode(digest[:10]).decode().lower()
