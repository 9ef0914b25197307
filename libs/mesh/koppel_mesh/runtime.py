"""Runs services: one in a pod, or all of them in one process, each behind its own path.

Start: HTTP, resources, loops, consumers. Stop, on SIGTERM: not ready, consumers cancelled, loops finish what they hold,
resources closed, a last pass of the relay, HTTP closed (messaging order: nothing is taken in that cannot be sent out).
Where the port is shared with other processes, HTTP comes last and goes first.
"""

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog
import uvloop
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from .auth import TokenVerifier
from .broker import Publisher, Subscription, queue_of
from .cancellation import only_own_cancellation
from .database import Database, is_unavailable
from .health import LOOP_SILENT_S, Health
from .housekeeping import gauge_readiness, housekeeping_loops
from .http import docs_page, problems
from .http.client import HttpClient
from .http.internal_client import InternalClient
from .http.middleware import Started
from .http.server import build_app
from .http.server_socket import CannotListenError, bound_socket, served, served_when_ready
from .inbox import BATCH, Inbox
from .keyring import WrongKeyError
from .neighbours import Neighbours
from .outbox import Relay, drain
from .service import Context, Loop, Service
from .settings import MeshSettings, what_is_missing
from .telemetry.alerts import Alert
from .telemetry.logs import configure_logs
from .telemetry.metrics import counter
from .telemetry.tracing import configure_tracing

RELAY = "outbox relay"
RELAY_INTERVAL_S = 1.0
PAUSE_AFTER_ERROR_S = 2.0
PACE_S = 0.05
"""Turns of a loop begin at least this far apart, however often it is woken; a turn that says "more" is followed at once."""
PAUSE_DATABASE_AWAY_S = 1.0

log = structlog.get_logger(__name__)
_FAILURES = counter(
    "koppel_loop_failures",
    "Turns of background loops that ended by a fault of ours",
    ["loop"],
    alerts=[
        Alert(
            name="KoppelLoopFails",
            summary="The background work of the service failed {value} times within a quarter of an hour",
            above=5,
            within="15m",
            lasts="0m",
            severity="page",
        )
    ],
)


class CannotStartError(Exception):
    """A service cannot work with what it was given; the message says why, for whoever starts it."""


def main(service: Service) -> None:
    """Run one service until SIGTERM or SIGINT; the body of every ``__main__``.

    Raises:
        SystemExit: with a sentence and exit code 1, where the start cannot work.
    """
    try:
        settings = service.settings()
        configure_telemetry(service.name, settings)
        uvloop.run(_until_signal([service], {service.name: settings}))
    except ValidationError as error:
        if error.title != service.settings.__name__:
            raise
        raise SystemExit(what_is_missing(error)) from error
    except (CannotStartError, CannotListenError) as error:
        raise SystemExit(str(error)) from error


def configure_telemetry(name: str, settings: MeshSettings) -> None:
    """Have this process log and trace as its settings and the environment say; what it is called stands in its spans."""
    configure_logs(settings.log_format, settings.log_level)
    configure_tracing(name)


async def _until_signal(services: Sequence[Service], settings: Mapping[str, MeshSettings]) -> None:
    async with running_until_signal(services, settings) as stop:
        await stop.wait()


@asynccontextmanager
async def running_until_signal(
    services: Sequence[Service], settings: Mapping[str, MeshSettings], *, mounts: Mapping[str, ASGIApp] | None = None
) -> AsyncIterator[asyncio.Event]:
    """Run ``services`` as ``running`` does; yield the event that SIGTERM or SIGINT sets.

    Raises:
        SystemExit: the signal came while they were still starting.
    """
    stop = asyncio.Event()
    starting = asyncio.current_task()

    def request_stop() -> None:
        stop.set()
        if starting is not None:
            starting.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, request_stop)
    try:
        async with running(services, settings, mounts=mounts):
            starting = None
            yield stop
    except asyncio.CancelledError:
        if starting is None or not stop.is_set():
            raise
        raise SystemExit(0) from None


