"""The folder store: what it has taken is on the disk, names included, before it says so."""

import os
from pathlib import Path

import pytest

from dossier_api.blobs import BlobStore, StoreAway, hash_of, path_of


async def test_bytes_and_every_name_that_leads_to_them_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing short of cutting the power shows a missing fsync; so the kernel's own calls are watched, and still made.
    synced: list[tuple[Path, int]] = []
    really = os.fsync

    def watched(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink(), os.fstat(descriptor).st_size))
        really(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    folder = tmp_path / "with space"
    data = b"x" * 300_000
    await BlobStore(folder.as_uri()).put(hash_of(data), data)
    file = folder / path_of(hash_of(data))
    assert (file, len(data)) in synced, "the whole file, under the name it is found by"
    assert [path for path, _ in synced] == [file, *list(file.parents)[:3]]
    assert file.parents[2] == folder
    assert file.read_bytes() == data


async def test_bytes_that_cannot_be_synced_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StoreAway, match="Input/output error"):
        await BlobStore(tmp_path.as_uri()).put(hash_of(b"a"), b"a")
