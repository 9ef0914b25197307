"""Rows that an earlier version kept are compared as those that came later."""

from sqlalchemy import text

from dossier_api.service import SERVICE
from koppel_mesh.migrations import upgrade

from .conftest import DossierClient
from .document_samples import OURS, THEIRS, invoice
from .test_statements import BANK, CODA

_AS_IT_WAS = (
    "ALTER TABLE document DROP COLUMN business_keys, DROP COLUMN questions, DROP COLUMN journals, DROP COLUMN forward",
    "ALTER TABLE delivery DROP COLUMN warnings, DROP COLUMN ends_as",
    "DROP TABLE counterparty_answer, content_to_erase, content_named, content_to_read",
    "DROP FUNCTION mark_content CASCADE",
    "DROP FUNCTION name_content CASCADE",
    "UPDATE relation SET name_key = lower(name)",
    "UPDATE alembic_version_dossier_api SET version_num = '0001'",
)


async def test_names_and_documents_of_the_first_version_get_their_keys(client: DossierClient) -> None:
    dossier = await client.dossier()
    items = [{"code": "25", "name": "Café De Nieuwe Klant N.V."}, {"code": "26", "name": "B.V."}]
    await client.call("PUT", f"/dossiers/{dossier['id']}/relations", json={"items": items, "source": "exact"})
    purchase = invoice("F-0042", seller=THEIRS, buyer=OURS)
    for data, media_type in ((invoice("2026/0001"), "application/xml"), (purchase, "application/xml"), (BANK, CODA)):
        await client.filed(dossier["id"], data, media_type)
    query = text("SELECT business_keys FROM document ORDER BY id")
    async with client.context.database.transaction() as tx:
        made = [row.business_keys for row in await tx.execute(query)]
        for statement in _AS_IT_WAS:
            await tx.execute(text(statement))
    assert all(made)
    await upgrade(client.context.settings.database_url, SERVICE.name, SERVICE.lineages)
    async with client.context.database.reading() as reading:
        rows = (await reading.execute(text("SELECT code, name_key FROM relation ORDER BY code"))).all()
        given = [row.business_keys for row in await reading.execute(query)]
    # The revision gives the keys of its time; later ones have more, and those of its time among them.
    assert all(given)
    assert all(set(each) <= set(all_keys) for each, all_keys in zip(given, made, strict=True))
    assert [tuple(row) for row in rows] == [("25", "café de nieuwe klant"), ("26", "b v")]
    assert (await client.filed(dossier["id"], purchase + b"\n"))["state"] == "held"
