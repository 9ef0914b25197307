"""Runs services: one in a pod, or all of them in one process, each behind its own path.

Start: HTTP, resources, loops, consumers. Stop, on SIGTERM: not ready, consumers cancelled, loops finish what they hold,
resources closed, a last pass of the relay, HTTP closed (messaging order: nothing is taken in that cannot be sent out).

A process that shares its port with others has nobody in front who asks for readiness before sending a caller: the kernel
deals callers out to all who listen. So it listens only from when it is ready, and stops doing so before anything else.
"""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from .auth import TokenVerifier
from .broker import Publisher, Subscription, queue_of
from .database import Database, is_unavailable
from .health import LOOP_SILENT_S, Health
from .housekeeping import housekeeping_loops
from .http import problems
from .http.client import HttpClient
from .http.mesh_client import MeshClient
from .http.middleware import Started
from .http.server import build_app
from .inbox import BATCH, Inbox
from .outbox import Relay, drain
from .service import Context, Loop, Service
from .settings import MeshSettings
from .telemetry.logs import configure_logs
from .telemetry.tracing import configure_tracing

RELAY = "outbox relay"
RELAY_INTERVAL_S = 1.0
PAUSE_AFTER_ERROR_S = 2.0
PACE_S = 0.05
"""Turns of a loop begin at least this far apart, however often it is woken; a turn that says "more" is followed at once."""
PAUSE_DATABASE_AWAY_S = 1.0
PAUSE_NOT_READY_S = 0.5

log = structlog.get_logger(__name__)


def main(service: Service) -> None:
    """Run one service until SIGTERM or SIGINT; the body of every ``__main__``."""
    settings = service.settings()
    configure_logs(settings.log_format, settings.log_level)
    configure_tracing(service.name)
    uvloop.run(_until_signal([service], {service.name: settings}))


async def _until_signal(services: Sequence[Service], settings: Mapping[str, MeshSettings]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(services, settings):
        await stop.wait()


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
        OSError: the address is taken, or not ours.
    """
    async with AsyncExitStack() as stack:
        parts = [await stack.enter_async_context(_assembled(service, settings[service.name])) for service in services]
        routes = [Mount(f"/{part.context.name}", app=part.app()) for part in parts]
        routes += [Mount(path, app=app) for path, app in (mounts or {}).items()]
        front = Starlette(routes=routes)
        front.router.redirect_slashes = (
            False  # as in each service: an address that is none is a problem, not a way elsewhere
        )
        problems.install(front)  # a path that leads to no service, such as one with a line feed in it, is a problem too
        own = settings[services[0].name]
        listening = stack.enter_context(contextlib.closing(_listening_socket(own)))
        if not own.reuse_port:
            # Alone it listens first: its probes are asked, and a loop may call a neighbour's HTTP side in its first turn.
            await stack.enter_async_context(_served(front, listening))
        for part in parts:
            await stack.enter_async_context(part.working())
        if own.reuse_port:
            await stack.enter_async_context(_served_when_ready(front, listening, [part.context for part in parts]))
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
        """Return the service's HTTP side; it is listening before the service has opened what it works with."""
        return Started(build_app(self.context.service, self.context), lambda: self.context.health.started)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Open the service's resources, then run its loops and consumer until the block ends."""
        context = self.context
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._send_the_rest)  # last: closing what is worked with ends work that tells of itself
            if context.service.resources is not None:
                context.resources = await stack.enter_async_context(context.service.resources(context))
            loops = [Loop(RELAY, lambda _: self._relay.run_once(), RELAY_INTERVAL_S)]
            loops += [*housekeeping_loops(context), *context.service.loops]
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
                if await loop.run_once(context):
                    continue
            except Exception as error:
                if is_unavailable(error):
                    log.warning("database away", service=context.name, loop=loop.name, error=repr(error))
                    pause_s = PAUSE_DATABASE_AWAY_S
                else:
                    log.exception("loop failed", service=context.name, loop=loop.name)
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
async def _assembled(service: Service, settings: MeshSettings) -> AsyncIterator[_Part]:
    database = Database(settings.database_url, service.name, pool_size=settings.database_pool_size)
    publisher = Publisher(settings.amqp_url, service.name)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        stack.push_async_callback(publisher.close)
        http = await stack.enter_async_context(HttpClient())
        health = Health(database, service.name, service.migrations)
        verifier = TokenVerifier(settings, http)
        context = Context(service, settings, database, http, MeshClient(settings, http), verifier, health)
        database.on_outbox_commit(partial(context.wake, RELAY))
        yield _Part(context, Relay(database, publisher), _subscription(context, settings))


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


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: who runs the services decides when they stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listening_socket(settings: MeshSettings) -> socket.socket:
    """Return a bound socket.

    Raises:
        OSError: the address is taken, or not ours.
    """
    host, port = settings.host, settings.port
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if settings.reuse_port:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(address)
    except OSError as error:
        made.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
    return made


@asynccontextmanager
async def _served_when_ready(
    app: ASGIApp, listening: socket.socket, contexts: Sequence[Context]
) -> AsyncIterator[None]:
    """Serve from when every service is ready; meanwhile the block goes on, so that it can be told to end."""
    async with AsyncExitStack() as stack:

        async def begin() -> None:
            said: list[str] = []
            while reasons := [reason for context in contexts for reason in await context.health.ready()]:
                if reasons != said:
                    log.warning("not listening until ready", reasons=reasons)
                said = reasons
                await asyncio.sleep(PAUSE_NOT_READY_S)
            try:
                await stack.enter_async_context(_served(app, listening))
            except Exception:
                log.exception("cannot listen")

        beginning = asyncio.create_task(begin())
        try:
            yield
        finally:
            beginning.cancel()
            await asyncio.gather(beginning, return_exceptions=True)


@asynccontextmanager
async def _served(app: ASGIApp, listening: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=10,
        proxy_headers=False,
        http="httptools",
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        while not server.started:
            if serving.done():
                serving.result()
                raise RuntimeError("the HTTP server ended before it had begun")
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await serving
