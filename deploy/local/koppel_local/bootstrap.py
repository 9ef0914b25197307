"""The services of this machine: what is missing in their environment, their schemas and queues, and running them."""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.types import ASGIApp

from koppel_mesh.broker import declare_topology
from koppel_mesh.database import is_unavailable
from koppel_mesh.migrations import is_upgraded, missing_roles, upgrade
from koppel_mesh.runtime import running_until_signal
from koppel_mesh.service import Service
from koppel_mesh.settings import MeshSettings

from .sandboxes import Playing
from .user_errors import RolesMissingError, SchemasBehindError

if TYPE_CHECKING:
    from .servers import Servers


def fill_environment(folder: Path, servers: "Servers") -> tuple[str, Playing]:
    """Set every ``KOPPEL_*`` variable a laptop leaves unset (contract §2).

    Returns:
        The public URL, and the sandboxes that stand in for vendors whose address nobody gave.
    """
    port = os.environ.setdefault("KOPPEL_PORT", "8000")
    url = os.environ.setdefault("KOPPEL_PUBLIC_URL", f"http://127.0.0.1:{port}")
    given = {
        "KOPPEL_DATABASE_URL": servers.database_url,
        "KOPPEL_AMQP_URL": servers.amqp_url,
        "KOPPEL_INTERNAL_URL": f"http://127.0.0.1:{port}",
        "KOPPEL_BLOB_URL": (folder / "blobs").absolute().as_uri(),
        "KOPPEL_LOG_FORMAT": "console",
        "KOPPEL_LOG_LEVEL": "warning",
        **_secrets(folder / "secrets.json"),
    }
    (folder / "blobs").mkdir(parents=True, exist_ok=True)
    playing = Playing.under(url)
    given |= playing.environment
    if os.environ.get("KOPPEL_ENV", "local") == "local":
        given["KOPPEL_WEBHOOK_LOOPBACK"] = "true"  # a receiver that is being developed runs on this machine
    for name, value in given.items():
        os.environ.setdefault(name, value)
    return url, playing


def startable(services: Iterable[Service]) -> tuple[list[Service], list[str]]:
    """Return the services that can run here, and a sentence for each connector whose vendor has no address on this machine.

    Raises:
        ValidationError: something else that a service needs is missing in the environment.
    """
    able, sentences = [], []
    for service in services:
        try:
            service.settings()
        except ValidationError as error:
            if any(each["type"] != "no_vendor_address" for each in error.errors()):
                raise
            sentences.append(f"{service.name} does not run: {'; '.join(each['msg'] for each in error.errors())}.")
            continue
        able.append(service)
    return able, sentences


class ServerSettings(BaseSettings):
    """The two servers and nothing else: whoever migrates is given no secret of the services."""

    model_config = SettingsConfigDict(env_prefix="KOPPEL_", frozen=True, extra="ignore")

    database_url: str
    amqp_url: str


async def wait_for_schemas(services: Sequence[Service], settings: ServerSettings, wait_s: float) -> None:
    """Return once the schemas are as this code needs them, for at most ``wait_s``; changes nothing.

    Raises:
        SchemasBehindError: one is not.
    """
    end = asyncio.get_running_loop().time() + wait_s
    behind = {service.name: service for service in services if service.lineages}
    while True:
        reason = ""
        for service in list(behind.values()):
            try:
                if await is_upgraded(settings.database_url, service.name, service.lineages):
                    del behind[service.name]
            except Exception as error:
                if not is_unavailable(error):
                    raise
                reason = f" ({type(error).__name__}: {error})"
        if not behind:
            return
        if asyncio.get_running_loop().time() >= end:
            raise SchemasBehindError(
                f"Not migrated within {wait_s:g} s: {', '.join(behind)}{reason}. Run koppel migrate."
            )
        await asyncio.sleep(1.0)


async def wait_for_roles(services: Sequence[Service], settings: ServerSettings, wait_s: float) -> None:
    """Return once the database has a role for each service with tables, for at most ``wait_s``.

    A schema that is made before its role belongs to whoever migrates, and the service is refused for good.

    Raises:
        RolesMissingError: one is not there, or whoever migrates is no member of it.
    """
    end = asyncio.get_running_loop().time() + wait_s
    names = [service.name for service in services if service.lineages]
    while True:
        try:
            missing = ", ".join(await missing_roles(settings.database_url, names))
        except Exception as error:
            if not is_unavailable(error):
                raise
            missing = f"{type(error).__name__}: {error}"
        if not missing:
            return
        if asyncio.get_running_loop().time() >= end:
            raise RolesMissingError(f"Roles of the database that were not there within {wait_s:g} s: {missing}.")
        await asyncio.sleep(1.0)


async def migrate(services: Sequence[Service], settings: MeshSettings | ServerSettings) -> None:
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
