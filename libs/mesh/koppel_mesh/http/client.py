"""The HTTP client: one deadline around everything, no redirects, no retries, and an honest word about what went wrong.

What matters after a failure is whether the other side may have acted. ``NotSent`` says it cannot have: no connection was
made. Everything else is ``Unanswered``: a reset, a cut body or a time-out looks the same before and after the other side
did its work (each of these was measured).
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from types import TracebackType
from typing import Any, Self

import httpx2
import structlog
from opentelemetry.trace import SpanKind

from koppel_mesh.telemetry.tracing import current_traceparent, span

BODY_MAX_BYTES = 50_000_000
CONNECTIONS_MAX = 100
CONNECTING = 0.95
"""Part of the deadline a connection may take."""
log = structlog.get_logger(__name__)


class NotSent(Exception):
    """The request provably never reached the other side: no connection, no name, no free place in the pool."""


class Unanswered(Exception):
    """The request may have been acted upon, and no complete answer came. ``reason`` is for the log."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Response:
    """A complete answer."""

    __slots__ = ("content", "headers", "status", "url")

    def __init__(self, status: int, headers: httpx2.Headers, content: bytes, url: str) -> None:
        self.status = status
        self.headers = headers
        self.content = content
        self.url = url

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 is replaced."""
        return self.content.decode("utf-8", "replace")


class HttpClient:
    """Use as an async context manager; one per service."""

    def __init__(self) -> None:
        common: dict[str, Any] = {
            "timeout": None,
            "follow_redirects": False,
            "trust_env": False,
            "verify": _tls(),
            "headers": {"User-Agent": "koppel"},
        }
        self._kept = httpx2.AsyncClient(
            limits=httpx2.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=20), **common
        )
        # A kept connection that the other side has closed fails like a real loss; whatever acts gets a fresh one.
        self._fresh = httpx2.AsyncClient(
            limits=httpx2.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=0), **common
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._kept.aclose()
        await self._fresh.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        deadline_s: float,
        fresh_connection: bool = False,
        before_bytes: Callable[[], None] | None = None,
        **arguments: Any,
    ) -> Response:
        """Send one request and return its complete answer, whatever its status.

        Args:
            method: HTTP method.
            url: absolute URL.
            deadline_s: for everything together, connecting and reading included.
            fresh_connection: use no kept connection; for calls that act.
            before_bytes: called when the connection is there, just before the first byte leaves. Nothing leaves when it raises;
                what it raises comes out.
            **arguments: as httpx2's ``build_request`` takes them.

        Raises:
            NotSent: the other side cannot have acted.
            Unanswered: the other side may have acted.
        """
        client = self._fresh if fresh_connection else self._kept
        headers = httpx2.Headers(arguments.pop("headers", None))
        try:
            target = httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise NotSent(_say(error)) from error
        called = {"http.request.method": method, "server.address": target.host, "url.path": target.path}
        with span(f"{method} {target.host}", SpanKind.CLIENT, **called) as opened:
            if "traceparent" not in headers and (traceparent := current_traceparent()):
                headers["traceparent"] = traceparent
            # A connection that is not made in time differs from an answer that is late: only then may the other side have acted.
            waiting = httpx2.Timeout(None, connect=deadline_s * CONNECTING, pool=deadline_s * CONNECTING)
            if before_bytes is not None:
                arguments["extensions"] = {"trace": _before_headers(before_bytes)}
            request = client.build_request(method, target, headers=headers, timeout=waiting, **arguments)
            response = await _send(client, request, deadline_s)
            opened.set_attribute("http.response.status_code", response.status)
            return response


def _before_headers(call: Callable[[], None]) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
    """Return httpx2's ``trace`` extension, which hears of each step of a request, for the step that writes its first bytes."""

    async def trace(event: str, _: Mapping[str, Any]) -> None:
        if event.endswith(".send_request_headers.started"):
            call()

    return trace


async def _send(client: httpx2.AsyncClient, request: httpx2.Request, deadline_s: float) -> Response:
    status: int | None = None
    try:
        async with asyncio.timeout(deadline_s):
            answer = await client.send(request, stream=True)
            status = answer.status_code
            try:
                return Response(status, answer.headers, await _body(answer), str(request.url))
            finally:
                await answer.aclose()
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol) as error:
        raise NotSent(_say(error)) from error
    except TimeoutError as error:
        raise Unanswered(f"no complete answer within {deadline_s} s", status) from error
    except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
        raise Unanswered(_say(error), status) from error


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates of the machine takes 50 ms; the services of one process share them.
    return httpx2.create_ssl_context(trust_env=False)


async def _body(answer: httpx2.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > BODY_MAX_BYTES:
            raise httpx2.DecodingError("the answer is too large")
        parts.append(part)
    return b"".join(parts)


def _say(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
