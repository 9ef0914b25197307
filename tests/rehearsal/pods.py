"""A pod as its manifest describes it, played by a process: environment, probes, ``preStop`` and grace are read, not assumed."""

import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import psutil

from koppel_sandbox.ports import free_port
from tests.manifests.rendering import Object, environment
from tests.manifests.rules import quantity
from tests.processes import KoppelCommand


class Pod:
    """One process of a service. It is ready when its probe says so, and gets no requests before or after that."""

    def __init__(self, deployment: Object, objects: list[Object], given: Mapping[str, str], folder: Path) -> None:
        spec = deployment["spec"]["template"]["spec"]
        (self._container,) = spec["containers"]
        self.service = deployment["metadata"]["name"]
        self._grace_s = spec["terminationGracePeriodSeconds"]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.is_ready = False
        self.faults: list[str] = []
        self.peak_bytes = 0
        self._stopping = threading.Event()
        from_manifest = environment(self._container, objects)
        # Where servers are, and what a Secret holds, is this machine's; everything else is the manifest's.
        here = {"KOPPEL_PORT": str(self.port), "KOPPEL_HOST": "127.0.0.1"}
        self._process = KoppelCommand(
            self.service,
            self._container["args"],
            _bare() | from_manifest | dict(given) | here,
            folder / f"{self.service}-{self.port}.log",
        )
        self._kubelet = threading.Thread(target=self._probe, daemon=True)

    def start(self) -> None:
        self._process.start()
        self._kubelet.start()

    def wait_until_ready(self) -> None:
        self._process.until(lambda: self.is_ready)

    def retire(self) -> None:
        """End it as a roll does: no requests any more, ``preStop``, SIGTERM, and SIGKILL after the grace."""
        began_s = time.monotonic()
        self.is_ready = False
        self._stopping.set()
        time.sleep(self._container["lifecycle"]["preStop"]["sleep"]["seconds"])
        try:
            self._process.end(signal.SIGTERM, began_s + self._grace_s - time.monotonic())
        except AssertionError as late:
            self.faults.append(f"{late}, a grace of {self._grace_s} s")
            return
        if self._process.exit_code != 0:
            self.faults.append(f"{self.service} ended with {self._process.exit_code}: {self._process.said()}")

    def kill(self) -> None:
        """Whatever happened, it does not outlive the rehearsal."""
        self._stopping.set()
        self._process.end(signal.SIGKILL)

    @property
    def memory_limit_bytes(self) -> int:
        return int(quantity(self._container["resources"]["limits"]["memory"]))

    def _probe(self) -> None:
        process = psutil.Process(self._process.pid)
        with httpx2.Client(base_url=self.url, trust_env=False) as client:
            if not self._until_started(client):
                return
            missed = {"readinessProbe": 0, "livenessProbe": 0}
            due = dict.fromkeys(missed, 0.0)
            while not self._stopping.wait(0.05):
                if not self._process.lives:
                    self.is_ready = False
                    self.faults.append(f"{self.service} ended by itself: {self._process.said()}")
                    return
                self.peak_bytes = max(self.peak_bytes, process.memory_info().rss)
                for name in missed:
                    probe = self._container[name]
                    if time.monotonic() < due[name]:
                        continue
                    missed[name] = 0 if self._answers(client, probe) else missed[name] + 1
                    # Until it is ready it is asked more often than its period says, so that nobody waits for a period here.
                    due[name] = time.monotonic() + (probe["periodSeconds"] if self.is_ready else 0.2)
                    self._judge(name, missed[name], probe["failureThreshold"])

    def _until_started(self, client: httpx2.Client) -> bool:
        probe = self._container["startupProbe"]
        end = time.monotonic() + probe["periodSeconds"] * probe["failureThreshold"]
        while not self._answers(client, probe):
            if self._stopping.wait(0.1):
                return False
            if time.monotonic() > end:
                self.faults.append(f"{self.service} has not started: {self._process.said()}")
                return False
        return True

    def _answers(self, client: httpx2.Client, probe: Any) -> bool:
        try:
            return client.get(probe["httpGet"]["path"], timeout=probe["timeoutSeconds"]).status_code == 200
        except httpx2.HTTPError:
            return False

    def _judge(self, name: str, missed: int, threshold: int) -> None:
        if self._stopping.is_set():
            return
        if name == "readinessProbe":
            self.is_ready = missed == 0 or (self.is_ready and missed < threshold)
        elif missed >= threshold:
            self.faults.append(f"{self.service} would have been restarted: {name} failed {missed} times")


def _bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("KOPPEL_", "OTEL_"))}
