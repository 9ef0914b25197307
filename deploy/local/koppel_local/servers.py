"""What runs underneath: PostgreSQL and RabbitMQ of our own, unless the environment names servers that exist."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import postgres
from .guardian import Guardian
from .rabbitmq import RabbitNode


class FolderInUseError(RuntimeError):
    """Another Koppel runs on this folder."""


@dataclass(frozen=True)
class Servers:
    """Where the two servers are. ``rabbit`` is None when the broker is somebody else's."""

    database_url: str
    amqp_url: str
    rabbit: RabbitNode | None
    crash_database: Callable[[], None] | None = None
    """Ends our own database as a power cut would, and starts it again; None when it is somebody else's."""


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Start what the environment does not name, with data under ``folder``, for as long as the block lasts.

    Raises:
        FolderInUseError: another process of ours uses this folder.
        RabbitNotInstalledError: there is no RabbitMQ here and none is named.
    """
    database_url = os.environ.get("KOPPEL_DATABASE_URL")
    amqp_url = os.environ.get("KOPPEL_AMQP_URL")
    folder.mkdir(parents=True, exist_ok=True)
    with _alone_in(folder):
        guardian = Guardian(folder / "guarded")
        try:
            rabbit = None if amqp_url else RabbitNode(folder / "rabbitmq", guardian)
            yield Servers(
                database_url or postgres.start(folder / "postgres", guardian),
                amqp_url or (rabbit.url() if rabbit else ""),
                rabbit,
                None if database_url else partial(postgres.crash_and_start, folder / "postgres", guardian),
            )
        finally:
            guardian.stop()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FolderInUseError(f"another Koppel is running on {folder}") from error
        yield
