"""Encryption at rest: a ring of Fernet keys. The first encrypts, all decrypt, so a key is replaced without a pause.

Fernet has no associated data; so the id of the owner is part of what is encrypted and compared after decryption — a row
copied to another owner does not open.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class WrongKeyError(Exception):
    """None of our keys opens this, or it belongs to another owner."""


class KeyRing:
    """The keys of ``KOPPEL_SECRET_KEYS``."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("KOPPEL_SECRET_KEYS is empty: secrets cannot be kept without an encryption key")
        self._first = Fernet(keys[0])
        self._ring = MultiFernet([Fernet(key) for key in keys])
        self.key_id = hashlib.sha256(keys[0].encode()).hexdigest()[:12]
        """Names the key that encrypts now; rows with another are due for re-encryption."""

    def seal(self, owner: UUID, values: Mapping[str, Any]) -> bytes:
        """Return ``values`` encrypted for this owner only."""
        plain = json.dumps({"owner": str(owner), "values": dict(values)})
        return self._ring.encrypt(plain.encode())

    def open(self, owner: UUID, sealed: bytes) -> dict[str, Any]:
        """Return what was sealed for this owner.

        Raises:
            WrongKeyError: it was sealed with a key we no longer have, or for another owner.
        """
        try:
            plain = json.loads(self._ring.decrypt(sealed))
        except InvalidToken as error:
            raise WrongKeyError("sealed with a key that is not in the ring") from error
        if plain["owner"] != str(owner):
            raise WrongKeyError("sealed for another owner")
        values: dict[str, Any] = plain["values"]
        return values

    def is_under_first_key(self, sealed: bytes) -> bool:
        """Return whether the other keys could leave the ring without this being lost."""
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            return False
        return True

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
