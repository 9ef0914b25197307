"""The process of a whole mesh: every installed service, and every vendor's sandbox, at one address."""

import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import uvloop
from starlette.types import ASGIApp

from koppel_mesh.broker import declare_topology
from koppel_mesh.migrations import upgrade
from koppel_mesh.runtime import running_until_signal
from koppel_mesh.service import installed_services
from koppel_mesh.telemetry.logs import configure_logs
from koppel_mesh.telemetry.tracing import configure_tracing
from koppel_sandbox import installed_sandboxes

from .processes import Fork, answers_200

Settings = Mapping[str, Any]
Vendors = Mapping[str, tuple[str, Path | None]]
"""By the name of its sandbox where each vendor is called, and the folder of what it knows; without one it is kept in memory."""


@contextmanager
def running_mesh(settings: Settings, vendors: Vendors, environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """Run a mesh as long as the block lasts.

    Args:
        settings: of every service, by the names of their fields.
        vendors: those that run beside it.
        environment: further variables of the process.
        log: the file that its log is appended to.

    Raises:
        AssertionError: it did not start, or did not end when it was told to.
    """
    process = Fork("the mesh", log, _run, dict(settings), dict(vendors), dict(environment))
    process.start()
    try:
        for name in installed_services():
            url = f"{settings['public_url']}/{name}/health/ready"
            process.until(partial(answers_200, url))
        yield
    finally:
        process.end(signal.SIGTERM)
    assert process.exit_code == 0, f"the mesh ended with {process.exit_code}: {process.said()}"


def _run(settings: Settings, vendors: Vendors, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    configure_logs("console", "error")
    if "OTEL_EXPORTER_OTLP_ENDPOINT" in environment:
        configure_tracing("mesh")
    uvloop.run(_live(settings, vendors))


async def _live(settings: Settings, vendors: Vendors) -> None:
    services = list(installed_services().values())
    for service in services:
        if service.lineages:
            await upgrade(settings["database_url"], service.name, service.lineages)
    handled = {service.name: [event.type for event in service.handlers] for service in services if service.handlers}
    await declare_topology(settings["amqp_url"], handled)
    known = {service.name: service.settings(**settings) for service in services}
    async with (
        _sandboxes(vendors) as mounts,
        running_until_signal(services, known, mounts=mounts) as stop,
    ):
        await stop.wait()


@asynccontextmanager
async def _sandboxes(vendors: Vendors) -> AsyncIterator[dict[str, ASGIApp]]:
    """Run the sandboxes; give the apps to mount, by their paths."""
    apps = {}
    async with AsyncExitStack() as stack:
        for name, (address, folder) in vendors.items():
            if (app := await stack.enter_async_context(installed_sandboxes()[name].start(address, folder))) is not None:
                apps[f"/sandbox/{name}"] = app
        yield apps
