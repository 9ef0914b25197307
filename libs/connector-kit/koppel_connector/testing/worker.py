"""A worker process of a connector, for tests that kill it.

It is forked from a process that has imported us already, which saves each of them a second of a busy machine.
"""

import asyncio
import importlib
import importlib.util
import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from koppel_connector import faults
from koppel_mesh.runtime import open_context, open_resources
from koppel_mesh.service import Service

from .testbed import RUNNING_LOOPS, Testbed

WORKING_LOOPS = tuple(name for name in RUNNING_LOOPS if name != "imports")
"""Without imports, so that a fault strikes on the way of a document."""
JOIN_WITHIN_S = 20.0
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__, "koppel_connector.service"])


class WorkerProcess:
    """Runs the loops of a service until it is killed, or left; use as an async context manager.

    Args:
        service: ``module:attribute`` or ``file.py:attribute``.
        settings: of the service, secrets included.
        fault: where it ends by itself, as ``faults.arm`` takes it.
    """

    def __init__(self, service: str, settings: BaseSettings, fault: str | None = None) -> None:
        given = {**os.environ, **environment_of(settings)}
        until_closed, self._closes = _FORKS.Pipe(duplex=False)
        self._given_away = until_closed
        self._process = _FORKS.Process(target=_run, args=(service, given, fault, until_closed), daemon=True)

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._process.start)
        self._given_away.close()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.returncode is None:
            self._process.kill()
        await self.wait()
        self._closes.close()

    @property
    def returncode(self) -> int | None:
        """None while it lives; negative when a signal ended it."""
        return self._process.exitcode

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does."""
        self._process.kill()

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    async def wait(self) -> int | None:
        """Wait for its end; return its code."""
        await asyncio.to_thread(self._process.join, JOIN_WITHIN_S)
        return self.returncode


def _run(service: str, environment: Mapping[str, str], fault: str | None, until_closed: Connection) -> None:
    os.environ.clear()
    os.environ.update(environment)
    if fault:
        faults.arm(fault)
    asyncio.run(_work(load_service(service), until_closed))


async def _work(service: Service, until_closed: Connection) -> None:
    async with open_context(service, service.settings()) as context, open_resources(context):
        worker = Testbed(context, None)
        worker.start(WORKING_LOOPS)
        await asyncio.to_thread(until_closed.poll, None)  # nothing is ever sent: it ends with whoever started us
        await worker.stop()


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
