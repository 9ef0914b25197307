"""A gate in front of any HTTP simulator: it passes every request on, and spoils those it is told to.

The simulator behind it needs no faults of its own, and what it did before the answer was spoiled has really happened.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import httpx2

from .loopback import LoopbackServer, Request, http_answer
from .vendor_faults import Fault

Matches = Callable[[Request], bool]
HANG_S = 3.0
"""Longer than the deadline of a test's calls."""
STANDARD_REFUSALS: Mapping[Fault, bytes] = {
    Fault.THROTTLES: http_answer(429, b"{}", {"Retry-After": "30"}),
    Fault.UNAUTHORISED: http_answer(401, b"{}"),
    Fault.FORBIDS: http_answer(403, b"{}"),
}
_OF_THE_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding", "content-encoding"})


@dataclass
class _Rule:
    fault: Fault
    matches: Matches
    times: int


class FaultGate(LoopbackServer):
    """Serves a simulator and spoils its answers; use as an async context manager.

    Args:
        upstream_url: where the simulator is; it becomes this gate's address in every answer.
        refusals: complete HTTP answers of this vendor for the faults that are refusals, where they differ from the usual.
    """

    def __init__(self, upstream_url: str, refusals: Mapping[Fault, bytes] = {}) -> None:
        self.upstream_url = upstream_url
        self.seen: list[Request] = []
        """Every request that arrived, in order."""
        self.spoiled = 0
        """How many of them met a fault."""
        self._refusals = {**STANDARD_REFUSALS, **refusals}
        self._rules: list[_Rule] = []
        self._lose_first: _Rule | None = None
        self._met_first: set[tuple[str, str, bytes]] = set()

    async def __aenter__(self) -> Self:
        self._http = httpx2.AsyncClient(timeout=30, trust_env=False, follow_redirects=False)
        return await super().__aenter__()

    async def __aexit__(self, *details: object) -> None:
        await super().__aexit__(*details)
        await self._http.aclose()

    def fail(self, fault: Fault, matches: Matches, times: int = 1) -> None:
        """Have the next ``times`` requests that match end in ``fault``."""
        self._rules.append(_Rule(fault, matches, times))

    def lose_first_answers(self, matches: Matches, times: int = 6) -> None:
        """Have up to ``times`` requests that match act and lose the answer, each once: the same again is answered."""
        self._lose_first = _Rule(Fault.ACTS_THEN_RESETS, matches, times)

    def repair(self) -> None:
        """Spoil nothing more."""
        self._rules.clear()
        self._lose_first = None

    async def answer(self, writer: asyncio.StreamWriter, request: Request) -> bool:
        """Pass a request on, or spoil it."""
        self.seen.append(request)
        fault = self._fault_for(request)
        if fault is None:
            writer.write(await self._pass_on(request))
            return True
        self.spoiled += 1
        if fault in self._refusals:
            writer.write(self._refusals[fault])
            return True
        if fault is not Fault.RESETS:
            answered = await self._pass_on(request)
            match fault:
                case Fault.ACTS_THEN_HANGS:
                    await asyncio.sleep(HANG_S)
                    return False
                case Fault.ACTS_THEN_HALF_ANSWER:
                    # Of an answer without a body, the end of its head is missing.
                    writer.write(answered[:-1])
                    await writer.drain()
                    return False
                case Fault.ACTS_THEN_ERROR:
                    writer.write(http_answer(502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"}))
                    return True
        writer.transport.abort()
        return False

    def _fault_for(self, request: Request) -> Fault | None:
        for rule in self._rules:
            if rule.times > 0 and rule.matches(request):
                rule.times -= 1
                return rule.fault
        first, key = self._lose_first, (request.method, request.target, request.body)
        if first is not None and first.times > 0 and first.matches(request) and key not in self._met_first:
            self._met_first.add(key)
            first.times -= 1
            return first.fault
        return None

    async def _pass_on(self, request: Request) -> bytes:
        headers = {name: value for name, value in request.headers.items() if name not in _OF_THE_HOP}
        got = await self._http.request(
            request.method, self.upstream_url + request.target, headers=headers, content=request.body
        )
        kept = {name: self._named(value) for name, value in got.headers.items() if name.lower() not in _OF_THE_HOP}
        content = got.content.replace(self.upstream_url.encode(), self.url.encode())
        return http_answer(got.status_code, content, kept)

    def _named(self, value: str) -> str:
        return value.replace(self.upstream_url, self.url)
