"""``koppel up`` with all installed: seconds to the first booked document, and what the idle mesh keeps in memory."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from koppel_sandbox.ports import free_port

from .place import FOLDER, processes_of

WITHIN_S = 120.0
IDLE_S = 5.0
_SEEN = re.compile(r"the first booked (?P<seconds>[\d.]+) s after the start")
_MB = 1024 * 1024


def measure() -> tuple[float, float, float]:
    """Return the seconds, and the megabytes of the mesh and of its two servers; on empty data, so that there is a first one.

    The first of two runs only warms what the machine keeps of programs and libraries.
    """
    _up_once()
    return _up_once()


def _up_once() -> tuple[float, float, float]:
    run = (FOLDER / "up").absolute()
    subprocess.run(["rm", "-rf", str(run)], check=True)
    run.mkdir(parents=True)
    log = run / "up.log"
    port = str(free_port())
    environment = {**os.environ, "KOPPEL_PORT": port, "KOPPEL_PUBLIC_URL": f"http://127.0.0.1:{port}", "COLUMNS": "200"}
    with log.open("wb") as written:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("koppel")), "up", "--folder", str(run)],
            env=environment,
            stdout=written,
            stderr=written,
        )
    try:
        end = time.monotonic() + WITHIN_S
        while (found := _SEEN.search(log.read_text())) is None:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"koppel up did not finish its demo:\n{log.read_text()[-2000:]}")
            time.sleep(0.2)
        time.sleep(IDLE_S)
        mesh = psutil.Process(process.pid)
        mesh_mb = mesh.memory_info().rss / _MB
        beside = sum(_own(other) for other in processes_of(run) if other.pid != process.pid)
        return float(found["seconds"]), mesh_mb, beside / _MB
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _own(process: psutil.Process) -> int:
    """Return what a process has to itself: PostgreSQL's processes share most of their pages."""
    try:
        return int(process.memory_full_info().uss)
    except psutil.Error:
        return 0
