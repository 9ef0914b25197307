"""Bytes are erased after the last document that names them, and never under one that is being handed in."""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from dossier_api import erasing
from dossier_api.blobs import StoreAway, hash_of, path_of
from dossier_api.leaving import WARNING, look_for_returned
from koppel_mesh.clock import brussels_date
from koppel_mesh.firm_data.leaving import ask_for_deletion, delete_firm
from koppel_mesh.firm_data.retention import end_retention

from .conftest import FIRM, OTHER_FIRM, PROBLEM, DossierClient
from .document_samples import invoice

PDF = b"%PDF-1.4\nan invoice on paper\n%%EOF"


def file_of(client: DossierClient, data: bytes) -> Path:
    return Path(client.context.settings.blob_url.removeprefix("file://")) / path_of(hash_of(data))


async def change(client: DossierClient, statement: str, **values: Any) -> int:
    async with client.context.database.transaction() as tx:
        return int((await tx.execute(text(statement), values)).rowcount)


async def an_hour_later(client: DossierClient) -> None:
    await change(client, "UPDATE content_to_erase SET marked_at = marked_at - interval '61 minutes'")


async def marks(client: DossierClient) -> int:
    async with client.context.database.reading() as reading:
        return int((await reading.execute(text("SELECT count(*) FROM content_to_erase"))).scalar_one())


async def paper(client: DossierClient, firm: Any = FIRM, data: bytes = PDF) -> dict[str, Any]:
    """Hand a bare PDF in, which waits for its data: no duty keeps it."""
    dossier = await client.dossier(firm=firm)
    answer = await client.hand_in(dossier["id"], data, "application/pdf", "?direction=purchase", firm=firm)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def leave(client: DossierClient, firm: Any = FIRM) -> Any:
    await ask_for_deletion(client.context, firm, "operator")
    return await delete_firm(client.context, firm)


async def test_bytes_go_an_hour_after_the_last_document(client: DossierClient) -> None:
    await paper(client)
    done = await leave(client)
    assert done.is_complete and done.deleted["document"] == 1
    assert not await erasing.erase_next(client.context) and file_of(client, PDF).exists()
    await an_hour_later(client)
    assert await erasing.erase_next(client.context)
    assert not file_of(client, PDF).exists() and await marks(client) == 0
    assert not await erasing.erase_next(client.context)


async def test_the_same_bytes_of_another_firm_stay(client: DossierClient) -> None:
    await paper(client)
    other = await paper(client, OTHER_FIRM)
    await leave(client)
    await an_hour_later(client)
    assert await erasing.erase_next(client.context)
    answer = await client.call("GET", f"/documents/{other['id']}/content/pdf", firm=OTHER_FIRM)
    assert answer.content == PDF and await marks(client) == 0
    await leave(client, OTHER_FIRM)
    await an_hour_later(client)
    assert await erasing.erase_next(client.context) and not file_of(client, PDF).exists()


async def test_bytes_that_are_gone_already_hold_up_nothing(client: DossierClient) -> None:
    await paper(client)
    file_of(client, PDF).unlink()
    await leave(client)
    await an_hour_later(client)
    assert await erasing.erase_next(client.context) and await marks(client) == 0


async def test_bytes_handed_in_again_are_not_erased_before_their_row_is_there(client: DossierClient) -> None:
    """The eraser looks between the bytes and the row: the mark was renewed before the bytes were written."""
    await paper(client)
    await leave(client)
    await an_hour_later(client)
    await erasing.keep(client.context.database, [hash_of(PDF)])
    await client.context.resources.put(hash_of(PDF), PDF)
    assert not await erasing.erase_next(client.context)
    assert file_of(client, PDF).exists()
    await paper(client, OTHER_FIRM)
    await an_hour_later(client)
    assert await erasing.erase_next(client.context)
    assert file_of(client, PDF).exists() and await marks(client) == 0


