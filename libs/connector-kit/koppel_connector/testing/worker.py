"""A worker process of a connector, for tests that kill it: ``python -m koppel_connector.testing.worker SERVICE``.

``SERVICE`` is ``module:attribute`` or ``file.py:attribute``; settings come from the environment, and so does
``KOPPEL_FAULT``. It runs the loops until it is killed or its standard input ends, as it does when its parent dies.
"""

import asyncio
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from koppel_connector import faults
from koppel_mesh.runtime import open_context, open_resources
from koppel_mesh.service import Service

from .testbed import RUNNING_LOOPS, Testbed

WORKING_LOOPS = tuple(name for name in RUNNING_LOOPS if name != "imports")
"""Without imports, so that a fault strikes on the way of a document."""


def load_service(name: str) -> Service:
    """Return the service of ``module:attribute`` or ``file.py:attribute``."""
    place, _, attribute = name.rpartition(":")
    if place.endswith(".py"):
        specification = importlib.util.spec_from_file_location(Path(place).stem, place)
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        sys.modules[specification.name] = module
        specification.loader.exec_module(module)
    else:
        module = importlib.import_module(place)
    service: Service = getattr(module, attribute)
    return service


def environment_of(settings: BaseSettings) -> dict[str, str]:
    """Return the environment that gives another process these settings, secrets included."""
    return {f"KOPPEL_{name.upper()}": _as_text(getattr(settings, name)) for name in settings.model_fields_set}


def _as_text(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ",".join(map(_as_text, value))
    return str(value.get_secret_value() if isinstance(value, SecretStr) else value)


async def work(service: Service) -> None:
    """Run the loops of ``service`` until standard input ends."""
    async with open_context(service, service.settings()) as context, open_resources(context):
        worker = Testbed(context, None)
        worker.start(WORKING_LOOPS)
        await asyncio.to_thread(sys.stdin.read)
        await worker.stop()


if __name__ == "__main__":
    if fault := os.environ.get("KOPPEL_FAULT"):
        faults.arm(fault)
    asyncio.run(work(load_service(sys.argv[1])))
