"""Every service of an overlay, twice, in front of one database, one broker and the vendors' sandboxes."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncpg
import httpx2
from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url

from koppel_local.servers import servers
from koppel_mesh.database import schema_of
from koppel_mesh.ids import new_id
from tests.every_target import Vendors
from tests.manifests.rendering import Object, of_kind, overlay, workloads
from tests.router import Router

from .pods import Pod

REPLICAS = 2
SERVICES_SECRET = "secret-of-the-services-of-a-rehearsal"
ROLES_PASSWORD = "of-each-role"
_QUICK = {
    "KOPPEL_EXPORT_DELAY_S": "0",
    "KOPPEL_SETTLE_S": "0.3",
    "KOPPEL_STATEMENT_PATIENCE_S": "0",
    "KOPPEL_RETRY_SCHEDULE_S": "0.2,0.5,1,1,1,1,1,1,1,1",
    # A server of a laptop takes 100 connections.
    "KOPPEL_DATABASE_POOL_SIZE": "4",
}


class Cluster:
    """What runs where."""

    def __init__(self, objects: list[Object], folder: Path) -> None:
        self._objects, self._folder = objects, folder
        self.deployments = {each["metadata"]["name"]: each for each in of_kind(objects, "Deployment")}
        self.pods: dict[str, list[Pod]] = {name: [] for name in self.deployments}
        self.ended: list[Pod] = []
        self.given: dict[str, str] = {}
        self.url = ""
        self._retiring: list[threading.Thread] = []

    def start(self) -> None:
        for _ in range(REPLICAS):
            for name in self.deployments:
                self._start_one(name)
        for pod in self._all():
            pod.wait_until_ready()

    def roll(self, service: str) -> None:
        """Replace its pods as its strategy says: one more that is ready, then one fewer, until all are new."""
        for old in list(self.pods[service]):
            self._start_one(service).wait_until_ready()
            self.pods[service].remove(old)
            self.ended.append(old)
            ending = threading.Thread(target=old.retire)
            ending.start()
            self._retiring.append(ending)

    def ready_ports(self, service: str) -> list[int]:
        """Return where a request to a service may go now."""
        return [pod.port for pod in self.pods.get(service, []) if pod.is_ready]

    def settle(self) -> None:
        """Wait until every pod that is ending has ended."""
        for ending in self._retiring:
            ending.join()

    @property
    def faults(self) -> list[str]:
        return [fault for pod in [*self._all(), *self.ended] for fault in pod.faults]

    def client(self, client_id: str, secret: str) -> httpx2.Client:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        answer = httpx2.post(f"{self.url}/identity/oauth/token", data=form, trust_env=False, timeout=30)
        assert answer.status_code == 200, answer.text
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return httpx2.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)

    def firm(self) -> httpx2.Client:
        """Make a firm's client as docs/operating.md says, and return one with its token."""
        scopes = "dossiers:read dossiers:write documents:read documents:write exports:write connections:read connections:write"
        asked = {"client_id": "office", "name": "office", "scopes": scopes.split(), "firm_id": str(new_id())}
        with self.client("koppel-services", SERVICES_SECRET) as administrator:
            made = administrator.post("/identity/v1/clients", json=asked)
        assert made.status_code == 201, made.text
        return self.client("office", made.json()["client_secret"])

    def end(self) -> None:
        for pod in [*self._all(), *self.ended]:
            pod.kill()

    def _start_one(self, service: str) -> Pod:
        address = make_url(self.given["KOPPEL_DATABASE_URL"]).set(username=schema_of(service), password=ROLES_PASSWORD)
        own = {"KOPPEL_DATABASE_URL": address.render_as_string(hide_password=False)}
        pod = Pod(self.deployments[service], self._objects, self.given | own, self._folder)
        pod.start()
        self.pods[service].append(pod)
        return pod

    def _all(self) -> list[Pod]:
        return [pod for pods in self.pods.values() for pod in pods]


@contextmanager
def rehearsed(folder: Path) -> Iterator[tuple[Cluster, Vendors, str]]:
    """Run the production overlay on this machine; give it, the vendors and the broker's address."""
    with servers(folder / "servers") as underneath, ExitStack() as stack:
        vendors, of_vendors = Vendors.started(stack)
        cluster = Cluster(overlay("production"), folder)
        router = Router(cluster.ready_ports, ends_tls=True)
        stack.enter_context(router.running())
        cluster.url = router.url
        cluster.given = {
            "KOPPEL_DATABASE_URL": underneath.database_url,
            "KOPPEL_AMQP_URL": underneath.amqp_url,
            "KOPPEL_BLOB_URL": (folder / "blobs").as_uri(),
            "KOPPEL_PUBLIC_URL": cluster.url,
            "KOPPEL_INTERNAL_URL": cluster.url,
            "KOPPEL_SECRET_KEYS": Fernet.generate_key().decode(),
            "KOPPEL_SERVICE_CLIENT_SECRET": SERVICES_SECRET,
            "OTEL_SDK_DISABLED": "true",
            "TMPDIR": str(folder),
            **_QUICK,
            **of_vendors,
        }
        stack.callback(cluster.end)
        _migrate(cluster, folder)
        cluster.start()
        yield cluster, vendors, underneath.amqp_url


def _migrate(cluster: Cluster, folder: Path) -> None:
    (job,) = [each for each in workloads(overlay("production")) if each["kind"] == "Job"]
    command = [str(Path(sys.executable).with_name("koppel")), *job["spec"]["template"]["spec"]["containers"][0]["args"]]
    servers_only = {name: cluster.given[name] for name in ("KOPPEL_DATABASE_URL", "KOPPEL_AMQP_URL")}
    began_s = time.monotonic()
    migrating = subprocess.Popen(command, env={**_path(), **servers_only}, stderr=subprocess.PIPE, text=True)
    asyncio.run(_make_roles(cluster.given["KOPPEL_DATABASE_URL"]))
    _, said = migrating.communicate(timeout=120)
    assert migrating.returncode == 0, said
    (folder / "migrated").write_text(f"{time.monotonic() - began_s:.1f} s")


async def _make_roles(url: str) -> None:
    """Do what CloudNativePG does with the roles of its cluster, after the Job has begun."""
    await asyncio.sleep(2)
    (wanted,) = of_kind(overlay("production"), "Cluster")
    connection = await asyncpg.connect(url)
    for role in wanted["spec"]["managed"]["roles"]:
        await connection.execute(f"CREATE ROLE {role['name']} LOGIN PASSWORD '{ROLES_PASSWORD}'")
    await connection.close()


def _path() -> dict[str, str]:
    return {"PATH": os.environ["PATH"]}
