"""Revisions make exactly the tables that the code declares, whatever the schema held before."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from koppel_mesh.database import async_url, schema_of
from koppel_mesh.migrations import MESH, UnknownHandoverError, upgrade
from koppel_mesh.service import Service, installed_services

SERVICES = {name: service for name, service in installed_services().items() if service.lineages}

_CATALOGUE = text("""
    SELECT 'column', table_name, column_name,
        concat_ws(' ', data_type, udt_name, is_nullable, column_default, is_identity, identity_generation)
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = :schema AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'alembic%'
    UNION ALL
    SELECT 'index', tablename, indexname, replace(indexdef, :schema || '.', '')
    FROM pg_indexes WHERE schemaname = :schema AND tablename NOT LIKE 'alembic%'
    UNION ALL
    SELECT 'constraint', t.relname, c.conname, pg_get_constraintdef(c.oid)
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = :schema AND t.relname NOT LIKE 'alembic%'
""")


async def in_schema(url: str, schema: str, ask: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine(
        async_url(url), poolclass=NullPool, connect_args={"server_settings": {"search_path": schema}}
    )
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(ask)
    finally:
        await engine.dispose()


def catalogue(connection: Connection, schema: str) -> set[tuple[str, ...]]:
    return {tuple(row) for row in connection.execute(_CATALOGUE, {"schema": schema})}


def models(service: Service) -> list[MetaData]:
    return [lineage.models for lineage in service.lineages]


@pytest.mark.parametrize("name", SERVICES)
async def test_revisions_make_exactly_the_models(name: str, make_database: Callable[..., str]) -> None:
    """Alembic compares what it knows of; the catalogues also show conditions of indexes, defaults, identities."""
    url, service, schema = make_database(), SERVICES[name], schema_of(name)
    await upgrade(url, name, service.lineages)

    def differences(connection: Connection) -> list[object]:
        opts = {
            "compare_type": True,
            "compare_server_default": True,
            "include_name": lambda found, kind, _: not (kind == "table" and str(found).startswith("alembic_version")),
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=opts), models(service)))  # type: ignore[arg-type]

    assert await in_schema(url, schema, differences) == []

    def made_from_models(connection: Connection) -> set[tuple[str, ...]]:
        connection.execute(text("CREATE SCHEMA declared"))
        connection.execute(text("SET search_path TO declared"))
        for declared in models(service):
            declared.create_all(connection, checkfirst=False)
        return catalogue(connection, "declared")

    made = await in_schema(url, schema, lambda connection: catalogue(connection, schema))
    declared = await in_schema(url, schema, made_from_models)
    assert made - declared == set(), "revisions make what no model declares"
    assert declared - made == set(), "models declare what no revision makes"


async def test_many_jobs_at_once_upgrade_one_database(make_database: Callable[..., str]) -> None:
    url = make_database()
    await asyncio.gather(
        *(upgrade(url, name, service.lineages) for name, service in SERVICES.items() for _ in range(3))
    )
    assert await in_schema(url, "identity", lambda found: bool(catalogue(found, "identity")))


async def test_a_schema_of_an_unknown_history_is_left_alone(make_database: Callable[..., str]) -> None:
    url = make_database()

    def stamp(connection: Connection) -> None:
        connection.execute(text("CREATE SCHEMA somebody"))
        connection.execute(text("CREATE TABLE somebody.alembic_version (version_num text)"))
        connection.execute(text("INSERT INTO somebody.alembic_version VALUES ('0099')"))

    await in_schema(url, "public", stamp)
    with pytest.raises(UnknownHandoverError, match="somebody is at revision 0099"):
        await upgrade(url, "somebody", (MESH,))
    assert await in_schema(url, "somebody", lambda connection: catalogue(connection, "somebody")) == set()