@asynccontextmanager
async def running(
    services: Sequence[Service],
    settings: Mapping[str, MeshSettings],
    *,
    mounts: Mapping[str, ASGIApp] | None = None,
) -> AsyncIterator[dict[str, Context]]:
    """Run ``services`` in this event loop for as long as the block lasts; yield their contexts by name.

    Args:
        services: what to run; databases must be migrated and the broker's topology declared.
        settings: the settings of each, by name; the first one's host and port are served.
        mounts: further ASGI apps by path, such as a laptop's sandbox neighbours.

    Raises:
        CannotStartError: a service cannot work with what it was given.
        CannotListenError: the address is taken, or not ours; on a shared port it may turn out during the block, which is
            then cancelled.
    """
    async with AsyncExitStack() as stack:
        parts = [await stack.enter_async_context(_assembled(service, settings[service.name])) for service in services]
        routes = [Mount(f"/{part.context.name}", app=part.app()) for part in parts]
        routes += [Mount(path, app=app) for path, app in (mounts or {}).items()]
        front = Starlette(routes=[*docs_page.ROUTES, *routes])
        # As in each service: an address that is none is a problem, not a way elsewhere.
        front.router.redirect_slashes = False
        problems.install(front)  # a path that leads to no service, such as one with a line feed in it, is a problem too
        own = settings[services[0].name]
        bound = stack.enter_context(contextlib.closing(bound_socket(own)))
        if not own.reuse_port:
            # Alone it listens first: its probes are asked, and a loop may call a neighbour's HTTP side in its first turn.
            await stack.enter_async_context(served(front, bound))
        for part in parts:
            await stack.enter_async_context(part.working())
        if own.reuse_port:
            await stack.enter_async_context(served_when_ready(front, bound, [part.context.health for part in parts]))
        # What was built to start lives as long as the process: looking through it again and again for garbage costs more
        # than what there is to find.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 100)
        yield {part.context.name: part.context for part in parts}


