"""Our servers start, heal and disappear: nothing of ours may stay behind on a person's machine."""

import asyncio
import contextlib
import os
import queue
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aio_pika
import asyncpg
import psutil
import pytest

from koppel_local.rabbitmq import RabbitNode
from koppel_local.reaper import Reaper, wait_until

WITHIN_S = 120.0
HOLDER = """
import sys
from pathlib import Path
from koppel_local.servers import servers
with servers(Path(sys.argv[1])) as running:
    print(running.database_url, running.amqp_url, flush=True)
    sys.stdin.read()
"""
Start = Callable[..., "Holder"]


class Holder:
    """A process that runs both servers on a folder, or those that ``given`` does not name, until its input closes."""

    def __init__(self, folder: Path, mark: str, **given: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("KOPPEL_")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment | {"KOPPEL_TEST_MARK": mark} | given,
        )

    def urls(self) -> tuple[str, str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        database_url, amqp_url = line.split()
        return database_url, amqp_url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # The mark finds our processes among everybody's; PostgreSQL's account must be able to reach the folder.
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    return tmp_path / f"koppel-{uuid.uuid4().hex}"


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    holders: list[Holder] = []

    def begin(**given: str) -> Holder:
        holders.append(Holder(folder, folder.name, **given))
        return holders[-1]

    yield begin
    for holder in holders:
        holder.process.kill()
        holder.process.communicate()
    for process in ours(folder):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def ours(folder: Path) -> list[psutil.Process]:
    """Return every living process that names the folder in its command or environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            told = [*process.cmdline(), *process.environ().values()]
            if process.status() != psutil.STATUS_ZOMBIE and any(folder.name in each for each in told):
                found.append(process)
    return found


def gone(folder: Path) -> bool:
    end = time.monotonic() + WITHIN_S
    while ours(folder):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


async def both_work(urls: tuple[str, str], statement: str) -> None:
    database = await asyncpg.connect(urls[0])
    await database.execute(statement)
    await database.close()
    broker = await aio_pika.connect(urls[1])
    await (await broker.channel()).declare_queue("kept", durable=True)
    await broker.close()


def test_kill_minus_nine_leaves_no_process_and_the_next_start_finds_the_data(start: Start, folder: Path) -> None:
    first = start()
    asyncio.run(both_work(first.urls(), "CREATE TABLE kept (id int)"))
    first.process.kill()
    # At once, while the reaper of the first is still stopping its servers.
    second = start()
    asyncio.run(both_work(second.urls(), "SELECT id FROM kept"))
    second.process.kill()
    second.process.wait()
    assert gone(folder), ours(folder)


def test_killed_with_its_guardian_too_the_next_start_replaces_the_orphans(start: Start, folder: Path) -> None:
    first = start()
    asyncio.run(both_work(first.urls(), "CREATE TABLE kept (id int)"))
    reaper = next(each for each in ours(folder) if "koppel_local.reaper" in each.cmdline())
    reaper.kill()
    first.process.kill()
    first.process.wait()
    orphans = ours(folder)
    assert orphans, "without orphans this test proves nothing"
    second = start()
    asyncio.run(both_work(second.urls(), "SELECT id FROM kept"))
    running = ours(folder)
    names = " ".join(process.name() for process in running)
    assert all(name in names for name in ("postgres", "epmd", "beam")), names
    assert not {process.pid for process in running} & {process.pid for process in orphans}
    second.process.communicate("", timeout=WITHIN_S)
    assert second.process.returncode == 0
    assert ours(folder) == [], "stopped in order it leaves nothing behind"


def test_a_second_run_on_the_folder_says_so(start: Start, folder: Path) -> None:
    start(KOPPEL_AMQP_URL="amqp://unused").urls()
    second = start(KOPPEL_AMQP_URL="amqp://unused")
    _, said = second.process.communicate(timeout=WITHIN_S)
    assert second.process.returncode != 0
    assert f"another Koppel is running on {folder}" in said


async def quorum_queues(url: str) -> None:
    broker = await aio_pika.connect(url)
    channel = await broker.channel()
    for number in range(3):
        await channel.declare_queue(f"q{number}", durable=True, arguments={"x-queue-type": "quorum"})
    await broker.close()


class SlowNode(RabbitNode):
    """A node that greets, and whose feature flags stay disabled until somebody enables them."""

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"RABBITMQ_FEATURE_FLAGS": ""}

    def _start(self, reaper: Reaper) -> None:
        self.greeting.put(self)
        super()._start(reaper)

    greeting: queue.Queue["SlowNode"] = queue.Queue()

    def greets(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return len(connection.recv(8)) > 0
        except OSError:
            return False

    def enable_flags(self) -> None:
        self._control("enable_feature_flag", "all")


def test_a_node_that_greets_is_not_ready_before_it_takes_quorum_queues(folder: Path) -> None:
    folder.mkdir()
    reaper = Reaper(folder / "guarded")
    with ThreadPoolExecutor(1) as one:
        try:
            starting = one.submit(SlowNode, folder / "rabbitmq", reaper)
            node = SlowNode.greeting.get(timeout=WITHIN_S)
            wait_until(node.greets, WITHIN_S, "the greeting")
            time.sleep(1)
            assert not starting.done()
            node.enable_flags()
            asyncio.run(quorum_queues(starting.result(WITHIN_S).url()))
        finally:
            reaper.stop()


def test_three_side_by_side_take_quorum_queues_as_soon_as_they_are_ready(folder: Path) -> None:
    holders = [Holder(folder / str(number), folder.name) for number in range(3)]
    try:
        given = [holder.urls() for holder in holders]
        for urls in given:
            asyncio.run(quorum_queues(urls[1]))
            asyncio.run(both_work(urls, "CREATE TABLE kept (id int)"))
        databases, brokers = zip(*given, strict=True)
        assert len(set(databases)) == len(set(brokers)) == 3
    finally:
        for holder in holders:
            assert holder.process.stdin is not None
            holder.process.stdin.close()
        ended = [holder.process.wait(WITHIN_S) for holder in holders]
    assert ended == [0, 0, 0]


def test_servers_start_again_in_the_same_process_on_an_emptied_folder(folder: Path) -> None:
    """A benchmark does so: each part begins with empty data."""
    again = """
import shutil, sys
from pathlib import Path
from koppel_local.servers import servers
folder = Path(sys.argv[1])
for _ in range(2):
    shutil.rmtree(folder, ignore_errors=True)
    with servers(folder) as running:
        print(running.database_url, flush=True)
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KOPPEL_")}
    command = [sys.executable, "-c", again, str(folder)]
    done = subprocess.run(
        command,
        env=environment | {"KOPPEL_AMQP_URL": "amqp://unused"},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 2