async def test_who_hands_in_waits_for_the_eraser_and_writes_after_it(
    client: DossierClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The eraser has looked and is about to erase: whoever wrote the bytes now would lose them."""
    await paper(client)
    await leave(client)
    await an_hour_later(client)
    store, has_looked, go_on = client.context.resources, asyncio.Event(), asyncio.Event()

    class Slow:
        async def erase(self, sha256: str) -> None:
            has_looked.set()
            await go_on.wait()
            await store.erase(sha256)

    client.context.resources = Slow()
    erasing_now = asyncio.create_task(erasing.erase_next(client.context))
    await has_looked.wait()
    client.context.resources = store
    handing_in = asyncio.create_task(paper(client, OTHER_FIRM))
    done, _ = await asyncio.wait([handing_in], timeout=0.5)
    assert not done, "it waits for the mark"
    go_on.set()
    assert await erasing_now
    document = await handing_in
    answer = await client.call("GET", f"/documents/{document['id']}/content/pdf", firm=OTHER_FIRM)
    assert answer.content == PDF


async def test_an_invoice_stays_with_its_bytes_until_its_years_are_over(client: DossierClient) -> None:
    dossier = await client.dossier(email="x@y.be")
    data = invoice()
    document = await client.filed(dossier["id"], data)
    done = await leave(client)
    assert done.is_complete and "document" not in done.deleted
    assert not await end_retention(client.context)
    kept = await client.call("GET", f"/documents/{document['id']}/content/ubl", firm=None)
    assert kept.content == data
    assert (await client.call("GET", f"/dossiers/{dossier['id']}", firm=None)).json()["email"] is None
    years = "interval '11 years'"
    await change(client, f"UPDATE document SET issue_date = issue_date - {years}, created_at = created_at - {years}")
    await change(client, "UPDATE document SET id = '01400000-0000-7000-8000-000000000001'")
    assert not await end_retention(client.context)
    assert (await leave(client)).deleted == {"dossier": 1}
    await an_hour_later(client)
    while await erasing.erase_next(client.context):
        pass
    assert not file_of(client, data).exists()


async def test_what_has_been_kept_long_enough_goes_with_what_refers_to_it(client: DossierClient, fact: Any) -> None:
    """Of a firm that stays: its dossier and the younger document stay."""
    dossier = await client.dossier()
    old, young = [await client.filed(dossier["id"], invoice(number)) for number in ("OLD-1", "YOUNG-1")]
    await client.deliver(fact(old, "failed", 1, problem=PROBLEM))
    this_year = brussels_date(client.context.now()).year
    for document, year in ((old, this_year - 11), (young, this_year - 10)):
        of_that_year = UUID(int=int(datetime(year, 12, 31, tzinfo=UTC).timestamp() * 1000) << 80 | 7 << 76 | 2 << 62)
        await change(client, "ALTER TABLE delivery DISABLE TRIGGER ALL")
        await change(client, "ALTER TABLE problem DISABLE TRIGGER ALL")
        await change(client, "ALTER TABLE document DISABLE TRIGGER ALL")
        for table, column in (("delivery", "document_id"), ("problem", "document_id"), ("document", "id")):
            renamed = f"UPDATE {table} SET {column} = :new WHERE {column} = :old"
            await change(client, renamed, new=of_that_year, old=UUID(document["id"]))
        dated = "UPDATE document SET issue_date = :day, created_at = CAST(:day AS date) WHERE id = :id"
        await change(client, dated, day=date(year, 12, 31), id=of_that_year)
        for table in ("delivery", "problem", "document"):
            await change(client, f"ALTER TABLE {table} ENABLE TRIGGER ALL")
    assert not await end_retention(client.context)
    found = (await client.call("GET", "/documents")).json()["items"]
    assert [each["number"] for each in found] == ["YOUNG-1"]
    for table in ("delivery", "problem"):
        assert await change(client, f"UPDATE {table} SET connector = connector") == 0, table
    assert (await client.call("GET", f"/dossiers/{dossier['id']}")).status_code == 200
    assert await marks(client) > 0


async def test_a_database_that_is_set_back_is_noticed(client: DossierClient) -> None:
    """The restored database knows the firm again, and not that it left."""
    await paper(client)
    await leave(client)
    warnings = client.context.health.warnings
    await look_for_returned(client.context)
    assert WARNING not in warnings
    await change(client, "DELETE FROM firm_deletion")
    await look_for_returned(client.context)
    assert str(FIRM) in warnings[WARNING]
    await leave(client)
    await look_for_returned(client.context)
    assert WARNING not in warnings


async def test_nothing_is_deleted_before_the_firm_is_noted(client: DossierClient) -> None:
    await paper(client)

    class Away:
        async def note_firm(self, _: Any) -> None:
            raise StoreAway("away")

    client.context.resources = Away()
    with pytest.raises(ConnectionError):
        await leave(client)
    assert (await change(client, "UPDATE document SET state = state")) == 1
