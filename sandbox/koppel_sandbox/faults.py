"""Faults on request: how a vendor fails, at the level of the socket.

A rule says which requests it meets (method, path, from which one on, how often) and what happens to them. The kinds that
end in ``after_commit`` let the request do its work first and spoil only the answer — the case that makes others book twice.
"""

import asyncio
import contextlib
import random
import re
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

KINDS = frozenset(
    {
        "hang",
        "hang_after_commit",
        "reset_before",
        "reset_after_commit",
        "half_answer_after_commit",
        "html_after_commit",
        "html_502",
        "html_503",
        "status",
        "slow_drip",
        "timeout_408",
        "index_late",
        "throttle",
    }
)
_GATEWAY_PAGES = {"html_502": (502, "Bad Gateway"), "html_503": (503, "Service Unavailable")}
DRIP_S = 0.2


@dataclass
class Fault:
    """One rule."""

    kind: str
    method: str = ".*"
    path: str = ".*"
    """Found anywhere in what the sandbox calls the request's path: ``/3090901/salesentry/SalesEntries``."""
    skip: int = 0
    """So many matching requests pass first."""
    times: int = 1
    """How many requests it meets; negative: all."""
    chance: float = 1.0
    """How likely it meets a request that fits."""
    seconds: float = 30.0
    status: int = 500
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    """Of the kinds ``status`` and ``throttle``: ``{"Retry-After": "2"}``."""
    met: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {self.kind}")

    def meets(self, method: str, path: str) -> bool:
        """Return whether this request is the rule's; counts it."""
        if self.times == 0 or not re.fullmatch(self.method, method) or not re.search(self.path, path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.chance < 1 and random.random() >= self.chance:  # noqa: S311 - a bad day, no secret
            return False
        self.times -= 1
        self.met += 1
        return True


class Spoiled(Response):
    """An answer that comes late, in drops, in half, or as a reset."""

    def __init__(self, fault: Fault, answer: Response | None = None) -> None:
        super().__init__()
        self._fault = fault
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what the fault leaves of the answer."""
        kind = self._fault.kind
        if kind.startswith("hang"):
            await asyncio.sleep(self._fault.seconds)
            await (self._answer or Response(status_code=504))(scope, receive, send)
        elif kind.startswith("reset"):
            await _reset(send)
        elif kind == "half_answer_after_commit":
            await self._half(send)
        elif kind == "slow_drip":
            await self._drip(send)

    async def _half(self, send: Send) -> None:
        body = bytes(self._answer.body) if self._answer else b"{}"
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body) + 100).encode())]
        await send(
            {
                "type": "http.response.start",
                "status": self._answer.status_code if self._answer else 200,
                "headers": headers,
            }
        )
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await _reset(send, abort=False)

    async def _drip(self, send: Send) -> None:
        body = bytes(self._answer.body) if self._answer else b"{}"
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send(
            {
                "type": "http.response.start",
                "status": self._answer.status_code if self._answer else 200,
                "headers": headers,
            }
        )
        drops = max(int(self._fault.seconds / DRIP_S), 1)
        size = max(len(body) // drops, 1)
        for at in range(0, len(body), size):
            await asyncio.sleep(DRIP_S)
            await send({"type": "http.response.body", "body": body[at : at + size], "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def first_met(faults: "list[Fault]", method: str, path: str) -> Fault | None:
    """Return the first rule that meets this request, or None; counts it."""
    return next((one for one in faults if one.meets(method, path)), None)


def before(fault: Fault) -> Response | None:
    """Return what is answered instead of doing the work; None when the work is to be done first."""
    match fault.kind:
        case "html_502" | "html_503":
            status, title = _GATEWAY_PAGES[fault.kind]
            return Response(f"<html><body><h1>{title}</h1></body></html>", status, media_type="text/html")
        case "timeout_408":
            return Response("", 408)
        case "throttle":
            return Response("", 429, fault.headers)
        case "status":
            return Response(
                fault.body or f'{{"fault": {fault.status}}}', fault.status, fault.headers, "application/json"
            )
        case "hang" | "reset_before":
            return Spoiled(fault)
    return None


def after(fault: Fault, answer: Response) -> Response:
    """Return what becomes of the answer of work that was done."""
    if fault.kind == "html_after_commit":
        return Response("<html><body>Runtime Error</body></html>", 200, media_type="text/html")
    if fault.kind == "index_late":
        return answer
    return Spoiled(fault, answer)


async def _reset(send: Send, *, abort: bool = True) -> None:
    """End the connection: by RST, or by FIN in the middle of an answer."""
    transport = _transport(send)
    if transport is None:
        raise ConnectionAbortedError("the server does not show its transport; the connection ends with the response")
    if abort:
        connection = transport.get_extra_info("socket")
        with contextlib.suppress(OSError, AttributeError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        await asyncio.sleep(0.05)
        transport.close()


def _transport(send: Any) -> Any:
    """Return uvicorn's transport behind ``send``, through the wrappers of frameworks in between."""
    seen = 0
    while seen < 20:
        owner = getattr(send, "__self__", None)
        if owner is not None and hasattr(owner, "transport"):
            return owner.transport
        inner = [cell.cell_contents for cell in (getattr(send, "__closure__", None) or ())]
        following = next((one for one in inner if callable(one) and "send" in getattr(one, "__qualname__", "")), None)
        if following is None:
            return None
        send, seen = following, seen + 1
    return None
