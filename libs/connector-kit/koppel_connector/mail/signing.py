"""The DKIM signature of a mail (RFC 6376), by the library dkimpy."""

from pathlib import Path
from typing import Final

import dkim
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic_core import PydanticCustomError

KEY_BITS_MIN: Final = 2048
_SIGNED_HEADERS: Final = (
    *(b"From", b"To", b"Subject", b"Date", b"Message-ID"),
    *(b"Auto-Submitted", b"MIME-Version", b"Content-Type"),
)


class Signer:
    """Signs mails with one key, for whatever domain they are from: its DNS names the key under ``selector``."""

    def __init__(self, key: bytes, selector: str) -> None:
        self._key = key
        self._selector = selector.encode()

    @classmethod
    def from_file(cls, path: Path, selector: str) -> "Signer":
        """Read an RSA key in PEM.

        Raises:
            PydanticCustomError: there is no such file, or it holds no RSA key of ``KEY_BITS_MIN`` bits.
        """
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise PydanticCustomError(
                "no_dkim_key", "{path} holds no private key: {reason}", {"path": str(path), "reason": str(error)}
            ) from error
        if not isinstance(key, RSAPrivateKey) or key.key_size < KEY_BITS_MIN:
            wanted = {"path": str(path), "bits": KEY_BITS_MIN}
            raise PydanticCustomError("no_dkim_key", "{path} holds no RSA key of {bits} bits or more", wanted)
        return cls(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()), selector)

    def sign(self, domain: str, content: bytes) -> bytes:
        """Return the header lines to put before a message, with lines that end with CRLF."""
        signature: bytes = dkim.sign(
            content,
            self._selector,
            domain.encode(),
            self._key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=list(_SIGNED_HEADERS),
        )
        return signature
