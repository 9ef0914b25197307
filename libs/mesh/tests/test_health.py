"""Readiness: the schema, what a service tells of its neighbours and of its dead queue."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.broker import dead_queue_of, declare_topology
from koppel_mesh.database import Database
from koppel_mesh.health import Health
from koppel_mesh.messages import DocumentReady, EventData
from koppel_mesh.migrations import MESH
from koppel_mesh.runtime import running
from koppel_mesh.service import Context, Service
from koppel_mesh.settings import MeshSettings

from .conftest import SERVICE
from .test_inbox import put, sealed, until_depth

Fact = Callable[..., DocumentReady]


@pytest.mark.parametrize(("revision", "ready"), [(None, True), ("9999_of_a_later_version", True), ("", False)])
async def test_a_schema_serves_at_what_the_code_needs_and_later(
    database: Database, revision: str | None, ready: bool
) -> None:
    async with database.transaction() as tx:
        if revision:
            await tx.execute(text("UPDATE alembic_version_mesh SET version_num = :revision"), {"revision": revision})
        elif revision == "":
            await tx.execute(text("DELETE FROM alembic_version_mesh"))
    missing = await Health(database, SERVICE, (MESH,), started=True).ready()
    assert missing == ([] if ready else ["database schema is not the one this version needs: run koppel migrate"])


@pytest.fixture
def settings(database_url: str, amqp: str, free_port: int) -> MeshSettings:
    here = f"http://127.0.0.1:{free_port}"
    return MeshSettings(database_url=database_url, amqp_url=amqp, port=free_port, public_url=here)


async def ready(settings: MeshSettings, service: str) -> tuple[int, Any]:
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.get(f"{settings.public_url}/{service}/health/ready")
        return answer.status_code, json.loads(answer.content)


async def test_an_ill_neighbour_is_reported_and_takes_nobody_along(settings: MeshSettings) -> None:
    calling = Service(SERVICE, settings=MeshSettings, lineages=(MESH,), calls=("ill-service", "absent-service"))
    ill = Service("ill-service", settings=MeshSettings, lineages=(MESH,), calls=(SERVICE,))
    async with running([calling, ill], dict.fromkeys((SERVICE, "ill-service"), settings)) as contexts:
        contexts[SERVICE].wake("neighbours")
        async with asyncio.timeout(60):
            while True:
                status, body = await ready(settings, SERVICE)
                if "run koppel migrate" in body["needs"].get("ill-service", ""):
                    break
                await asyncio.sleep(0.1)
                contexts[SERVICE].wake("neighbours")
        assert status == 200
        assert body["needs"].keys() == {"ill-service", "absent-service", "identity"}
        assert body["needs"]["absent-service"].startswith("HTTP 404")
        status, body = await ready(settings, "ill-service")
        assert status == 503


async def test_messages_in_the_dead_queue_are_reported_until_they_are_gone(
    settings: MeshSettings, amqp: str, fact: Fact
) -> None:
    async def refuse(_: Context, __: AsyncConnection, events: Sequence[EventData]) -> None:
        raise RuntimeError("refused")

    service = Service(SERVICE, settings=MeshSettings, lineages=(MESH,), handlers={DocumentReady: refuse})
    await declare_topology(amqp, {SERVICE: [DocumentReady.type]})
    async with running([service], {SERVICE: settings}) as contexts:
        assert (await ready(settings, SERVICE))[1]["warnings"] == []
        await put(amqp, sealed(fact()))
        await until_depth(amqp, dead_queue_of(SERVICE), 1)
        contexts[SERVICE].wake("dead queue gauge")
        async with asyncio.timeout(60):
            while (answer := await ready(settings, SERVICE))[1]["warnings"] == []:
                await asyncio.sleep(0.1)
        assert answer[0] == 200
        assert answer[1]["warnings"] == [f"messages in {dead_queue_of(SERVICE)}: 1"]
        async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
            metrics = (await client.get(f"{settings.public_url}/{SERVICE}/metrics")).text
        assert f'koppel_dead_messages{{service="{SERVICE}"}} 1.0' in metrics
