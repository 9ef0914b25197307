"""Calls to a token endpoint with all that must follow them: under way in tasks of their own.

Whoever waits for one may be cancelled or lose patience. The vendor's answer must not be lost with them (messaging §3.9).
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

PATIENCE_S = 30.0
"""The row's lock and two calls are had within it. What takes longer waits for the database: no loop may be silent that long."""
LANDING_S = 8.0
"""How long the last one may take when we end: one call, and its commit."""
log = structlog.get_logger(__name__)
ResultT = TypeVar("ResultT")


class Flights:
    """Those under way in this process."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[Any]] = set()

    def begin(self, work: Coroutine[Any, Any, ResultT], name: str) -> asyncio.Task[ResultT]:
        """Begin one."""
        flight = asyncio.create_task(work, name=name)
        self._under_way.add(flight)
        flight.add_done_callback(self._ended)
        return flight

    async def result_of(self, flight: asyncio.Task[ResultT]) -> ResultT:
        """Wait for the result of one, which goes on without us.

        Raises:
            TimeoutError: it is still under way after ``PATIENCE_S``.
        """
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.shield(flight)

    async def close(self, within_s: float) -> None:
        """Let all end, within some time; what does not is given up."""
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=within_s)
        for flight in late:
            log.error("a token call was given up, its tokens may be lost", flight=flight.get_name())
            flight.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _ended(self, flight: asyncio.Task[Any]) -> None:
        self._under_way.discard(flight)
        if not flight.cancelled():
            flight.exception()  # who waits gets it; where nobody does any more, the loop need not complain
