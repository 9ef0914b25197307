"""Real servers for the tests: started when the first test asks, once per session, stopped with it."""

import asyncio
import itertools
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from koppel_local.servers import FolderInUseError, Servers, servers
from koppel_mesh.telemetry.logs import configure_logs

# Unconfigured, structlog draws tracebacks with every local variable, which takes seconds on a busy machine.
configure_logs("console", "error")

TEST_FOLDER = Path(__file__).parent / ".koppel" / "test"
VHOSTS_AT_ONCE = 24


@pytest.fixture(scope="session")
def test_servers() -> Iterator[Servers]:
    for number in itertools.count(1):
        try:
            with servers(TEST_FOLDER.with_name(f"test-{number}")) as running:
                yield running
                return
        except FolderInUseError:
            continue  # another run of the tests, side by side with this one


@pytest.fixture(scope="session")
def postgres_url(test_servers: Servers) -> str:
    return test_servers.database_url


@pytest.fixture(scope="session")
def _database_names() -> Iterator[str]:
    return (f"test_{os.getpid()}_{number}" for number in itertools.count())


@pytest.fixture
def make_database(postgres_url: str, _database_names: Iterator[str]) -> Iterator[Callable[[], str]]:
    """Give fresh, empty databases; they are dropped after the test."""
    made: list[str] = []

    def make() -> str:
        name = next(_database_names)
        _execute(postgres_url, f"CREATE DATABASE {name}")
        made.append(name)
        return make_url(postgres_url).set(database=name).render_as_string(hide_password=False)

    yield make
    for name in made:
        _execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


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


def _execute(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    # Fixtures of a running event loop call this too; a thread has none.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(run())).result()


@pytest.fixture
def free_port() -> int:
    """Give a port of the loopback that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
