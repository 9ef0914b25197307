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


class MissingKeyError(WrongKeyError):
    """It was sealed with a key that is not in the ring; it opens again when that key is back."""

    def __init__(self, wanted: str | None, given: Sequence[str]) -> None:
        self.wanted = wanted
        """Id of the key it was sealed with; None where that was not noted."""
        self.given = tuple(given)
        """Ids of the keys in the ring, the one that encrypts first."""
        named = f"the secret key {wanted}" if wanted else "a secret key"
        held = f"KOPPEL_SECRET_KEYS holds {', '.join(self.given)}"
        super().__init__(f"this was encrypted with {named} that is not given: {held}")


def key_id_of(key: str) -> str:
    """Return the id of a secret key: the beginning of its SHA-256, which does not reveal the key."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


class DamagedSecretError(WrongKeyError):
    """The key is there and does not open it, or it belongs to another owner: what it held is lost and must be given again."""


class KeyRing:
    """The keys of ``KOPPEL_SECRET_KEYS``."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("KOPPEL_SECRET_KEYS is empty: secrets cannot be kept without an encryption key")
        self._first = Fernet(keys[0])
        self._ring = MultiFernet([Fernet(key) for key in keys])
        self.key_ids = tuple(key_id_of(key) for key in keys)
        self.key_id = self.key_ids[0]
        """Names the key that encrypts now; rows with another are due for re-encryption."""

    def seal(self, owner: UUID, values: Mapping[str, Any]) -> bytes:
        """Return ``values`` encrypted for this owner only."""
        plain = json.dumps({"owner": str(owner), "values": dict(values)})
        return self._ring.encrypt(plain.encode())

    def open(self, owner: UUID, sealed: bytes, key_id: str | None = None) -> dict[str, Any]:
        """Return what was sealed for this owner.

        Args:
            owner: whose it is.
            sealed: what ``seal`` returned.
            key_id: of the ring at that time, where it was noted; for the error alone.

        Raises:
            MissingKeyError: it was sealed with a key that is not in the ring.
            DamagedSecretError: no key will open it again, or it was sealed for another owner.
        """
        try:
            plain = json.loads(self._ring.decrypt(sealed))
        except InvalidToken as error:
            if key_id in self.key_ids:
                raise DamagedSecretError(
                    f"this is damaged: the secret key {key_id}, which is given, no longer opens it"
                ) from error
            raise MissingKeyError(key_id, self.key_ids) from error
        if plain["owner"] != str(owner):
            raise DamagedSecretError("this was encrypted for another owner")
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
