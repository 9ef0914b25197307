"""Schemas of services that connect as a role of their own: the role owns its schema, and reaches no other."""

import secrets
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from koppel_mesh.database import async_url, schema_of
from koppel_mesh.migrations import MESH, is_upgraded, upgrade


@pytest.fixture
async def url(make_database: Callable[..., str]) -> str:
    return make_database()


@pytest.fixture
async def server(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def service(server: asyncpg.Connection) -> AsyncIterator[str]:
    name = f"owned-{secrets.token_hex(4)}"
    yield name
    await server.execute(f'DROP SCHEMA IF EXISTS "{schema_of(name)}" CASCADE; DROP ROLE IF EXISTS "{schema_of(name)}"')


async def owners(server: asyncpg.Connection, service: str) -> set[str]:
    rows = await server.fetch("SELECT tableowner FROM pg_tables WHERE schemaname = $1", schema_of(service))
    return {row["tableowner"] for row in rows}


async def test_a_schema_and_its_tables_belong_to_the_role_of_their_name(
    server: asyncpg.Connection, url: str, service: str
) -> None:
    await server.execute(f'CREATE ROLE "{schema_of(service)}"')
    assert not await is_upgraded(url, service, (MESH,))
    await upgrade(url, service, (MESH,))
    await upgrade(url, f"{service}-other", (MESH,))  # which has no role
    assert await is_upgraded(url, service, (MESH,))
    assert await owners(server, service) == {schema_of(service)}
    await server.execute(f'SET ROLE "{schema_of(service)}"')
    await server.execute(f'SELECT count(*) FROM "{schema_of(service)}".outbox')
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await server.execute(f'SELECT count(*) FROM "{schema_of(service + "-other")}".outbox')
    await server.execute("RESET ROLE")


async def test_a_schema_from_before_its_role_stays_whose_it_is(
    server: asyncpg.Connection, url: str, service: str
) -> None:
    await upgrade(url, service, (MESH,))
    before = await owners(server, service)
    await server.execute(f'CREATE ROLE "{schema_of(service)}"')
    await server.execute(f'DELETE FROM "{schema_of(service)}".alembic_version_mesh')
    await server.execute(f'DROP TABLE "{schema_of(service)}".outbox, "{schema_of(service)}".inbox CASCADE')
    with pytest.raises(Exception, match="already exists"):  # it does work on the tables, as the one who made them
        await upgrade(url, service, (MESH,))
    assert await owners(server, service) == before != {schema_of(service)}


def test_sslmode_of_a_url_reaches_the_driver() -> None:
    url = async_url("postgresql://a:b@db/koppel?sslmode=require&application_name=x")
    assert dict(url.query) == {"ssl": "require", "application_name": "x"}
    assert make_url("postgresql+asyncpg://a:b@db/koppel") == async_url("postgresql://a:b@db/koppel")
