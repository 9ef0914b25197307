"""What dossier-api does before it takes requests; ``koppel_mesh`` answers 503 until its resources are open."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from dossier_api.service import SERVICE
from koppel_mesh.runtime import open_context, open_resources
from koppel_mesh.settings import MeshSettings
from koppel_ubl.checking.engine import places


async def test_the_rules_of_ubl_are_compiled_before_the_first_request(
    make_database: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_current", [places.Memory()])
    settings = MeshSettings(database_url=make_database(), amqp_url="amqp://unused", blob_url=f"file://{tmp_path}")
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with open_context(SERVICE, settings) as context:
        assert places.memory().size == 0
        turning = asyncio.create_task(turn())
        async with open_resources(context):
            assert places.memory().size > 1_000, "an invoice and a credit note are compiled"
            assert turns > 1, "the loop turns meanwhile"
        turning.cancel()
