"""The bytes of documents, by SHA-256: written before the row that names them, never changed, erased after the last such row.

Content addressing makes the write idempotent and atomic (a temporary name, then a rename; one object in S3), so a crash
between the bytes and the row leaves at most bytes that nothing names yet.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

FIRMS = "firms-that-left"
"""Below it an empty object for each, under its id; no hash begins like this."""
CHUNK_BYTES = 256 * 1024
DEADLINE = timedelta(seconds=8)


class StoreAway(Exception):
    """The store does not answer, refuses, or does not have what it was given."""


class BlobStore:
    """A folder (``file://``) or a bucket (``s3://``), by URL."""

    def __init__(self, url: str) -> None:
        self._store: Any
        self._eraser: Any
        self._folder: Path | None = None
        if url.startswith("file://"):
            self._store = LocalStore.from_url(url, mkdir=True)
            self._eraser = self._store
            self._folder = Path(unquote(urlsplit(url).path))
        else:
            self._store = self._bucket(url, retries=2)
            self._eraser = self._bucket(url, retries=0)

    @staticmethod
    def _bucket(url: str, *, retries: int) -> Any:
        return from_url(
            url,
            client_options={"timeout": DEADLINE, "allow_http": True},
            retry_config={"max_retries": retries, "retry_timeout": DEADLINE},
        )

    async def put(self, sha256: str, data: bytes) -> None:
        """Keep ``data``; durable with the store when this returns.

        Raises:
            StoreAway: nothing may be relied on.
        """
        try:
            await obstore.put_async(self._store, path_of(sha256), data)
            if self._folder is not None:
                await asyncio.to_thread(_sync, self._folder, self._folder / path_of(sha256))
        except (BaseError, OSError) as error:
            raise StoreAway(str(error)) from error

    async def stream(self, sha256: str) -> AsyncIterator[bytes]:
        """Open the bytes of that hash and return them in pieces.

        Raises:
            StoreAway: they cannot be had now.
        """
        try:
            found = await obstore.get_async(self._store, path_of(sha256))
        except (BaseError, OSError) as error:
            raise StoreAway(str(error)) from error
        return _pieces(found.stream(min_chunk_size=CHUNK_BYTES))

    async def erase(self, sha256: str) -> None:
        """Erase the bytes of that hash, by one call; that there are none is no error.

        A second call would hide that the first may still be carried out.

        Raises:
            StoreAway: they may still be there, or go later.
        """
        try:
            await obstore.delete_async(self._eraser, path_of(sha256))
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise StoreAway(str(error)) from error

    async def note_firm(self, firm_id: UUID) -> None:
        """Note that a firm left, where a database that is set back does not forget it.

        Raises:
            StoreAway: it may not be noted.
        """
        try:
            await obstore.put_async(self._store, f"{FIRMS}/{firm_id}", b"")
        except (BaseError, OSError) as error:
            raise StoreAway(str(error)) from error

    async def noted_firms(self) -> set[UUID]:
        """Return the firms that left.

        Raises:
            StoreAway: they cannot be had now.
        """
        try:
            found = await obstore.list(self._store, FIRMS).collect_async()
        except (BaseError, OSError) as error:
            raise StoreAway(str(error)) from error
        return {UUID(each["path"].rpartition("/")[2]) for each in found}


async def _pieces(stream: Any) -> AsyncIterator[bytes]:
    async for piece in stream:
        yield bytes(piece)


def _sync(folder: Path, file: Path) -> None:
    """Bring a file, and its name in every folder down from ``folder``, to the disk: obstore leaves both to the kernel."""
    path = file
    while True:
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
        if path == folder:
            return
        path = path.parent


def path_of(sha256: str) -> str:
    """Return where bytes are kept; two levels, so that no folder grows beyond what a file system likes."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def hash_of(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
