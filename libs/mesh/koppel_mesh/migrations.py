"""Schema changes: alembic, one history per service, run by one job before the rollout and never at a pod's start.

A service holds only ``migrations/versions/*.py``; the environment is ours. Migrations go forward only and follow
expand/contract, so that the version before still runs on the schema after.
"""

import asyncio
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from . import tables
from .database import async_url, schema_of

_ENVIRONMENT = Path(__file__).parent / "alembic_env"
LOCK_TIMEOUT_S = 3
"""A migration that waits longer for a lock would queue every query behind it."""


def migrations_of(module_file: str) -> Path:
    """Return the folder of a service's revisions, given ``__file__`` of a module of its package.

    A checkout has ``migrations/`` beside the package; a wheel carries it inside, so that two services do not share one.
    """
    package = Path(module_file).parent
    folders = (package / "migrations" / "versions", package.parent / "migrations" / "versions")
    return next(folder for folder in folders if folder.is_dir())


async def upgrade(url: str, service: str, versions: Path) -> None:
    """Bring the schema of ``service`` to the newest revision in ``versions``; two jobs at once wait for each other."""
    schema = schema_of(service)
    engine = create_async_engine(
        async_url(url),
        poolclass=NullPool,
        connect_args={"server_settings": {"lock_timeout": f"{LOCK_TIMEOUT_S}s", "timezone": "UTC"}},
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('koppel migrations'))"))
            await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
            await connection.execute(text(f'SET LOCAL search_path TO "{schema}"'))
            await connection.run_sync(_upgrade, schema, versions)
    finally:
        await engine.dispose()


def create_mesh_tables(op: ModuleType | Any) -> None:
    """Make mesh's tables in the service's schema; ``op`` is ``alembic.op``. Called by a service's first migration."""
    tables.metadata.create_all(op.get_bind(), checkfirst=False)


async def is_new_enough(connection: AsyncConnection, service: str, versions: Path) -> bool:
    """Return whether the service's schema is at the newest revision this code knows, or at one of a later version."""
    known, head = await asyncio.to_thread(_known, versions)
    current = await connection.run_sync(_current, schema_of(service))
    return current == head or (current is not None and current not in known)


def _upgrade(connection: Connection, schema: str, versions: Path) -> None:
    config = _config(versions)
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    command.upgrade(config, "head")


def _config(versions: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_ENVIRONMENT))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(versions))
    return config


def _known(versions: Path) -> tuple[set[str], str | None]:
    directory = ScriptDirectory.from_config(_config(versions))
    return {script.revision for script in directory.walk_revisions()}, directory.get_current_head()


def _current(connection: Connection, schema: str) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table_schema": schema}).get_current_revision()
