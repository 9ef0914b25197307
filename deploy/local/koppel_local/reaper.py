"""Stops the servers we started, whatever happens to us.

The reaper is a small process that holds the reading end of a pipe. Each server is registered with it as it starts; when the
pipe closes — because we stopped, or because we were killed — the reaper stops them, in reverse order, and ends. There is one
way of stopping, and it is the one that also works after ``kill -9``.

What is registered is written down as well, so that the next run on the same folder can stop what outlived both of us.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

STOP_WITHIN_S = 15.0


class Reaper:
    """Our end of the pipe."""

    def __init__(self, record: Path) -> None:
        self._record = record
        _stop_survivors(record)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "koppel_local.reaper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def register(self, pid: int, stop_signal: signal.Signals) -> None:
        """Have process ``pid`` stopped when we are gone: by ``stop_signal``, and by force if that takes too long."""
        registered = {"pid": pid, "created": psutil.Process(pid).create_time(), "signal": int(stop_signal)}
        line = json.dumps(registered).encode() + b"\n"
        with self._record.open("ab") as record:
            record.write(line)
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def stop(self) -> None:
        """Stop every registered process; return when all of them have ended."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(STOP_WITHIN_S * 3)
        self._record.unlink(missing_ok=True)


def _stop_survivors(record: Path) -> None:
    # The pid and the moment it began name a process for good; a pid alone may be another's by now.
    lines = record.read_bytes().splitlines() if record.exists() else []
    for line in reversed(lines):
        with contextlib.suppress(ValueError, KeyError, TypeError):  # the last line of a killed run may be half a line
            registered = json.loads(line)
            stop(registered["pid"], registered["created"], signal.Signals(registered["signal"]))
    record.unlink(missing_ok=True)


def main() -> None:
    """Read what is registered until the pipe closes, then stop it."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    registered = [json.loads(line) for line in sys.stdin]
    for line in reversed(registered):
        stop(line["pid"], line["created"], signal.Signals(line["signal"]))


def stop(pid: int, created: float, stop_signal: signal.Signals) -> None:
    """Stop one process and all it started; do nothing when the pid has become another's."""
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - created) > 1:
            return
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, stop_signal)
    try:
        wait_until(lambda: all(map(_has_ended, family)), STOP_WITHIN_S, "the end of a server")
    except TimeoutError:
        for survivor in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                survivor.kill()


def _has_ended(process: psutil.Process) -> bool:
    # A child of the killed or waiting process that started it stays a zombie until that one ends; it holds nothing.
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], bool], within_s: float, what: str) -> None:
    """Poll ``condition`` until it is true.

    Raises:
        TimeoutError: it never was.
    """
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen within {within_s:.0f} s")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
