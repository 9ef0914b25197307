"""A service as a process that a test kills."""

import multiprocessing
import os
import pkgutil
import signal
from collections.abc import Mapping

from koppel_mesh.runtime import main

PATIENCE_S = 60.0
_FORKS = multiprocessing.get_context("forkserver")


class ServiceProcess:
    """A service, forked from a process that has imported it.

    Args:
        service: where it is, as its entry point says it: ``pos_ingest.service:SERVICE``.
        environment: its settings. Give it the address of a broker that is away, and its messages stay to be counted.
    """

    def __init__(self, service: str, environment: Mapping[str, str]) -> None:
        self._process = _FORKS.Process(target=_run, args=(service, dict(environment)), daemon=True)
        self._process.start()

    @staticmethod
    def prepare(service: str) -> None:
        """Have the process import the service from which others are forked: it takes seconds, and nobody should wait then."""
        _FORKS.set_forkserver_preload([__name__, service.partition(":")[0]])
        ready = _FORKS.Process(target=_nothing)
        ready.start()
        ready.join()

    @property
    def lives(self) -> bool:
        """Whether it runs."""
        return self._process.is_alive()

    def kill(self) -> None:
        """End it at once, by its process id; twice is once."""
        assert self._process.pid is not None
        if self.lives:
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.join(PATIENCE_S)
        assert self._process.exitcode == -signal.SIGKILL


def _nothing() -> None:
    """Do nothing."""


def _run(service: str, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    main(pkgutil.resolve_name(service))
