"""Seals: Ed25519 signatures (RFC 8032) over the last entry of a day, and thereby over all before it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .canonical import canonical


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a seal says: that the book stood so."""

    book_id: str
    seq: int
    date: str
    hash: str
    key_id: str

    def _bytes(self) -> bytes:
        return canonical({"format": "koppel-receipts-seal-1"} | {name: getattr(self, name) for name in self.__slots__})

    def sign(self, private_key: str) -> str:
        """Return the signature, in base64url without padding, as the keys are."""
        return _text(Ed25519PrivateKey.from_private_bytes(_bytes(private_key)).sign(self._bytes()))

    def is_signed(self, signature: str, public_key: str) -> bool:
        """Return whether the signature is this key's over this."""
        try:
            Ed25519PublicKey.from_public_bytes(_bytes(public_key)).verify(_bytes(signature), self._bytes())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key of Ed25519; both halves in base64url without padding."""

    private: str
    public: str


def new_key() -> KeyPair:
    """Return a new key, drawn by the operating system."""
    key = Ed25519PrivateKey.generate()
    return KeyPair(_text(key.private_bytes_raw()), _text(key.public_key().public_bytes_raw()))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
