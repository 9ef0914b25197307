"""Bringing the schema of a service to the newest revision of each of its lineages, and asking whether it is there."""

import asyncio
from collections.abc import Sequence
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

    Two jobs at once wait for each other.

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
            await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
            await connection.execute(text(f'SET LOCAL search_path TO "{schema}"'))
            for lineage in lineages:
                await connection.run_sync(_upgrade, schema, lineage)
    finally:
        await engine.dispose()


async def is_new_enough(connection: AsyncConnection, service: str, lineages: Sequence[Lineage]) -> bool:
    """Return whether in each lineage the schema is at the newest revision this code knows, or at one of a later version."""
    for lineage in lineages:
        known, head = await asyncio.to_thread(_known, lineage)
        current = await connection.run_sync(_current, schema_of(service), lineage)
        if current is None or (current != head and current in known):
            return False
    return True


def _upgrade(connection: Connection, schema: str, lineage: Lineage) -> None:
    config = _config(lineage)
    take_over(connection, schema, lineage, ScriptDirectory.from_config(config))
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    config.attributes["version_table"] = lineage.version_table
    command.upgrade(config, "head")


def _config(lineage: Lineage) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_ENVIRONMENT))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(lineage.versions))
    return config


def _known(lineage: Lineage) -> tuple[set[str], str | None]:
    directory = ScriptDirectory.from_config(_config(lineage))
    return {script.revision for script in directory.walk_revisions()}, directory.get_current_head()


def _current(connection: Connection, schema: str, lineage: Lineage) -> str | None:
    opts = {"version_table": lineage.version_table, "version_table_schema": schema}
    return MigrationContext.configure(connection, opts=opts).get_current_revision()
