"""Real servers for the tests: started when the first test asks, once per session, stopped with it."""

import asyncio
import datetime
import itertools
import os
import secrets
import shutil
import threading
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpcore2
import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy.engine import make_url
from tests.alert_walk import AlertWalk

from koppel_local.servers import FolderInUseError, Servers, servers
from koppel_mesh.migrations import upgrade
from koppel_mesh.service import Service
from koppel_mesh.telemetry.logs import configure_logs
from koppel_sandbox.ports import free_port

# Unconfigured, structlog draws tracebacks with every local variable, which takes seconds on a busy machine.
configure_logs("console", "error")

# Each client of httpx2 reads the certificates of the machine, 50 ms for each of thousands of tests: once is enough.
httpcore2.default_ssl_context = cache(httpcore2.default_ssl_context)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run tests on the loop that services run on."""
    return {"uvloop": uvloop.new_event_loop}


TEST_FOLDER = Path(__file__).parent / ".koppel" / "test"
VHOSTS_AT_ONCE = 24
T = TypeVar("T")


# A test that stops the machine does not exist, and a killed server keeps what it gave to the operating system.
_FASTER = ("fsync = off", "full_page_writes = off")

# Counts and sums of oids tell whether anything was made, dropped or given a column; TRUNCATE changes none of them.
_STRUCTURE = """
    SELECT (SELECT (count(*), sum(oid::bigint), sum(relnatts))::text FROM pg_class WHERE oid >= 16384),
        (SELECT (count(*), sum(oid::bigint))::text FROM pg_trigger WHERE oid >= 16384),
        (SELECT (count(*), sum(oid::bigint))::text FROM pg_proc WHERE oid >= 16384)
"""
_TABLES = """
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' AND c.relkind = 'r'
"""
_USED_SEQUENCES = "SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences WHERE last_value IS NOT NULL"
_REVISIONS = "alembic_version"
_DISCONNECT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2"


@dataclass
class Database:
    """A database with the tables of a service, our connection to it, and what it looked like when it was made."""

    url: str
    connection: asyncpg.Connection
    structure: list[Any]
    tables: list[str]

    async def is_emptied(self) -> bool:
        """Empty the tables that hold rows; tell whether it is as it was made."""
        if await _structure(self.connection) != self.structure:
            return False
        held = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in self.tables)
        if filled := [name for (name,) in await self.connection.fetch(held)]:
            await self.connection.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
        for (sequence,) in await self.connection.fetch(_USED_SEQUENCES):
            await self.connection.execute(f"ALTER SEQUENCE {sequence} RESTART")
        return True


class Databases:
    """The databases of one session of pytest: made once for each service, emptied after each test and used again.

    Making one with its tables takes seven times as long as emptying it, and most tests want one.
    """

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        # The server outlives a session that was killed, and the number of a process comes again.
        self._names = (f"test_{os.getpid()}_{secrets.token_hex(4)}_{number}" for number in itertools.count())
        self._made: dict[str, Database] = {}
        self._free: dict[str, list[str]] = defaultdict(list)
        # Fixtures of a running event loop ask too: our connection lives in a loop of its own.
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="databases", daemon=True).start()
        self._server: asyncpg.Connection = self._run(self._connected())

    def take(self, service: Service | None) -> str:
        """Return the URL of a database that nobody else uses."""
        if service is not None and (free := self._free[_key(service)]):
            return free.pop()
        return self._run(self._create(service))

    def give_back(self, url: str, service: Service | None) -> None:
        """Empty a database for another test; drop it when its structure is not what it was."""
        if service is not None and self._run(self._is_emptied(url)):
            self._free[_key(service)].append(url)
        else:
            self._run(self._drop(url))

    def close(self) -> None:
        """Drop what is kept and leave the server."""
        for url in itertools.chain(*self._free.values()):
            self._run(self._drop(url))
        self._run(self._server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _connected(self) -> asyncpg.Connection:
        server = await asyncpg.connect(self._server_url)
        for setting in _FASTER:
            await server.execute(f"ALTER SYSTEM SET {setting}")
        await server.execute("SELECT pg_reload_conf()")
        return server

    async def _create(self, service: Service | None) -> str:
        name = next(self._names)
        await self._server.execute(f"CREATE DATABASE {name}")
        url = make_url(self._server_url).set(database=name).render_as_string(hide_password=False)
        if service is not None:
            await upgrade(url, service.name, service.lineages)
            connection = await asyncpg.connect(url)
            tables = [name for (name,) in await connection.fetch(_TABLES) if _REVISIONS not in name]
            self._made[url] = Database(url, connection, await _structure(connection), tables)
        return url

    async def _is_emptied(self, url: str) -> bool:
        made = self._made[url]
        await self._server.execute(_DISCONNECT, make_url(url).database, made.connection.get_server_pid())
        return not made.connection.is_closed() and await made.is_emptied()

    async def _drop(self, url: str) -> None:
        if made := self._made.pop(url, None):
            await made.connection.close()
        await self._server.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


async def _structure(connection: asyncpg.Connection) -> list[Any]:
    """Return tables, triggers and functions by name, and the revisions that the database says it has."""
    revisions = [name for (name,) in await connection.fetch(_TABLES) if _REVISIONS in name]
    held = [await connection.fetch(f"SELECT version_num FROM {each} ORDER BY 1") for each in sorted(revisions)]
    return [await connection.fetchrow(_STRUCTURE), held]


def _key(service: Service) -> str:
    return " ".join((service.name, *(lineage.name for lineage in service.lineages)))


@pytest.fixture(scope="session")
def test_servers() -> Iterator[Servers]:
    for number in itertools.count(1):
        folder = TEST_FOLDER.with_name(f"test-{number}")
        try:
            with servers(folder) as running:
                yield running
        except FolderInUseError:
            continue  # another run of the tests, side by side with this one
        if running.rabbit is not None:
            _throw_away(folder / "rabbitmq")
        return


def _throw_away(broker: Path) -> None:
    # A node opens each virtual host that it ever had: after forty runs of one file it took a minute and a half to start.
    moved = broker.with_name(f"thrown-away-{secrets.token_hex(4)}")
    broker.rename(moved)  # at once: the next run may begin in this folder
    shutil.rmtree(moved)


@pytest.fixture(scope="session")
def postgres_url(test_servers: Servers) -> str:
    return test_servers.database_url


@pytest.fixture(scope="session")
def _databases(postgres_url: str) -> Iterator[Databases]:
    databases = Databases(postgres_url)
    yield databases
    databases.close()


@pytest.fixture
def make_database(_databases: Databases) -> Iterator[Callable[..., str]]:
    """Give databases of the test's own: empty, or with the empty tables of a service. They end with the test."""
    taken: list[tuple[str, Service | None]] = []

    def make(service: Service | None = None) -> str:
        url = _databases.take(service)
        taken.append((url, service))
        return url

    yield make
    for url, service in taken:
        _databases.give_back(url, service)


