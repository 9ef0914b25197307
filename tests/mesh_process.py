"""The whole mesh as one process that a test may kill, beside servers and vendors that outlive it."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import httpx2

from koppel_local.servers import Servers
from koppel_mesh.service import installed_services
from koppel_sandbox.ports import free_port

from .processes import KoppelCommand, answers_200

PATIENCE_S = 200.0
"""Six times what two cores need for two starts; it ends a test that hangs."""
DEADLINE_S = 2.5
SERVICES_SECRET = "secret-of-the-services"
QUICK = {
    "KOPPEL_EXPORT_DELAY_S": "0",
    "KOPPEL_SETTLE_S": "0.3",
    "KOPPEL_PAUSE_FIRST_S": "0.2",
    "KOPPEL_STATEMENT_PATIENCE_S": "0",
    "KOPPEL_HEARTBEAT_S": "0.5",
    "KOPPEL_DEAD_AFTER_S": "3",
    "KOPPEL_DEADLINE_S": str(DEADLINE_S),
    "KOPPEL_LEASE_S": "6",
    "KOPPEL_RETRY_SCHEDULE_S": "0.2,0.5,1,1,1,1,1,1,1,1",
}


class MeshProcess:
    """The mesh, as callers see it who ask again when it was away. Use as a context manager."""

    def __init__(self, folder: Path, underneath: Servers, settings: Mapping[str, str]) -> None:
        self.servers = underneath
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = os.environ | {
            "KOPPEL_DATABASE_URL": underneath.database_url,
            "KOPPEL_AMQP_URL": underneath.amqp_url,
            "KOPPEL_PORT": str(port),
            "KOPPEL_PUBLIC_URL": self.url,
            "KOPPEL_SERVICE_CLIENT_SECRET": SERVICES_SECRET,
            **QUICK,
            **settings,
        }
        arguments = ["up", "--no-demo", "--folder", str(folder)]
        self._process = KoppelCommand("the mesh", arguments, environment, folder / "mesh.log")

    def start(self) -> None:
        self._process.start()
        for service in installed_services():
            self._process.until(partial(answers_200, f"{self.url}/{service}/health/ready"))

    def kill(self) -> None:
        self._process.end(signal.SIGKILL)

    def __enter__(self) -> "MeshProcess":
        return self

    def __exit__(self, *about: object) -> None:
        """Stop it; whatever happened, it does not outlive the test."""
        self._process.end(signal.SIGTERM)

    @cached_property
    def demo(self) -> httpx2.Client:
        """A client with the token of the demo firm, which outlives a start; asked for first when the mesh runs."""
        return self.client("demo", "demo-secret")

    def client(self, client_id: str, secret: str) -> httpx2.Client:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        answer = httpx2.post(f"{self.url}/identity/oauth/token", data=form, trust_env=False, timeout=30)
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return httpx2.Client(base_url=self.url, headers=headers, trust_env=False, timeout=20)

    def hand_in(self, dossier_id: str, key: str, content: bytes, media_type: str) -> str:
        """Hand a document in as a good client does: the same request, under the same key, until it is answered."""
        headers = {"Content-Type": media_type, "Idempotency-Key": key}
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                path = f"/dossier-api/v1/dossiers/{dossier_id}/documents"
                answer = self.demo.post(path, content=content, headers=headers)
            except httpx2.HTTPError:
                time.sleep(0.2)
                continue
            if answer.status_code in {200, 201}:
                return str(answer.json()["id"])
            assert answer.status_code == 503, f"{answer.status_code} {answer.text}"
            time.sleep(0.2)
        raise AssertionError(f"{key} was never taken in")

    def until(self, condition: Callable[[], bool], what: str, shown: Callable[[], Any] = lambda: "") -> None:
        """Wait until a condition holds; a mesh that does not answer yet is asked again."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except (httpx2.HTTPError, KeyError, ValueError):
                pass
            time.sleep(0.1)
        raise AssertionError(f"{what}: not within {PATIENCE_S:.0f} s {shown()}")
