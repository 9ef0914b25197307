"""Who may listen where: one process alone, or several of one machine together."""

import asyncio

import pytest

from koppel_mesh.http.client import HttpClient
from koppel_mesh.runtime import running
from koppel_mesh.service import Service
from koppel_mesh.settings import MeshSettings

SERVICE = Service(name="test-service", settings=MeshSettings)


def settings(port: int, *, reuse_port: bool) -> dict[str, MeshSettings]:
    given = {"database_url": "postgresql://127.0.0.1:9/none", "amqp_url": "amqp://127.0.0.1:9/", "port": port}
    return {SERVICE.name: MeshSettings.model_validate(given | {"reuse_port": reuse_port})}


async def answers(port: int) -> bool:
    async with HttpClient() as http:
        live = await http.request("GET", f"http://127.0.0.1:{port}/test-service/health/live", deadline_s=5)
    return live.status == 200


async def test_a_taken_port_is_refused_in_words(free_port: int) -> None:
    async with running([SERVICE], settings(free_port, reuse_port=False)):
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{free_port}"):
            async with running([SERVICE], settings(free_port, reuse_port=False)):
                pass
        assert await answers(free_port)


async def test_several_share_a_port_and_one_leaving_is_not_noticed(free_port: int) -> None:
    async with running([SERVICE], settings(free_port, reuse_port=True)):
        async with running([SERVICE], settings(free_port, reuse_port=True)):
            assert all(await asyncio.gather(*(answers(free_port) for _ in range(20))))
        assert all(await asyncio.gather(*(answers(free_port) for _ in range(20))))
