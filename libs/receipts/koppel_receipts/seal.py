"""Seals: Ed25519 signatures (RFC 8032) over the last entry of a day, and thereby over all before it, and over an export."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from typing import ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .canonical import canonical


@dataclass(frozen=True, slots=True)
class _Statement:
    """What a signature is over: its fields, and the format that no other statement has."""

    FORMAT: ClassVar[str]

    def _bytes(self) -> bytes:
        return canonical({"format": self.FORMAT} | asdict(self))

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
class Sealed(_Statement):
    """What a seal says: that the book stood so."""

    FORMAT: ClassVar[str] = "koppel-receipts-seal-1"
    book_id: str
    seq: int
    date: str
    hash: str
    key_id: str


@dataclass(frozen=True, slots=True)
class SealedExport(_Statement):
    """What the seal of an export says: how its first line reads, and what follows up to its end."""

    FORMAT: ClassVar[str] = "koppel-receipts-export-1"
    head: str
    """The SHA-256 of the canonical form of the first line, in hexadecimal."""
    entries: int
    hash: str | None
    """Of the last entry; None where there is none."""
    key_id: str


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
    """Return what is written; ValueError where it is not how these bytes are written (RFC 4648, section 3.5)."""
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _text(raw) != text:
        raise ValueError("the last character has bits that stand for nothing, or a character is none of base64url")
    return raw
