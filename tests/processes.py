"""Programs that tests run as processes of their own: started, waited for, sent signals, and ended with the test."""

import contextlib
import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2

from koppel_mesh.runtime import main
from koppel_mesh.service import installed_services

READY_WITHIN_S = 120.0
ENDED_WITHIN_S = 60.0
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])
_SERVICES = installed_services()


class Child(ABC):
    """A process that a test has started, with a log of its own."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log

    @abstractmethod
    def start(self) -> None:
        """Start it; it is ready later."""

    @property
    @abstractmethod
    def pid(self) -> int | None:
        """Its id; None before its start."""

    @property
    @abstractmethod
    def exit_code(self) -> int | None:
        """What it ended with, None while it lives; negative: the signal."""

    @abstractmethod
    def join(self, within_s: float) -> None:
        """Wait until it has ended, and no longer than that."""

    @property
    def lives(self) -> bool:
        return self.pid is not None and self.exit_code is None

    def send(self, what: signal.Signals) -> None:
        """Send it a signal, by its process id."""
        if self.lives and self.pid is not None:
            os.kill(self.pid, what)

    def end(self, what: signal.Signals, within_s: float = ENDED_WITHIN_S) -> None:
        """Send it a signal, and wait for its end; by force where that takes too long.

        Raises:
            AssertionError: it had to be forced.
        """
        if self.pid is None:
            return
        self.send(what)
        self.join(within_s)
        if self.lives:
            self.send(signal.SIGKILL)
            self.join(ENDED_WITHIN_S)
            raise AssertionError(f"{self.name} did not end within {within_s:.0f} s of {what.name}")

    def until(self, is_ready: Callable[[], bool]) -> None:
        """Wait until it is ready.

        Raises:
            AssertionError: it ends, or is not ready in time.
        """
        until(is_ready, READY_WITHIN_S, f"{self.name} is ready", self._fail_when_ended)

    def said(self) -> str:
        """Return the end of its log."""
        return self.log.read_text("utf-8", "replace")[-2000:] if self.log.exists() else ""

    def _fail_when_ended(self) -> None:
        assert self.lives, f"{self.name} ended with {self.exit_code}: {self.said()}"


class KoppelCommand(Child):
    """The command ``koppel``, as an operator runs it.

    Args:
        name: what it is called where it fails.
        arguments: of the command.
        environment: all of its environment.
        log: the file that its output is appended to.
    """

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        super().__init__(name, log)
        self._command = [str(Path(sys.executable).with_name("koppel")), *arguments]
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process else None

    def join(self, within_s: float) -> None:
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(within_s)


class Fork(Child):
    """A function in a process that is forked from one which has imported every service; importing takes seconds.

    Args:
        name: what it is called where it fails.
        log: the file that its output is appended to.
        run: the function, of a module that can be imported.
        arguments: of the function.
    """

    def __init__(self, name: str, log: Path, run: Callable[..., None], *arguments: Any) -> None:
        super().__init__(name, log)
        self._arguments = (str(log), run, arguments)
        self._process: Any = None

    def start(self) -> None:
        self._process = _FORKS.Process(target=_run, args=self._arguments, daemon=True)
        self._process.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        return self._process.exitcode if self._process else None

    def join(self, within_s: float) -> None:
        self._process.join(within_s)


class ServiceProcess(Fork):
    """One service in a process of its own: what ``koppel serve NAME`` and each ``__main__`` run.

    Args:
        name: of the service.
        environment: its ``KOPPEL_*`` variables, the port among them.
        log: the file that its log is appended to.
        hook: ``module:function`` that is called before it starts, in that process; for tests that change something in it.
    """

    def __init__(self, name: str, environment: Mapping[str, str], log: Path, hook: str = "") -> None:
        super().__init__(name, log, _serve, name, dict(environment), hook)
        self._url = f"http://127.0.0.1:{environment['KOPPEL_PORT']}/{name}"

    def is_ready(self) -> bool:
        return answers_200(f"{self._url}/health/ready")

    def until_ready(self) -> None:
        """Wait until it is ready."""
        self.until(self.is_ready)


def answers_200(url: str) -> bool:
    """Return whether a GET is answered with 200 within two seconds."""
    try:
        return httpx2.get(url, trust_env=False, timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False


def until(
    condition: Callable[[], bool], within_s: float, what: str, each_time: Callable[[], None] = lambda: None
) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + within_s
    while not condition():
        each_time()
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {within_s:.0f} s")
        time.sleep(0.1)


def _run(log: str, run: Callable[..., None], arguments: Sequence[Any]) -> None:
    kept = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(kept, 1)
    os.dup2(kept, 2)
    threading.Thread(target=_end_with_the_tests, daemon=True).start()
    run(*arguments)


def _end_with_the_tests() -> None:
    """End this process where the tests were killed before they could end it."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _serve(name: str, environment: Mapping[str, str], hook: str) -> None:
    os.environ.update(environment)
    if hook:
        module, _, function = hook.partition(":")
        getattr(importlib.import_module(module), function)()
    main(_SERVICES[name])
