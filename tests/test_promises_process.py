"""P1 and P2 with the plug pulled: the mesh as a process of its own, killed; its broker stopped; its database crashed.

Whatever was answered 2xx ends booked, once. Each test fails when its guard goes: without the attempt row before the bytes a
lost answer is sent again blindly; without acknowledgement after the commit a killed process loses what it held.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from koppel_local.servers import Servers, servers
from koppel_mesh.broker import dead_queue_of, depth
from koppel_sandbox.exact.seed import BAKERY
from koppel_sandbox.exact.testing import SandboxServer

SAMPLE = Path(__file__).parent.parent / "libs/ubl/tests/samples/valid/own__be-01-invoice-ogm-pdf.xml"
PATIENCE_S = 60.0
SETTINGS = {
    "division": BAKERY,
    "journals": {"sale": "700", "sale_credit": "710", "purchase": "600", "purchase_credit": "610", "receipts": "720"},
    "default_ledger_account": {"sale": "700000", "purchase": "604000"},
}


class House:
    """The mesh as one process, beside servers and a sandbox that outlive it."""

    def __init__(self, folder: Path, underneath: Servers, sandbox: SandboxServer) -> None:
        self.servers = underneath
        self.sandbox = sandbox
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._environment = os.environ | {
            "KOPPEL_DATABASE_URL": underneath.database_url,
            "KOPPEL_AMQP_URL": underneath.amqp_url,
            "KOPPEL_PORT": str(port),
            "KOPPEL_PUBLIC_URL": self.url,
            "KOPPEL_EXPORT_DELAY_S": "0",
            "KOPPEL_SETTLE_S": "0.3",
            "KOPPEL_DEADLINE_S": "3",
            "KOPPEL_LEASE_S": "6",
            "KOPPEL_RETRY_SCHEDULE_S": "0.2,0.5,1,1,1,1,1,1,1,1",
            **sandbox.environment(),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.dossier_id = ""

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("koppel")), "up", "--no-demo", "--folder", str(self._folder)]
        with (self._folder / "mesh.log").open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        for service in ("identity", "dossier-api", "export-scheduler", "connector-exact"):
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

    def settle_in(self) -> None:
        """Make a dossier, connect it, import its masters."""
        with self.client() as client:
            rules = {"frequency": "after_10_minutes", "approval_required": False, "lock_after_export": False}
            body = {"name": "B", "enterprise_number": "0000000196", "language": "nl", "export": rules}
            self.dossier_id = client.post("/dossier-api/v1/dossiers", json=body).json()["id"]
            connection = client.post(
                "/connector-exact/v1/connections", json={"dossier_id": self.dossier_id, "settings": {}}
            ).json()
            httpx2.get(connection["authorize_url"], follow_redirects=True, trust_env=False)
            path = f"/connector-exact/v1/connections/{connection['id']}"
            assert client.patch(path, json={"settings": SETTINGS}).status_code == 200
            client.post(f"{path}/import")
            self.until(
                lambda: client.get(f"/dossier-api/v1/dossiers/{self.dossier_id}/ledger-accounts").json()["items"] != [],
                "the masters",
            )

    def hand_in(self, number: str) -> str:
        """Hand one invoice in as a good client does: the same request, under the same key, until it is answered."""
        content = SAMPLE.read_bytes().replace(b"2026-0001", number.encode())
        headers = {"Content-Type": "application/xml", "Idempotency-Key": number}
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                with self.client() as client:
                    path = f"/dossier-api/v1/dossiers/{self.dossier_id}/documents"
                    answer = client.post(path, content=content, headers=headers)
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
        held = Counter(entry["YourRef"] for entry in self.sandbox.entries(BAKERY))
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
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with servers(folder / "servers") as underneath, SandboxServer() as sandbox:
        sandbox.control("switches", minute_limit=100_000, day_limit=100_000)
        made = House(folder, underneath, sandbox)
        made.start()
        made.settle_in()
        yield made
        made.stop()


def hand_in_meanwhile(house: House, prefix: str, count: int, trouble: Callable[[], None]) -> None:
    """Hand invoices in from four clients while ``trouble`` happens; then see every one booked, once."""
    numbers = [f"{prefix}-{number:03d}" for number in range(count)]
    troubled = threading.Thread(target=trouble)
    troubled.start()
    with ThreadPoolExecutor(4) as clients:
        documents = list(clients.map(house.hand_in, numbers))
    troubled.join(PATIENCE_S)
    house.all_booked_once(documents, numbers)


def test_killed_again_and_again_it_books_everything_once(house: House) -> None:
    def kill_three_times() -> None:
        for wait_s in (0.7, 0.4, 1.1):
            time.sleep(wait_s)
            house.kill()
            house.start()

    hand_in_meanwhile(house, "KILL", 16, kill_three_times)


def test_the_broker_stops_in_full_flow(house: House) -> None:
    def stop_the_broker() -> None:
        assert house.servers.rabbit is not None
        time.sleep(0.4)
        house.servers.rabbit.stop_app()
        time.sleep(1.0)
        house.servers.rabbit.start_app()

    hand_in_meanwhile(house, "BROKER", 24, stop_the_broker)


def test_the_database_crashes_in_full_flow(house: House) -> None:
    def crash_the_database() -> None:
        assert house.servers.crash_database is not None
        time.sleep(0.6)
        house.servers.crash_database()

    hand_in_meanwhile(house, "DATABASE", 24, crash_the_database)


@pytest.mark.parametrize(
    "kind", ["reset_after_commit", "half_answer_after_commit", "html_after_commit", "hang_after_commit"]
)
def test_the_vendor_acts_and_its_answer_is_lost(house: House, kind: str) -> None:
    house.sandbox.control("faults", kind=kind, method="POST", path="SalesEntries|Documents", times=3, seconds=5)
    hand_in_meanwhile(house, f"LOST-{kind[:4]}", 3, lambda: None)


async def test_nothing_died_on_the_way(house: House) -> None:
    for service in ("dossier-api", "export-scheduler", "connector-exact"):
        assert await depth(house.servers.amqp_url, dead_queue_of(service)) == 0
