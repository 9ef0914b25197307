"""Migrating where each service has a role: not before the roles are there, which an operator makes some time after the server."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from koppel_local import bootstrap
from koppel_local.user_errors import RolesMissingError
from koppel_mesh.database import schema_of
from koppel_mesh.migrations import MESH
from koppel_mesh.service import Service
from koppel_mesh.settings import MeshSettings

OWNER, PASSWORD = f"owner_{secrets.token_hex(4)}", secrets.token_hex(8)
SERVICE = Service(name=f"owned-{secrets.token_hex(4)}", settings=MeshSettings, lineages=(MESH,))
ROLE = schema_of(SERVICE.name)


@pytest.fixture
async def server(make_database: Callable[..., str]) -> AsyncIterator[tuple[asyncpg.Connection, str]]:
    """Return the connection of a superuser, and the address of a database for an owner who is none, as in a cluster."""
    url = make_database()
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE ROLE {OWNER} LOGIN PASSWORD '{PASSWORD}'")
    database = make_url(url).database
    await connection.execute(f'GRANT CREATE ON DATABASE "{database}" TO {OWNER}')
    address = make_url(url).set(username=OWNER, password=PASSWORD).render_as_string(hide_password=False)
    yield connection, address
    await connection.execute(f"DROP OWNED BY {OWNER} CASCADE; DROP ROLE {OWNER}")
    if await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", ROLE):
        await connection.execute(f"DROP OWNED BY {ROLE} CASCADE; DROP ROLE {ROLE}")
    await connection.close()


async def test_without_the_role_of_a_service_nothing_is_made(server: tuple[asyncpg.Connection, str]) -> None:
    connection, url = server
    settings = bootstrap.ServerSettings(database_url=url, amqp_url="amqp://nobody")
    with pytest.raises(RolesMissingError, match=ROLE):
        await bootstrap.wait_for_roles([SERVICE], settings, 0)
    await connection.execute(f"CREATE ROLE {ROLE}")
    with pytest.raises(RolesMissingError, match=ROLE):  # whoever is no member could make nothing in its name
        await bootstrap.wait_for_roles([SERVICE], settings, 0)


async def test_it_goes_on_when_the_role_is_made_and_the_schema_is_the_roles(
    server: tuple[asyncpg.Connection, str], make_vhost: Callable[[], str]
) -> None:
    connection, url = server
    settings = bootstrap.ServerSettings(database_url=url, amqp_url=make_vhost())

    async def migrate() -> None:
        await bootstrap.wait_for_roles([SERVICE], settings, 20)
        await bootstrap.migrate([SERVICE], settings)

    migrating = asyncio.create_task(migrate())
    await asyncio.sleep(0.5)
    assert not migrating.done()
    await connection.execute(f"CREATE ROLE {ROLE}; GRANT {ROLE} TO {OWNER}")
    await migrating
    owners = await connection.fetch("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = $1", ROLE)
    assert [row["tableowner"] for row in owners] == [ROLE]