@pytest.fixture(scope="session")
def _vhosts(test_servers: Servers) -> Iterator[str]:
    def fresh() -> Iterator[str]:
        assert test_servers.rabbit is not None, "tests need a broker of their own: unset KOPPEL_AMQP_URL"
        for batch in itertools.count():
            names = [f"test_{os.getpid()}_{batch}_{number}" for number in range(VHOSTS_AT_ONCE)]
            test_servers.rabbit.add_vhosts(names)
            yield from names

    return fresh()


@pytest.fixture
def make_vhost(test_servers: Servers, _vhosts: Iterator[str]) -> Callable[[], str]:
    """Give URLs of fresh virtual hosts on the broker of the session."""

    def make() -> str:
        assert test_servers.rabbit is not None
        return test_servers.rabbit.url(next(_vhosts))

    return make


@pytest.fixture
def alert(request: pytest.FixtureRequest) -> Iterator[AlertWalk]:
    """Give the alert that the test is marked with; see that the test has brought it about and ended it."""
    mark = request.node.get_closest_marker("alert")
    walk = AlertWalk(*mark.args, **mark.kwargs)
    yield walk
    walk.check()


@pytest.fixture(name="free_port")
def _free_port() -> int:
    """Give a port of the loopback that nothing listens on."""
    return free_port()


@pytest.fixture
def make_certificate(tmp_path: Path) -> Callable[[str], Path]:
    """Give files in PEM with a key and a certificate for a name, which it signs itself."""

    def make(name: str) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = tmp_path / f"{name}.pem"
        pem = serialization.Encoding.PEM
        plain = serialization.NoEncryption()
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
        file.write_bytes(private + made.public_bytes(pem))
        return file

    return make
