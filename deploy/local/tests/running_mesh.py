"""A Koppel that a person started, for the tests of the command."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import psutil
from typer.testing import CliRunner

from koppel_local.cli import app
from koppel_sandbox.ports import free_port

KOPPEL = str(Path(sys.executable).with_name("koppel"))
WITHIN_S = 90.0


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("KOPPEL_")} | more


class Mesh:
    """A Koppel that a person started."""

    def __init__(self, folder: Path) -> None:
        self.port = str(free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.output = folder.with_suffix(".out")
        self.process = self.begin()

    def begin(self) -> subprocess.Popen[bytes]:
        command = [KOPPEL, "up", "--no-demo", "--folder", str(self.folder)]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, env=environment(KOPPEL_PORT=self.port)
            )
        until(lambda: "Koppel runs at" in self.said() or self.process.poll() is not None, "Koppel runs")
        assert self.process.poll() is None, self.said()
        return self.process

    def said(self) -> str:
        return self.output.read_text()

    def koppel(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a command in this process, which has long imported what a process of its own spends a second on."""
        given = dict.fromkeys(name for name in os.environ if name.startswith("KOPPEL_"))
        done = CliRunner().invoke(app, [*map(str, arguments)], env=given | {"KOPPEL_PUBLIC_URL": self.url})
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return subprocess.CompletedProcess([KOPPEL], done.exit_code, done.stdout, done.stderr)

    def typed(self, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a process of its own, as a person does."""
        done = subprocess.run(
            [KOPPEL, *map(str, arguments)],
            env=environment(KOPPEL_PUBLIC_URL=self.url, **more),
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def control(self, action: str, **body: Any) -> None:
        answer = httpx2.post(f"{self.url}/sandbox/exact/_control/{action}", json=body, trust_env=False, timeout=30)
        assert answer.status_code == 200, answer.text

    def left(self) -> list[psutil.Process]:
        """Return every living process that names the folder in its command."""
        found = []
        for process in psutil.process_iter():
            try:
                named = any(self.folder.name in part for part in process.cmdline())
                if named and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.1)
