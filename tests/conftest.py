"""The whole mesh for the tests that cross a boundary: every installed service and the sandbox in one process, on real servers.

One mesh serves many tests, and each of them speaks plain HTTP to it, as a partner would. Its process is not that of the tests:
metrics belong to a process, and a mesh that goes on in the background would change what the tests of one service read there.
"""

import asyncio
import itertools
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from koppel_local.servers import Servers
from koppel_mesh.auth import SCOPES
from koppel_mesh.database import async_url
from koppel_mesh.ids import new_id
from koppel_mesh.service import Service, installed_services
from koppel_sandbox import Sandbox, SandboxDriver, installed_sandboxes
from koppel_sandbox.ports import free_port

from . import documented_problems
from .problem_walker import Walker, walking
from .whole_mesh import running_mesh

SECRET = "secret-of-the-services"
SANDBOXES = tuple(installed_sandboxes().values())
_numbers = itertools.count()


@dataclass
class Mesh:
    """A running mesh, as callers see it."""

    url: str
    database_url: str
    amqp_url: str
    services: dict[str, Service]
    blob_folder: Path
    _clients: dict[tuple[UUID | None, frozenset[str]], httpx2.Client] = field(default_factory=dict)

    def client(self, firm_id: UUID | None, *scopes: str) -> httpx2.Client:
        """Return a client whose token is bound to that firm (None: to none) and has these scopes (none given: all)."""
        key = (firm_id, frozenset(scopes or SCOPES))
        if key not in self._clients:
            token = self._token(*self._credentials(firm_id, sorted(key[1])))
            self._clients[key] = self.anonymous({"authorization": f"Bearer {token}"})
        return self._clients[key]

    def anonymous(self, headers: dict[str, str] | None = None) -> httpx2.Client:
        """Return a client with these headers and no token of its own."""
        hooks = {"response": [documented_problems.insist]}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False, event_hooks=hooks)

    @contextmanager
    def driver(self, sandbox: Sandbox) -> Iterator[SandboxDriver]:
        """Give the driver of a sandbox that runs in this mesh."""
        assert sandbox.driver is not None
        with closing(sandbox.driver(f"{self.url}/sandbox/{sandbox.name}")) as driver:
            yield driver

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _credentials(self, firm_id: UUID | None, scopes: list[str]) -> tuple[str, str]:
        with self.anonymous({"authorization": f"Bearer {self._token('koppel-services', SECRET)}"}) as administrator:
            asked = {
                "client_id": f"test-{new_id()}",
                "name": "test",
                "kind": "firm" if firm_id else "service",
                "scopes": scopes,
            }
            made = administrator.post(
                "/identity/v1/clients", json=asked | ({"firm_id": str(firm_id)} if firm_id else {})
            )
        assert made.status_code == 201, made.text
        return made.json()["client_id"], made.json()["client_secret"]

    def _token(self, client_id: str, secret: str) -> str:
        with self.anonymous() as client:
            form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
            answer = client.post("/identity/oauth/token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


RunMesh = Callable[..., AbstractContextManager[Mesh]]


@pytest.fixture(scope="session")
def run_mesh(test_servers: Servers, _vhosts: Iterator[str], tmp_path_factory: pytest.TempPathFactory) -> RunMesh:
    """Give a context manager that runs a mesh of one's own; further keyword arguments are settings of every service.

    ``prepare`` is called with the database's URL before anything is migrated; ``sandbox_folders`` keeps what
    a sandbox knows, by its name; ``environment`` has variables that are none of Koppel's.
    """

    @contextmanager
    def run(
        prepare: Callable[[str], None] | None = None,
        sandbox_folders: Mapping[str, Path] | None = None,
        environment: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> Iterator[Mesh]:
        number = next(_numbers)
        name = f"mesh_{os.getpid()}_{secrets.token_hex(4)}_{number}"
        vhost = next(_vhosts)
        assert test_servers.rabbit is not None
        database_url = make_url(test_servers.database_url).set(database=name).render_as_string(hide_password=False)
        folder = tmp_path_factory.mktemp("mesh")
        mesh = Mesh(
            f"http://127.0.0.1:{free_port()}",
            database_url,
            test_servers.rabbit.url(vhost),
            installed_services(),
            folder / "blobs",
        )
        asyncio.run(_administer(test_servers.database_url, f"CREATE DATABASE {name}"))
        try:
            if prepare is not None:
                prepare(database_url)
            vendors = {each.name: each.environment(f"{mesh.url}/sandbox/{each.name}") for each in SANDBOXES}
            folders = sandbox_folders or {}
            addresses = {
                each.name: (vendors[each.name][each.address_variable], folders.get(each.name)) for each in SANDBOXES
            }
            chosen = _settings(mesh, vendors.values()) | settings
            with running_mesh(chosen, addresses, environment or {}, folder / "mesh.log"):
                yield mesh
        finally:
            mesh.close()
            asyncio.run(_administer(test_servers.database_url, f"DROP DATABASE {name} WITH (FORCE)"))

    return run


@pytest.fixture(scope="module", params=[each for each in SANDBOXES if each.driver], ids=lambda each: each.name)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Give each vendor that the story and the promises run on; test_drivers.py sees to it that none is left out."""
    found: Sandbox = request.param
    return found


@pytest.fixture(scope="module")
def walker(run_mesh: RunMesh, request: pytest.FixtureRequest) -> Iterator[Walker]:
    """Give what does the walks over problems that this session of pytest runs of a module."""
    here = [item for item in request.session.items if item.path == request.path]
    with walking(run_mesh, [item.callspec.params for item in here if hasattr(item, "callspec")]) as made:
        yield made


@pytest.fixture(scope="package")
def mesh(run_mesh: RunMesh) -> Iterator[Mesh]:
    """Give one mesh for all tests that keep to firms, and at the vendors to companies, of their own.

    It ends with the tests of this folder: the others would wait for what it does when nothing happens.
    """
    with run_mesh(settle_s=0.2, retry_schedule_s=(0.2, 0.5, 1.0), export_patience_s=0.2) as running_mesh:
        yield running_mesh


def _settings(mesh: Mesh, environments: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    return {
        "env": "local",
        "database_url": mesh.database_url,
        "amqp_url": mesh.amqp_url,
        "blob_url": mesh.blob_folder.as_uri(),
        "port": int(mesh.url.rpartition(":")[2]),
        "public_url": mesh.url,
        "secret_keys": (Fernet.generate_key().decode(),),
        "service_client_secret": SECRET,
        "export_delay_s": 0,
        "webhook_loopback": True,
        **{name.removeprefix("KOPPEL_").lower(): value for each in environments for name, value in each.items()},
    }


async def _administer(url: str, statement: str) -> None:
    engine = create_async_engine(async_url(url), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
