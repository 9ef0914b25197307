"""Bringing the schema of a service to the newest revision of each of its lineages, and asking whether it is there."""

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from koppel_mesh.database import async_url, schema_of

from .handover import take_over
from .lineage import Lineage

_ENVIRONMENT = Path(__file__).parent / "environment"
LOCK_TIMEOUT_S = 3
"""A migration that waits longer for a lock would queue every query behind it."""
TURN_TIMEOUT_S = 120
"""How long one job waits for another to end."""


async def upgrade(url: str, service: str, lineages: Sequence[Lineage]) -> None:
    """Bring the schema of ``service`` to the newest revision of ``lineages``, in their order and in one transaction.

    Two jobs at once wait for each other. Where the server has a role of the schema's name, a new schema and all in it are owned
    by that role, which whoever runs this must be a member of: the service connects as it and reaches nothing else.

    Raises:
        UnknownHandoverError: the schema stands at a revision from before lineages that this version does not know.
    """
    schema = schema_of(service)
    engine = create_async_engine(
        async_url(url),
        poolclass=NullPool,
        connect_args={"server_settings": {"lock_timeout": f"{TURN_TIMEOUT_S}s", "timezone": "UTC"}},
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('koppel migrations'))"))
            await connection.execute(text(f"SET LOCAL lock_timeout TO '{LOCK_TIMEOUT_S}s'"))
            await _make_schema(connection, schema)
            await connection.execute(text(f'SET LOCAL search_path TO "{schema}"'))
            for lineage in lineages:
                await connection.run_sync(_upgrade, schema, lineage)
    finally:
        await engine.dispose()


async def _make_schema(connection: AsyncConnection, schema: str) -> None:
    is_role = await connection.scalar(text("SELECT true FROM pg_roles WHERE rolname = :schema"), {"schema": schema})
    await connection.execute(
        text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"' + (f' AUTHORIZATION "{schema}"' if is_role else ""))
    )
    owner = await connection.scalar(
        text("SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = :schema"), {"schema": schema}
    )
    if owner == schema:  # a schema from before its role stays whose it is
        await connection.execute(text(f'SET LOCAL ROLE "{schema}"'))


async def missing_roles(url: str, services: Sequence[str]) -> list[str]:
    """Return the roles of these services' schemas that are not there yet, or that whoever asks is no member of; sorted."""
    engine = create_async_engine(async_url(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            usable = text("SELECT rolname FROM pg_roles WHERE pg_has_role(rolname, 'MEMBER')")
            found = set((await connection.scalars(usable)).all())
    finally:
        await engine.dispose()
    return sorted({schema_of(service) for service in services} - found)


async def is_upgraded(url: str, service: str, lineages: Sequence[Lineage]) -> bool:
    """Return whether ``upgrade`` has been done for this code or a later one; changes nothing."""
    engine = create_async_engine(async_url(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await is_new_enough(connection, service, lineages)
    finally:
        await engine.dispose()


async def is_new_enough(connection: AsyncConnection, service: str, lineages: Sequence[Lineage]) -> bool:
    """Return whether in each lineage the schema is at the newest revision this code knows, or at one of a later version."""
    for lineage in lineages:
        known, head = await asyncio.to_thread(_known, lineage.versions)
        current = await connection.run_sync(_current, schema_of(service), lineage)
        if current is None or (current != head and current in known):
            return False
    return True


def _upgrade(connection: Connection, schema: str, lineage: Lineage) -> None:
    if _current(connection, schema, lineage) == _known(lineage.versions)[1]:
        return
    config = _config(lineage.versions)
    take_over(connection, schema, lineage, ScriptDirectory.from_config(config))
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    config.attributes["version_table"] = lineage.version_table
    command.upgrade(config, "head")


def _config(versions: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_ENVIRONMENT))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(versions))
    return config


@cache
def _known(versions: Path) -> tuple[frozenset[str], str | None]:
    directory = ScriptDirectory.from_config(_config(versions))
    return frozenset(script.revision for script in directory.walk_revisions()), directory.get_current_head()


def _current(connection: Connection, schema: str, lineage: Lineage) -> str | None:
    opts = {"version_table": lineage.version_table, "version_table_schema": schema}
    return MigrationContext.configure(connection, opts=opts).get_current_revision()
