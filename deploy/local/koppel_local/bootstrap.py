"""The services of this machine: what their environment lacks, their schemas and queues, and running them."""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from cryptography.fernet import Fernet
from starlette.types import ASGIApp

from koppel_mesh.broker import declare_topology
from koppel_mesh.migrations import upgrade
from koppel_mesh.runtime import running_until_signal
from koppel_mesh.service import Service
from koppel_mesh.settings import MeshSettings

from .servers import Servers
from .user_errors import UserError

SANDBOX_EXACT = "koppel_sandbox.exact"


class NeighbourError(UserError):
    """A sandbox cannot start; the message says why and what to do."""


def fill_environment(folder: Path, servers: Servers) -> str:
    """Set every ``KOPPEL_*`` variable a laptop leaves unset (contract §2), and return the public URL."""
    port = os.environ.setdefault("KOPPEL_PORT", "8000")
    url = os.environ.setdefault("KOPPEL_PUBLIC_URL", f"http://127.0.0.1:{port}")
    given = {
        "KOPPEL_DATABASE_URL": servers.database_url,
        "KOPPEL_AMQP_URL": servers.amqp_url,
        "KOPPEL_INTERNAL_URL": f"http://127.0.0.1:{port}",
        "KOPPEL_BLOB_URL": (folder / "blobs").absolute().as_uri(),
        "KOPPEL_EXACT_BASE_URL": f"{url}/sandbox/exact",
        "KOPPEL_LOG_FORMAT": "console",
        "KOPPEL_LOG_LEVEL": "warning",
        **_secrets(folder / "secrets.json"),
    }
    (folder / "blobs").mkdir(parents=True, exist_ok=True)
    if "KOPPEL_EXACT_BASE_URL" not in os.environ and _has_sandbox():
        seed = import_module(f"{SANDBOX_EXACT}.seed")
        given |= {"KOPPEL_EXACT_CLIENT_ID": seed.CLIENT_ID, "KOPPEL_EXACT_CLIENT_SECRET": seed.CLIENT_SECRET}
    for name, value in given.items():
        os.environ.setdefault(name, value)
    return url


async def migrate(services: Sequence[Service], settings: MeshSettings) -> None:
    """Bring schemas and queues to what this code needs. Harmless when they are there already."""
    for service in services:
        if service.lineages:
            await upgrade(settings.database_url, service.name, service.lineages)
    handled = {service.name: [event.type for event in service.handlers] for service in services if service.handlers}
    await declare_topology(settings.amqp_url, handled)


@asynccontextmanager
async def serving(services: Sequence[Service], mounts: Mapping[str, ASGIApp]) -> AsyncIterator[asyncio.Event]:
    """Run the services; yield the event that SIGINT or SIGTERM sets."""
    settings = {service.name: service.settings() for service in services}
    async with running_until_signal(services, settings, mounts=mounts) as stop:
        yield stop


def sandboxes(url: str, folder: Path) -> dict[str, ASGIApp]:
    """Return the neighbours played on this machine, by path; only those whose real address nobody gave.

    Raises:
        NeighbourError: what one kept in ``folder`` cannot be read.
    """
    own = os.environ.get("KOPPEL_EXACT_BASE_URL") == f"{url}/sandbox/exact"
    if not own or not _has_sandbox():
        return {}
    unreadable = import_module(f"{SANDBOX_EXACT}.keeping").UnreadableStateError
    try:
        app: ASGIApp = import_module(f"{SANDBOX_EXACT}.app").create_app(
            base_url=f"{url}/sandbox/exact", data_dir=folder / "sandbox" / "exact"
        )
    except unreadable as error:
        raise NeighbourError(str(error)) from error
    return {"/sandbox/exact": app}


def _has_sandbox() -> bool:
    # A production image has none.
    return find_spec(SANDBOX_EXACT.split(".", maxsplit=1)[0]) is not None and find_spec(SANDBOX_EXACT) is not None


def _secrets(file: Path) -> dict[str, str]:
    # Tokens of vendors are encrypted with these: a new key each run would make yesterday's connections unreadable.
    if not file.exists():
        made = {
            "KOPPEL_SECRET_KEYS": Fernet.generate_key().decode(),
            "KOPPEL_SERVICE_CLIENT_SECRET": secrets.token_urlsafe(32),
        }
        unfinished = file.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(made))
        unfinished.replace(file)
    read: dict[str, str] = json.loads(file.read_text())
    return read
