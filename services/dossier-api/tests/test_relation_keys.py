"""Relations that were kept before names were compared without legal form are recognised like those that came later."""

from sqlalchemy import text

from dossier_api.service import SERVICE
from koppel_mesh.migrations import upgrade

from .conftest import DossierClient


async def test_the_key_of_a_name_kept_before_is_written_anew(client: DossierClient) -> None:
    dossier = await client.dossier()
    items = [{"code": "25", "name": "Café De Nieuwe Klant N.V."}, {"code": "26", "name": "B.V."}]
    await client.call("PUT", f"/dossiers/{dossier['id']}/relations", json={"items": items, "source": "exact"})
    async with client.context.database.transaction() as tx:
        await tx.execute(text("UPDATE relation SET name_key = lower(name)"))
        await tx.execute(text("UPDATE alembic_version_dossier_api SET version_num = '0001'"))
    await upgrade(client.context.settings.database_url, SERVICE.name, SERVICE.lineages)
    async with client.context.database.reading() as reading:
        rows = (await reading.execute(text("SELECT code, name_key FROM relation ORDER BY code"))).all()
    assert [tuple(row) for row in rows] == [("25", "café de nieuwe klant"), ("26", "b v")]