class _Part:
    """One service while it runs."""

    def __init__(self, context: Context, relay: Relay, subscription: Subscription | None) -> None:
        self.context = context
        self._relay = relay
        self._subscription = subscription
        self._stopping = asyncio.Event()

    def app(self) -> ASGIApp:
        """Return the service's HTTP side; where nobody shares its port it listens before what it works with is open."""
        return Started(build_app(self.context.service, self.context), lambda: self.context.health.started)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Open the service's resources, then run its loops and consumer until the block ends."""
        context = self.context
        await gauge_readiness(context)
        async with AsyncExitStack() as stack:
            # Last of all: closing resources ends work that may still publish.
            stack.push_async_callback(self._send_the_rest)
            await stack.enter_async_context(open_resources(context))
            loops = [Loop(RELAY, lambda _: self._relay.run_once(), RELAY_INTERVAL_S)]
            loops += [*housekeeping_loops(context, self._subscription), *context.service.loops]
            for loop in loops:
                _FAILURES.labels(context.name, loop.name)  # Prometheus sees no increase up to a series' first value
            tasks = [asyncio.create_task(self._turn(loop), name=f"{context.name} {loop.name}") for loop in loops]
            consumer = asyncio.create_task(self._subscription.run()) if self._subscription else None
            context.health.started = True
            try:
                yield
            finally:
                context.health.stopping = True
                await self._stop(tasks, consumer)

    async def _turn(self, loop: Loop) -> None:
        context, wake = self.context, self.context.wake_event(loop.name)
        clock = asyncio.get_running_loop().time
        while not self._stopping.is_set():
            begun_at = clock()
            context.health.tick(loop.name, LOOP_SILENT_S + loop.interval_s)
            wake.clear()
            pause_s = loop.interval_s
            try:
                with only_own_cancellation():
                    more = await loop.run_once(context)
                if more:
                    continue
            except Exception as error:
                if is_unavailable(error):
                    log.warning("database away", service=context.name, loop=loop.name, error=repr(error))
                    pause_s = PAUSE_DATABASE_AWAY_S
                else:
                    log.exception("loop failed", service=context.name, loop=loop.name)
                    _FAILURES.labels(context.name, loop.name).inc()
                    pause_s = max(loop.interval_s, PAUSE_AFTER_ERROR_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await wake.wait()
            if (early_s := begun_at + PACE_S - clock()) > 0 and not self._stopping.is_set():
                await asyncio.sleep(early_s)
        context.health.forget(loop.name)

    async def _stop(self, tasks: Sequence[asyncio.Task[None]], consumer: asyncio.Task[None] | None) -> None:
        context = self.context
        if consumer is not None:
            consumer.cancel()
            await asyncio.gather(consumer, return_exceptions=True)
        self._stopping.set()
        for task in tasks:
            context.wake(task.get_name().removeprefix(f"{context.name} "))
        _, late = await asyncio.wait(tasks, timeout=context.settings.shutdown_grace_s)
        for task in late:
            log.warning("loop did not end in time", service=context.name, loop=task.get_name())
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _send_the_rest(self) -> None:
        with contextlib.suppress(Exception):
            await drain(self._relay, deadline_s=5.0)


@asynccontextmanager
async def open_context(service: Service, settings: MeshSettings) -> AsyncIterator[Context]:
    """Open all that a service works with but its resources; whoever runs one takes it from here, a test too."""
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, service.name, pool_size=settings.database_pool_size)
        stack.push_async_callback(database.close)
        http = await stack.enter_async_context(HttpClient())
        health = Health(database, service.name, service.lineages)
        verifier = TokenVerifier(settings, http)
        neighbours = Neighbours(settings, http, service.name)
        yield Context(service, settings, database, http, InternalClient(settings, http), verifier, health, neighbours)


@asynccontextmanager
async def open_resources(context: Context) -> AsyncIterator[None]:
    """Hold open what the service opens itself at its start, once database and schema are there for it: waiting ends nobody.

    Raises:
        CannotStartError: a secret that the service cannot do without is under a key that is not given, or is damaged.
    """
    async with AsyncExitStack() as stack:
        while context.service.resources is not None:
            try:
                context.resources = await stack.enter_async_context(context.service.resources(context))
                break
            except WrongKeyError as error:
                raise CannotStartError(f"{context.name} cannot start: {error}.") from error
            except Exception as error:
                if is_unavailable(error):
                    log.warning("database away", service=context.name, error=repr(error))
                elif isinstance(error, DBAPIError) and not await context.health.schema_serves():
                    log.warning("the schema is too old: run koppel migrate", service=context.name)
                else:
                    raise
                await asyncio.sleep(PAUSE_DATABASE_AWAY_S)
        yield


@asynccontextmanager
async def _assembled(service: Service, settings: MeshSettings) -> AsyncIterator[_Part]:
    publisher = Publisher(settings.amqp_url, service.name)
    async with open_context(service, settings) as context:
        context.database.on_outbox_commit(partial(context.wake, RELAY))
        relay = Relay(context.database, publisher)
        if service.lineages:
            context.health.is_cut_off = relay.is_cut_off
        try:
            yield _Part(context, relay, _subscription(context, settings))
        finally:
            await publisher.close()


def _subscription(context: Context, settings: MeshSettings) -> Subscription | None:
    if not context.service.handlers:
        return None
    handlers = {event: partial(handle, context) for event, handle in context.service.handlers.items()}
    inbox = Inbox(context.database, handlers)
    subscription = Subscription(
        settings.amqp_url,
        context.name,
        queue_of(context.name),
        inbox.take,
        batch_size=BATCH,
        ready=context.database.ping,
    )
    context.health.not_consuming_for_s = subscription.idle_though_reachable_for_s
    return subscription
