"""The listening socket of a process, its own or shared with others on one port, and the HTTP server behind it.

A process that shares its port with others has nobody in front who asks for readiness before sending a caller: the kernel
deals callers out to all who listen. So it listens only from when it is ready, and stops doing so before anything else.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
import uvicorn
from starlette.types import ASGIApp

from koppel_mesh.health import Health
from koppel_mesh.settings import MeshSettings

PAUSE_NOT_READY_S = 0.5
log = structlog.get_logger(__name__)


class CannotListenError(OSError):
    """The address is taken, or not ours."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: who runs the services decides when they stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bound_socket(settings: MeshSettings) -> socket.socket:
    """Return a bound socket on which nobody listens yet.

    Raises:
        CannotListenError: the address is taken, or not ours.
    """
    try:
        return _bound(settings)
    except OSError as error:
        raise _cannot_listen(settings.host, settings.port, error) from error


def _bound(settings: MeshSettings) -> socket.socket:
    asked = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, address = asked[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if settings.reuse_port:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def _cannot_listen(host: str, port: int, error: OSError) -> CannotListenError:
    return CannotListenError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}")


@asynccontextmanager
async def served_when_ready(app: ASGIApp, bound: socket.socket, healths: Sequence[Health]) -> AsyncIterator[None]:
    """Serve from when every service is ready; meanwhile the block goes on, so that it can be cancelled.

    Raises:
        CannotListenError: it was ready and could not listen; the block is cancelled, for it would live without a door.
    """
    block = asyncio.current_task()
    async with AsyncExitStack() as stack:

        async def begin() -> None:
            logged: list[str] = []
            while reasons := [reason for health in healths for reason in await health.ready()]:
                if reasons != logged:
                    log.warning("not listening until ready", reasons=reasons)
                logged = reasons
                await asyncio.sleep(PAUSE_NOT_READY_S)
            await stack.enter_async_context(served(app, bound))

        def end_block(begun: asyncio.Task[None]) -> None:
            if block is not None and _error_of(begun) is not None:
                block.cancel()

        beginning = asyncio.create_task(begin())
        beginning.add_done_callback(end_block)
        try:
            yield
        except asyncio.CancelledError:
            if block is not None and (error := _error_of(beginning)) is not None:
                block.uncancel()
                raise error from None
            raise
        finally:
            beginning.remove_done_callback(end_block)
            beginning.cancel()
            await asyncio.gather(beginning, return_exceptions=True)


def _error_of(task: asyncio.Task[None]) -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None


@asynccontextmanager
async def served(app: ASGIApp, bound: socket.socket) -> AsyncIterator[None]:
    """Listen and serve for as long as the block lasts; what was taken by its end is answered.

    Raises:
        CannotListenError: somebody else listens there meanwhile.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=10,
        proxy_headers=False,
        http="httptools",
    )
    try:
        bound.listen(config.backlog)
    except OSError as error:
        host, port, *_ = bound.getsockname()
        raise _cannot_listen(host, port, error) from error
    server = _Server(config)
    serving = asyncio.create_task(server.serve([bound]))
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
