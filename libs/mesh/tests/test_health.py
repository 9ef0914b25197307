"""Readiness and the schema: older than the code needs, as it needs it, and newer."""

import pytest
from sqlalchemy import text

from koppel_mesh.database import Database
from koppel_mesh.health import Health
from koppel_mesh.migrations import MESH

from .conftest import SERVICE


@pytest.mark.parametrize(("revision", "ready"), [(None, True), ("9999_of_a_later_version", True), ("", False)])
async def test_a_schema_serves_at_what_the_code_needs_and_later(
    database: Database, revision: str | None, ready: bool
) -> None:
    async with database.transaction() as tx:
        if revision:
            await tx.execute(text("UPDATE alembic_version_mesh SET version_num = :revision"), {"revision": revision})
        elif revision == "":
            await tx.execute(text("DELETE FROM alembic_version_mesh"))
    told = await Health(database, SERVICE, (MESH,), started=True).ready()
    assert told == ([] if ready else ["database schema is not the one this version needs: run koppel migrate"])
