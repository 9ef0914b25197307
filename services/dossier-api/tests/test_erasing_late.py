"""A store that is asked to erase bytes, and does it when nobody waits for it any more, erases none that came again since."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dossier_api import erasing
from dossier_api.blobs import BlobStore, hash_of, path_of

from .conftest import OTHER_FIRM, DossierClient
from .object_store import ObjectStore
from .test_erasing import PDF, an_hour_later, change, leave, marks, paper


@pytest.fixture
async def store(client: DossierClient, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ObjectStore]:
    async with ObjectStore() as store:
        for name, value in (("ENDPOINT", store.url), ("ACCESS_KEY_ID", "key"), ("SECRET_ACCESS_KEY", "secret")):
            monkeypatch.setenv(f"AWS_{name}", value)
        client.context.resources = BlobStore("s3://papers")
        yield store


async def try_to_erase(client: DossierClient, store: ObjectStore, *, process_ends: bool) -> None:
    """Let one attempt end badly: its process is stopped meanwhile, or the store ends the connection."""
    store.was_called.clear()
    store.is_slow, store.is_cutting_off = True, not process_ends
    attempt = asyncio.create_task(erasing.erase_next(client.context))
    await store.was_called.wait()
    if process_ends:
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
    else:
        assert not await attempt
    store.is_slow = False


@pytest.mark.parametrize("process_ends", [False, True])
async def test_bytes_handed_in_again_outlast_a_late_call_to_erase_them(
    client: DossierClient, store: ObjectStore, *, process_ends: bool
) -> None:
    await paper(client)
    await leave(client)
    await an_hour_later(client)
    await try_to_erase(client, store, process_ends=process_ends)
    assert len(store.late) == 1, "one call, of which it is known when it was made"
    dossier = await client.dossier(firm=OTHER_FIRM)
    again = (dossier["id"], PDF, "application/pdf", "?direction=purchase")
    refused = await client.hand_in(*again, firm=OTHER_FIRM)
    assert (refused.status_code, refused.json()["code"]) == (503, "content_away")
    store.carry_out()
    await change(client, "UPDATE content_to_erase SET tried_at = tried_at - interval '601 seconds'")
    taken = await client.hand_in(*again, firm=OTHER_FIRM)
    assert taken.status_code == 201, taken.text
    await an_hour_later(client)
    assert await erasing.erase_next(client.context) and await marks(client) == 0
    content = await client.call("GET", f"/documents/{taken.json()['id']}/content/pdf", firm=OTHER_FIRM)
    assert content.content == PDF


async def test_other_bytes_are_taken_and_erased_meanwhile(client: DossierClient, store: ObjectStore) -> None:
    other = PDF + b"\n"
    await paper(client)
    await paper(client, OTHER_FIRM, other)
    await leave(client)
    await an_hour_later(client)
    await leave(client, OTHER_FIRM)
    await change(client, "UPDATE content_to_erase SET marked_at = marked_at - interval '61 minutes'")
    await try_to_erase(client, store, process_ends=False)
    assert store.late == [f"/papers/{path_of(hash_of(PDF))}"]
    await paper(client, OTHER_FIRM, PDF + b"another")
    assert await erasing.erase_next(client.context), "the next attempt is of other bytes"
    assert f"/papers/{path_of(hash_of(other))}" not in store.objects
    assert not await erasing.erase_next(client.context), "an hour passes between two attempts"
    await an_hour_later(client)
    assert await erasing.erase_next(client.context) and await marks(client) == 0
