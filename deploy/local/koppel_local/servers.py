"""What runs underneath: PostgreSQL and RabbitMQ of our own, unless the environment names servers that exist."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import postgres
from .rabbitmq import RabbitNode
from .reaper import Reaper
from .user_errors import UserError


class FolderInUseError(UserError):
    """Another Koppel runs on this folder."""


@dataclass(frozen=True)
class Servers:
    """Where the two servers are. ``rabbit`` is None when the broker is somebody else's."""

    database_url: str
    amqp_url: str
    rabbit: RabbitNode | None
    crash_database: Callable[[], None] | None = None
    """Ends our own database as a power cut would, and starts it again; None when it is somebody else's."""
    restart_database: Callable[[], None] | None = None
    """Stops it in order, and starts it again."""
    kill_session: Callable[[], None] | None = None
    """Kills one of its sessions, which has it end all of them and recover."""


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Start what the environment does not name, with data under ``folder``, for as long as the block lasts.

    Raises:
        FolderInUseError: another process of ours uses this folder.
        RabbitNotInstalledError: there is no RabbitMQ here and none is named.
        ServerStartError: one of them does not start; the message names its log.
    """
    database_url = os.environ.get("KOPPEL_DATABASE_URL")
    amqp_url = os.environ.get("KOPPEL_AMQP_URL")
    folder.mkdir(parents=True, exist_ok=True)
    with _alone_in(folder):
        reaper = Reaper(folder / "guarded")
        try:
            rabbit = None if amqp_url else RabbitNode(folder / "rabbitmq", reaper)
            data = folder / "postgres"
            yield Servers(
                database_url or postgres.start(data, reaper),
                amqp_url or (rabbit.url() if rabbit else ""),
                rabbit,
                None if database_url else partial(postgres.crash_and_start, data, reaper),
                None if database_url else partial(postgres.restart, data, reaper),
                None if database_url else partial(postgres.kill_session, data),
            )
        finally:
            reaper.stop()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FolderInUseError(f"another Koppel is running on {folder}") from error
        yield
