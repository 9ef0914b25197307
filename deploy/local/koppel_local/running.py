"""What ``koppel up``, ``serve`` and ``migrate`` do: run services on this machine."""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import uvloop
from pydantic import ValidationError

from koppel_mesh.http.server_socket import CannotListenError
from koppel_mesh.runtime import CannotStartError, configure_telemetry
from koppel_mesh.service import Service, installed_services
from koppel_mesh.settings import MeshSettings, what_is_missing

from . import bootstrap, demo
from .api import ApiError
from .printing import out, result_table, summary
from .sandboxes import Playing
from .user_errors import ServersUnusableError, UserError, need_port


def up(folder: Path, began_s: float, *, with_demo: bool) -> None:
    """Run everything below ``folder`` until a signal; ``began_s`` is when the command did, by the monotonic clock.

    Raises:
        UserError: something is in the way that a person can put right.
    """
    from .servers import servers  # what starts servers is no part of an image

    if os.environ.get("KOPPEL_ENV") == "production":
        # What it would fill in, keys and sandboxes among it, is what production must be given.
        raise UserError("koppel up is for a laptop. With KOPPEL_ENV=production run koppel migrate and koppel serve.")
    need_port(os.environ.get("KOPPEL_PORT", "8000"))
    with _explained(), servers(folder) as underneath:
        url, playing = bootstrap.fill_environment(folder, underneath)
        uvloop.run(_up(url, playing, folder, began_s, with_demo=with_demo))


def serve(names: Sequence[str]) -> None:
    """Run these services until a signal, with servers the environment names.

    Raises:
        UserError: there is no such service, or what it needs is missing.
    """
    with _explained():
        uvloop.run(_serve(_chosen(names)))


def migrate(names: Sequence[str], roles_wait_s: float | None = None) -> int:
    """Bring the schemas and queues of these services, or of every installed one, up to date; return how many there are.

    Args:
        names: of the services; empty for every one.
        roles_wait_s: how many seconds to wait for a role of each; None where they share a user.

    Raises:
        UserError: a server the environment names cannot be used, or none is named; there is no such service, or no such role.
    """
    services = _chosen(names)
    with _explained():
        asyncio.run(_migrate(services, roles_wait_s))
    return len(services)


async def _migrate(services: Sequence[Service], roles_wait_s: float | None) -> None:
    settings = bootstrap.ServerSettings()  # read from the environment
    if roles_wait_s is not None:
        await bootstrap.wait_for_roles(services, settings, roles_wait_s)
    await bootstrap.migrate(services, settings)


def wait_for_schemas(names: Sequence[str], wait_s: float) -> int:
    """Wait until somebody has migrated the schemas of these services, or of every installed one; return how many there are.

    Raises:
        UserError: nobody has in time; there is no such service, or no database is named.
    """
    services = _chosen(names)
    with _explained():
        asyncio.run(bootstrap.wait_for_schemas(services, bootstrap.ServerSettings(), wait_s))
    return len(services)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (CannotStartError, CannotListenError) as error:
        raise UserError(str(error)) from error
    except ValidationError as error:
        if not error.title.endswith("Settings"):
            raise
        raise UserError(what_is_missing(error)) from error
    except asyncpg.PostgresError as error:
        raise ServersUnusableError(error) from error


async def _up(url: str, playing: Playing, folder: Path, began_s: float, *, with_demo: bool) -> None:
    settings = MeshSettings()  # read from the environment
    configure_telemetry("mesh", settings)
    services, left_out = bootstrap.startable(installed_services().values())
    for sentence in left_out:
        out.print(sentence)
    await bootstrap.migrate(services, settings)
    async with playing.started(folder / "sandbox") as sandboxes, bootstrap.serving(services, sandboxes) as stop:
        out.print(f"Koppel runs at {url} (started in {time.monotonic() - began_s:.1f} s); Ctrl-C stops it.")
        for name in (*(service.name for service in services), *(f"{path.strip('/')}/" for path in sandboxes)):
            out.print(f"  {url}/{name}")
        if with_demo and playing.demos:
            await _demonstrate(url, playing.demos, began_s, stop)
        await stop.wait()
        out.print("Stopping …")


async def _demonstrate(url: str, demos: Sequence[Any], began_s: float, stop: asyncio.Event) -> None:
    def keep_going() -> None:
        if stop.is_set():
            raise ApiError("The demo was stopped.")

    try:
        sendings = await asyncio.to_thread(demo.run, url, demos, keep_going)
    except ApiError as error:
        out.print(f"The demo did not come to its end: {error}")
        return
    out.print(result_table(sendings))
    out.print(summary(sendings, began_s))


async def _serve(services: list[Service]) -> None:
    configure_telemetry(services[0].name if len(services) == 1 else "mesh", services[0].settings())
    async with bootstrap.serving(services, {}) as stop:
        await stop.wait()


def _chosen(names: Sequence[str]) -> list[Service]:
    found = installed_services(names)
    unknown = [name for name in names if name not in found]
    if unknown:
        raise UserError(f"No service is called {', '.join(unknown)}; there are {', '.join(installed_services())}.")
    return [found[name] for name in names or found]
