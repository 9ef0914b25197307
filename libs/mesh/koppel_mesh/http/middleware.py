"""What happens around every request, as plain ASGI: a limit on bodies, and a log line, a span and a metric."""

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from opentelemetry.trace import SpanKind
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from koppel_mesh.ids import new_id
from koppel_mesh.revocations import PATH as REVOCATIONS_PATH
from koppel_mesh.telemetry.alerts import Alert
from koppel_mesh.telemetry.metrics import histogram
from koppel_mesh.telemetry.tracing import continue_from

from .audit import note_change
from .problems import HttpProblem

_REQUEST_ID = re.compile(r"[\w\-.]{1,64}")
DISCARDED_MAX = 4
"""How many times the limit is read and thrown away, so that the caller gets to see the refusal."""
DISCARD_S = 10.0
_QUIET = ("/health/live", "/health/ready", "/metrics")
_UNOBSERVED = (*_QUIET, REVOCATIONS_PATH.removeprefix("/identity"))
"""What is asked every few seconds by everybody."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Anything else is one label: a caller may invent methods without end."""
_DURATION = histogram(
    "koppel_http_request_seconds",
    "Requests answered",
    ("method", "route", "status"),
    alerts=[
        Alert(
            name="KoppelRequestsFail",
            summary="More than one request in a hundred fails by a fault of ours or of a server we need",
            above=0.01,
            where={"status": "5.."},
            within="10m",
            as_share=True,
            severity="page",
        )
    ],
)
log = structlog.get_logger(__name__)


class InContext:
    """Hands the context of the running service to whatever answers a request, as ``request.state.context``."""

    def __init__(self, app: ASGIApp, context: Any) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on with the context."""
        scope["state"] = {**scope.get("state", {}), "context": self._context}
        await self._app(scope, receive, send)


class BodyLimit:
    """Answers 413 to a body over the limit, whether its length was announced or not; reads no more than the limit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as long as its body stays within the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit_bytes: int = scope["state"]["context"].settings.body_limit_bytes
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced[:20]) > limit_bytes:
            await _discard(receive, limit_bytes)
            await _refuse(scope, receive, send, limit_bytes)
            return
        started = False
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit_bytes:
                raise _TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except _TooLarge:
            if not started:
                await _discard(receive, limit_bytes)
                await _refuse(scope, receive, send, limit_bytes)


async def _discard(receive: Receive, limit_bytes: int) -> None:
    # An answer sent while the caller still writes is lost to a reset; a caller who goes on for long deserves that.
    left = limit_bytes * DISCARDED_MAX
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_S):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return


async def _refuse(scope: Scope, receive: Receive, send: Send, limit_bytes: int) -> None:
    problem = HttpProblem(
        413, "body_too_large", f"A body may have {limit_bytes} bytes.", headers={"Connection": "close"}
    )
    await problem.response()(scope, receive, send)


class _TooLarge(BaseException):
    """Passes every ``except Exception`` between the body's reader and the limit."""


class Started:
    """Answers 503 until the service has opened what it works with; the probes and metrics are there from the beginning."""

    def __init__(self, app: ASGIApp, has_started: Callable[[], bool]) -> None:
        self._app = app
        self._has_started = has_started

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on once the service has started."""
        if scope["type"] != "http" or self._has_started() or scope["path"].endswith(_QUIET):
            await self._app(scope, receive, send)
            return
        problem = HttpProblem(503, "starting", "The service is starting.", headers={"Retry-After": "1"})
        await problem.response()(scope, receive, send)


class HeadAsGet:
    """Answers HEAD as GET without the content (RFC 9110 §9.1), which the server leaves out: to it the request stays a HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, a HEAD as a GET."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}
        await self._app(asked, receive, send)
        scope["route"] = asked.get("route")  # for whoever observes


class Observed:
    """Gives every request an id, a span that continues the caller's trace, a log line and a place in the histogram."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Observe one request."""
        if scope["type"] != "http" or scope["path"].endswith(_UNOBSERVED):
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get(b"x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(new_id())
        seen = {"status": 500}
        started_at = time.perf_counter()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            with continue_from(
                headers.get(b"traceparent"), f"{scope['method']} {self._service}", SpanKind.SERVER
            ) as span:
                await self._app(scope, receive, _noting(send, seen, request_id))
                span.set_attribute("http.response.status_code", seen["status"])
        finally:
            self._note(scope, seen["status"], time.perf_counter() - started_at)
            structlog.contextvars.unbind_contextvars("request_id")

    def _note(self, scope: Scope, status: int, took_s: float) -> None:
        route: Any = scope.get("route")
        path = getattr(route, "path", "none")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        _DURATION.labels(self._service, method, path, str(status)).observe(took_s)
        log.info(
            "request",
            service=self._service,
            method=scope["method"],
            path=scope["path"],
            status=status,
            duration_ms=round(took_s * 1000, 1),
        )
        note_change(scope, self._service, status)


def _noting(send: Send, seen: dict[str, int], request_id: str) -> Callable[[Message], Awaitable[None]]:
    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen["status"] = int(message["status"])
            message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
        await send(message)

    return noting
