"""A service is one value: its name, settings, routes, message handlers, loops and lineages of tables.

The same value runs alone in a pod or beside all others in one process; what runs it is ``koppel_mesh.runtime``.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import entry_points
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection

from .auth import TokenVerifier
from .clock import utc_now
from .database import Database
from .health import Health
from .http.client import HttpClient
from .http.internal_client import InternalClient
from .http.rate_limits import RateLimiter
from .messages import EventData
from .migrations import Lineage
from .neighbours import Neighbours
from .settings import MeshSettings

Handler = Callable[["Context", AsyncConnection, Sequence[Any]], Awaitable[None]]
"""Takes a batch of one type in an open transaction; mesh has dropped repeats, and commits and acknowledges afterwards.

It must be single in effect by its rows' unique keys all the same. Raising sends the batch back one by one.
"""


FirmStop = Callable[["Context", UUID], Awaitable[None]]
"""Ends what would go on working for a firm that leaves, before its data is deleted; is called again and again."""


@dataclass(frozen=True)
class Loop:
    """Work that a service does by itself, again and again.

    ``run_once`` returns True when there may be more to do at once; otherwise it is called after ``interval_s``, or when
    somebody calls ``context.wake(name)``. It must return within two minutes: liveness watches.
    """

    name: str
    run_once: Callable[["Context"], Awaitable[bool | None]]
    interval_s: float


@dataclass(frozen=True, eq=False)
class Service:
    """Everything that makes a service, as data."""

    name: str
    settings: type[MeshSettings]
    routers: Sequence[APIRouter] = ()
    handlers: Mapping[type[EventData], Handler] = field(default_factory=dict)
    loops: Sequence[Loop] = ()
    lineages: Sequence[Lineage] = ()
    """The lineages of the tables in its schema, ``MESH`` first; none for a service without tables."""
    firm_stops: Sequence[FirmStop] = ()
    resources: Callable[["Context"], AbstractAsyncContextManager[Any]] | None = None
    """Opened at start and closed at the end; its value is ``context.resources``."""
    title: str = ""
    kind: Literal["service", "connector"] = "service"
    """A connector has the routes, tables and loops of the kit; commands and tests find connectors by it."""
    calls: Sequence[str] = ()
    """The services it calls over HTTP; those it turns out to call besides are noted as it does."""
    calls_connectors: bool = False
    """Whether it also calls every connector, as its data names them; which are installed is not its to know."""
    problems: Collection[str] = ()
    """Codes of the problems and questions of its own that people see."""
    shared_problems: Collection[str] = ()
    """Codes of those that it shares with other services of its kind."""


@dataclass
class Context:
    """What a running service hands to its routes, handlers and loops."""

    service: Service
    settings: Any
    database: Database
    http: HttpClient
    mesh: InternalClient
    verifier: TokenVerifier
    health: Health
    neighbours: Neighbours
    resources: Any = None
    rate_limiter: RateLimiter = field(default_factory=RateLimiter)
    _wakes: dict[str, asyncio.Event] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the service's name."""
        return self.service.name

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return utc_now()

    def wake(self, loop: str) -> None:
        """Let the loop of that name run now rather than after its interval."""
        self.wake_event(loop).set()

    def wake_event(self, loop: str) -> asyncio.Event:
        """Return the event by which that loop is woken."""
        return self._wakes.setdefault(loop, asyncio.Event())


def installed_services(names: Collection[str] = ()) -> dict[str, Service]:
    """Return every service installed beside us, or those of ``names``, by the entry point group ``koppel.services``.

    What is not asked for is not loaded: that costs a pod seconds and memory.
    """
    found = {}
    for entry in sorted(entry_points(group="koppel.services"), key=lambda entry: entry.name):
        if names and entry.name not in names:
            continue
        with _no_garbage_collection():
            service = entry.load()
        if not isinstance(service, Service):
            raise TypeError(f"entry point {entry.name} of koppel.services is not a Service")
        found[service.name] = service
    return found


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    # What an import makes stays: looking through it for garbage takes a fifth of the time that loading every service takes.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
