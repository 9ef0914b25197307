"""Encryption at rest: a ring of Fernet keys. The first encrypts, all decrypt, so a key is replaced without a pause.

Fernet has no associated data; so the connection's id is part of what is encrypted and is compared after decryption — a row
copied to another connection does not open.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class WrongKeyError(Exception):
    """None of our keys opens this, or it belongs to another connection."""


class KeyRing:
    """The keys of ``KOPPEL_SECRET_KEYS``."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("KOPPEL_SECRET_KEYS is empty: connections cannot be kept without an encryption key")
        self._ring = MultiFernet([Fernet(key) for key in keys])
        self.key_id = hashlib.sha256(keys[0].encode()).hexdigest()[:12]
        """Names the key that encrypts now; rows with another are due for re-encryption."""

    def seal(self, connection_id: UUID, values: Mapping[str, Any]) -> bytes:
        """Return ``values`` encrypted for this connection only."""
        plain = json.dumps({"connection_id": str(connection_id), "values": dict(values)})
        return self._ring.encrypt(plain.encode())

    def open(self, connection_id: UUID, sealed: bytes) -> dict[str, Any]:
        """Return what was sealed for this connection.

        Raises:
            WrongKeyError: it was sealed with a key we no longer have, or for another connection.
        """
        try:
            plain = json.loads(self._ring.decrypt(sealed))
        except InvalidToken as error:
            raise WrongKeyError("sealed with a key that is not in the ring") from error
        if plain["connection_id"] != str(connection_id):
            raise WrongKeyError("sealed for another connection")
        values: dict[str, Any] = plain["values"]
        return values

    def seal_text(self, values: Mapping[str, Any], purpose: str) -> str:
        """Return ``values`` sealed as text for an address (the OAuth ``state``); Fernet notes the time."""
        return self._ring.encrypt(json.dumps({"purpose": purpose, "values": dict(values)}).encode()).decode()

    def open_text(self, sealed: str, purpose: str, max_age_s: int) -> dict[str, Any]:
        """Return what ``seal_text`` sealed.

        Raises:
            WrongKeyError: forged, older than ``max_age_s``, or made for another purpose.
        """
        try:
            plain = json.loads(self._ring.decrypt(sealed.encode(), ttl=max_age_s))
        except (InvalidToken, ValueError) as error:
            raise WrongKeyError("not ours, or too old") from error
        if not isinstance(plain, dict) or plain.get("purpose") != purpose:
            raise WrongKeyError("made for another purpose")
        values: dict[str, Any] = plain["values"]
        return values
