"""How many requests a client may make in a minute: counted by each process for itself, shown in headers, refused with 429.

The headers are ``RateLimit`` and ``RateLimit-Policy`` of draft-ietf-httpapi-ratelimit-headers-11 (May 2026), and beside them the
``RateLimit-Limit``, ``-Remaining`` and ``-Reset`` of its revision 06, which is what clients read today.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import HttpProblem

WINDOW_S = 60
COUNTED_MAX = 10_000
"""Windows that are kept at a time; each takes some hundred bytes."""


@dataclass(frozen=True)
class Standing:
    """How many requests somebody has made in a window that ends soon."""

    limit: int
    used: int
    ends_in_s: int

    @property
    def headers(self) -> Mapping[str, str]:
        """Return what a client is shown of it."""
        left = str(max(self.limit - self.used, 0))
        return {
            "RateLimit-Policy": f'"minute";q={self.limit};w={WINDOW_S}',
            "RateLimit": f'"minute";r={left};t={self.ends_in_s}',
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": left,
            "RateLimit-Reset": str(self.ends_in_s),
        }

    def insist(self) -> None:
        """Let a request pass that is within the limit.

        Raises:
            HttpProblem: 429 ``rate_limited``.
        """
        if self.used > self.limit:
            detail = f"At most {self.limit} requests in {WINDOW_S} s."
            headers = {"Retry-After": str(self.ends_in_s)}
            raise HttpProblem(429, "rate_limited", "Too many requests.", detail, headers=headers)


class RateLimiter:
    """Counts requests in windows that begin with the first one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # All windows are of one length: the first of them ends first.
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, whose: str, limit: int) -> Standing | None:
        """Count one more request, also one over the limit; None where there is none (0)."""
        if not limit:
            return None
        now = self._clock()
        self._forget(now)
        ends_at, used = self._windows.get(whose, (now + WINDOW_S, 0))
        self._windows[whose] = ends_at, used + 1
        return Standing(limit, used + 1, max(math.ceil(ends_at - now), 1))

    def _forget(self, now: float) -> None:
        while self._windows:
            whose, (ends_at, _) = next(iter(self._windows.items()))
            if ends_at > now and len(self._windows) <= COUNTED_MAX:
                return
            del self._windows[whose]


class RateLimitHeaders:
    """Shows on each answer how its caller stands, as far as ``request.state.standing`` says so."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; add the headers to the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def showing(message: Message) -> None:
            standing: Standing | None = scope["state"].get("standing")
            if message["type"] == "http.response.start" and standing is not None:
                shown = [(name.lower().encode(), value.encode()) for name, value in standing.headers.items()]
                message["headers"] = [*message.get("headers", []), *shown]
            await send(message)

        await self._app(scope, receive, showing)
