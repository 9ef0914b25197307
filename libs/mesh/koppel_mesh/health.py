"""Whether a process should be restarted (liveness) and whether it should get requests (readiness).

Liveness never asks the database or the broker: restarting us does not repair them. It asks whether our own loops still
turn, and whether we stand connected to the broker while nothing consumes. Readiness asks the database, and whether others
send what this process cannot. A broker that is away for all makes nobody unready: the outbox keeps what is to be sent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from .database import Database
from .migrations import Lineage, is_new_enough

LOOP_SILENT_S = 120.0
NOT_CONSUMING_S = 60.0
PING_S = 2.0


@dataclass
class Health:
    """Ticks of one service's loops, and the questions the two probes ask."""

    database: Database
    service: str
    lineages: Sequence[Lineage]
    started: bool = False
    stopping: bool = False
    not_consuming_for_s: Callable[[], float] | None = None
    is_cut_off: Callable[[], Awaitable[bool]] | None = None
    """Whether others publish what this process cannot."""
    warnings: dict[str, str] = field(default_factory=dict)
    """What an operator should look at although requests are served, by subject."""
    _ticks: dict[str, float] = field(default_factory=dict)
    _silence_allowed_s: dict[str, float] = field(default_factory=dict)
    _schema_serves: bool = False

    def tick(self, loop: str, silence_allowed_s: float = LOOP_SILENT_S) -> None:
        """Note that ``loop`` turns; liveness fails when it has been silent for longer than allowed."""
        self._ticks[loop] = asyncio.get_running_loop().time()
        self._silence_allowed_s[loop] = silence_allowed_s

    def forget(self, loop: str) -> None:
        """Stop watching ``loop``; it ended on purpose."""
        self._ticks.pop(loop, None)

    def live(self) -> list[str]:
        """Return why this process should be restarted; empty when it should not."""
        now = asyncio.get_running_loop().time()
        reasons = [
            f"loop {name!r} has been silent for {now - at:.0f} s"
            for name, at in self._ticks.items()
            if now - at > self._silence_allowed_s[name]
        ]
        if self.not_consuming_for_s is not None and not self.stopping:
            silent_s = self.not_consuming_for_s()
            if silent_s > NOT_CONSUMING_S:
                reasons.append(f"nothing has consumed for {silent_s:.0f} s while the broker is reachable")
        return reasons

    async def ready(self) -> list[str]:
        """Return why this process should get no requests now; empty when it should."""
        if self.stopping:
            return ["stopping"]
        try:
            async with asyncio.timeout(PING_S):
                if (reasons := await self._ask_database()) or not self.started:
                    return reasons or ["starting"]
                return await self._ask_relay()
        except Exception as error:
            return [f"database: {type(error).__name__}"]

    async def schema_serves(self) -> bool:
        """Return whether the schema is the one that this code needs, or a later one.

        Raises:
            Exception: the database is away.
        """
        return not await self._ask_database()

    async def _ask_relay(self) -> list[str]:
        if self.is_cut_off is None or not await self.is_cut_off():
            return []
        return ["the broker cannot be reached from here: other processes send what this one cannot"]

    async def _ask_database(self) -> list[str]:
        if self._schema_serves or not self.lineages:
            await self.database.ping()
            return []
        async with self.database.reading() as connection:
            self._schema_serves = await is_new_enough(connection, self.service, self.lineages)
        return [] if self._schema_serves else ["database schema is not the one this version needs: run koppel migrate"]
