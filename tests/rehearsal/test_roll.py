"""Every service is rolled under load, two pods of each, and nothing is lost, refused or booked twice.

The test fails when a pod is ended before another is ready, when it gets requests after its SIGTERM, when it does not stop within
its grace, or when what it held at that moment goes on nowhere.
"""

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from koppel_mesh.broker import dead_queue_of, depth
from koppel_mesh.service import installed_services
from tests.every_target import Dossier, HandedIn, Vendors, invoice_of
from tests.firm_client import FirmClient

from .cluster import Cluster, rehearsed

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(600)]
EVERY_S = 1.0
SETTLED_WITHIN_S = 180.0


class Office:
    """A firm that hands documents in all the time, each once: a request that fails is a failure of the roll."""

    def __init__(self, cluster: Cluster, vendors: Vendors) -> None:
        self.client = cluster.firm()
        self.dossier = Dossier(vendors.targets(), FirmClient(self.client, vendors.drivers[0]).add_dossier("Bakkerij"))
        self.dossier.connect(self.client)
        self.documents: dict[str, HandedIn] = {}
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "Office":
        self._thread.start()
        return self

    def __exit__(self, *about: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def waiting(self) -> list[str]:
        return [
            id_ for id_, document in self.documents.items() if not self.dossier.has_ended(self.client, id_, document)
        ]

    def _work(self) -> None:
        for number in itertools.count():
            if self._stop.wait(EVERY_S):
                return
            document = invoice_of(f"ROLL-{number:04d}")
            path = f"/dossier-api/v1/dossiers/{self.dossier.id}/documents"
            headers = {"Content-Type": document.media_type, "Idempotency-Key": document.key}
            try:
                answer = self.client.post(path, content=document.content, headers=headers)
                read = self.client.get("/dossier-api/v1/problems")
            except httpx2.HTTPError as error:
                self.failures.append(f"{document.key}: {error!r}")
                continue
            if answer.status_code == 201:
                self.documents[answer.json()["id"]] = document
            else:
                self.failures.append(f"{document.key}: {answer.status_code} {answer.text}")
            if read.status_code != 200:
                self.failures.append(f"problems: {read.status_code} {read.text}")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Vendors, str]]:
    folder: Path = tmp_path_factory.mktemp("cluster")
    with rehearsed(folder) as made:
        yield made


async def test_every_service_is_rolled_under_load_and_nothing_is_lost(running: tuple[Cluster, Vendors, str]) -> None:
    cluster, vendors, amqp_url = running
    with Office(cluster, vendors) as office:
        before = {name: list(pods) for name, pods in cluster.pods.items()}
        for service in cluster.deployments:
            cluster.roll(service)
            assert len(cluster.pods[service]) == 2
            assert not set(cluster.pods[service]) & set(before[service]), "every pod is new"
        cluster.settle()
    assert office.failures == []
    assert cluster.faults == []
    assert len(office.documents) > len(cluster.deployments)
    end = time.monotonic() + SETTLED_WITHIN_S
    while waiting := office.waiting():
        assert time.monotonic() < end, office.client.get(f"/dossier-api/v1/documents/{waiting[0]}").json()
        await asyncio.sleep(0.3)
    office.dossier.each_holds_once(office.documents.values())
    for name, service in installed_services().items():
        if service.handlers:
            assert await depth(amqp_url, dead_queue_of(name)) == 0, name
    for pods in cluster.pods.values():
        for pod in pods:
            assert pod.peak_bytes < pod.memory_limit_bytes, f"{pod.service} asks for too little memory"
            print(f"{pod.service}: {pod.peak_bytes / 2**20:.0f} MiB of {pod.memory_limit_bytes / 2**20:.0f}")
