"""P1 and P2 with the plug pulled: the mesh as a process of its own, killed; its broker stopped; its database crashed.

Whatever was answered 2xx ends booked, once. Each test fails when its guard goes: without the attempt row before the bytes a
lost answer is sent again blindly; without acknowledgement after the commit a killed process loses what it held.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from koppel_local.servers import Servers, servers
from koppel_mesh.broker import dead_queue_of, depth
from koppel_sandbox import LostAnswer, Sandbox, SandboxDriver
from koppel_sandbox.ports import free_port
from koppel_sandbox.testing import SandboxThread

from .firm_client import FirmClient, invoice

pytestmark = pytest.mark.timeout(300)  # three starts of the whole mesh; minutes where others work beside it
PATIENCE_S = 90.0
DEADLINE_S = 2.5


class MeshProcess:
    """The mesh as one process, beside servers and a sandbox that outlive it."""

    def __init__(
        self, folder: Path, underneath: Servers, environment: Mapping[str, str], vendor: SandboxDriver
    ) -> None:
        self.servers = underneath
        self.vendor = vendor
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._environment = os.environ | {
            "KOPPEL_DATABASE_URL": underneath.database_url,
            "KOPPEL_AMQP_URL": underneath.amqp_url,
            "KOPPEL_PORT": str(port),
            "KOPPEL_PUBLIC_URL": self.url,
            "KOPPEL_EXPORT_DELAY_S": "0",
            "KOPPEL_SETTLE_S": "0.3",
            "KOPPEL_PAUSE_FIRST_S": "0.2",
            "KOPPEL_HEARTBEAT_S": "0.5",
            "KOPPEL_DEAD_AFTER_S": "3",
            "KOPPEL_DEADLINE_S": str(DEADLINE_S),
            "KOPPEL_LEASE_S": "6",
            "KOPPEL_RETRY_SCHEDULE_S": "0.2,0.5,1,1,1,1,1,1,1,1",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.dossier_id = ""

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("koppel")), "up", "--no-demo", "--folder", str(self._folder)]
        with (self._folder / "mesh.log").open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        for service in ("identity", "dossier-api", "export-scheduler", self.vendor.connector):
            self.until(lambda name=service: self._is_ready(name), f"{service} is ready")  # type: ignore[misc]

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(40)

    def client(self) -> httpx2.Client:
        form = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo-secret"}
        answer = httpx2.post(f"{self.url}/identity/oauth/token", data=form, trust_env=False)
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return httpx2.Client(base_url=self.url, headers=headers, trust_env=False, timeout=20)

    def set_up(self) -> None:
        """Make a dossier, connect it, import its master data."""
        with self.client() as client:
            firm = FirmClient(client, self.vendor)
            self.dossier_id = firm.add_dossier("Bakkerij")
            firm.connect(self.dossier_id, self.vendor.companies[0])

    def hand_in(self, number: str) -> str:
        """Hand one invoice in as a good client does: the same request, under the same key, until it is answered."""
        headers = {"Content-Type": "application/xml", "Idempotency-Key": number}
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                with self.client() as client:
                    path = f"/dossier-api/v1/dossiers/{self.dossier_id}/documents"
                    answer = client.post(path, content=invoice(number), headers=headers)
            except (httpx2.HTTPError, KeyError, ValueError):
                time.sleep(0.2)
                continue
            if answer.status_code in {200, 201}:
                return str(answer.json()["id"])
            assert answer.status_code == 503, f"{answer.status_code} {answer.text}"
            time.sleep(0.2)
        raise AssertionError(f"{number} was never taken in")

    def all_booked_once(self, documents: list[str], numbers: list[str]) -> None:
        with self.client() as client:

            def states() -> Counter[str]:
                shown = [client.get(f"/dossier-api/v1/documents/{one}").json() for one in documents]
                return Counter(one.get("state", "?") for one in shown)

            self.until(lambda: states() == {"booked": len(documents)}, "every document is booked", states)
        held = Counter(entry.document_number for entry in self.vendor.entries(self.vendor.companies[0]))
        assert {number: held[number] for number in numbers} == dict.fromkeys(numbers, 1)

    def until(self, condition: Callable[[], bool], what: str, shown: Callable[[], Any] = lambda: "") -> None:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except (httpx2.HTTPError, KeyError, ValueError):
                pass
            time.sleep(0.1)
        raise AssertionError(f"{what}: not within {PATIENCE_S:.0f} s {shown()}")

    def _is_ready(self, service: str) -> bool:
        return httpx2.get(f"{self.url}/{service}/health/ready", trust_env=False, timeout=2).status_code == 200


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Iterator[MeshProcess]:
    assert sandbox.driver is not None
    folder = tmp_path_factory.mktemp("mesh")
    with (
        servers(folder / "servers") as underneath,
        SandboxThread.of(sandbox) as running,
        closing(sandbox.driver(running.url)) as vendor,
    ):
        vendor.lift_limits()
        made = MeshProcess(folder, underneath, sandbox.environment(running.url), vendor)
        made.start()
        made.set_up()
        yield made
        made.stop()


def hand_in_meanwhile(mesh: MeshProcess, prefix: str, count: int, fault: Callable[[], None]) -> None:
    """Hand invoices in from four clients while ``fault`` happens; then see every one booked, once."""
    numbers = [f"{prefix}-{number:03d}" for number in range(count)]
    failing = threading.Thread(target=fault)
    failing.start()
    with ThreadPoolExecutor(4) as clients:
        documents = list(clients.map(mesh.hand_in, numbers))
    failing.join(PATIENCE_S)
    mesh.all_booked_once(documents, numbers)


def test_killed_again_and_again_it_books_everything_once(mesh: MeshProcess) -> None:
    def kill_twice() -> None:
        for wait_s in (0.7, 0.4):
            time.sleep(wait_s)
            mesh.kill()
            mesh.start()

    hand_in_meanwhile(mesh, "KILL", 16, kill_twice)


def test_the_broker_stops_in_full_flow(mesh: MeshProcess) -> None:
    def stop_the_broker() -> None:
        assert mesh.servers.rabbit is not None
        time.sleep(0.4)
        mesh.servers.rabbit.stop_app()
        time.sleep(1.0)
        mesh.servers.rabbit.start_app()

    hand_in_meanwhile(mesh, "BROKER", 24, stop_the_broker)


def test_the_database_crashes_in_full_flow(mesh: MeshProcess) -> None:
    def crash_the_database() -> None:
        assert mesh.servers.crash_database is not None
        time.sleep(0.6)
        mesh.servers.crash_database()

    hand_in_meanwhile(mesh, "DATABASE", 24, crash_the_database)


@pytest.mark.parametrize("how", LostAnswer)
def test_the_vendor_acts_and_its_answer_is_lost(mesh: MeshProcess, how: LostAnswer) -> None:
    mesh.vendor.lose_answers(how, times=3)
    hand_in_meanwhile(mesh, f"LOST-{how}", 3, lambda: None)


async def test_nothing_died_on_the_way(mesh: MeshProcess) -> None:
    for service in ("dossier-api", "export-scheduler", mesh.vendor.connector):
        assert await depth(mesh.servers.amqp_url, dead_queue_of(service)) == 0
