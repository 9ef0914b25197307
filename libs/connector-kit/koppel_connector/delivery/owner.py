"""Who holds claims: a process keeps a row of its own alive, and the claims of one whose row is gone are taken back at once.

A lease alone makes a company wait for its end when a process is killed. Here the row's absence is the only sign of death: the
sweeper deletes a row that was not renewed in time, under its lock, and whoever finds its own row gone goes on under a new id.
Every claim carries the id, so that a process which was stopped, cut off or declared dead cannot use what it had claimed: it
knows by its own monotonic clock when its row may have gone, and lets no bytes leave from then on (fencing, messaging §3.8).
"""

import asyncio
import time
from uuid import UUID, uuid4

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.database import Database, is_unavailable
from koppel_mesh.prepared_sql import Statement

log = structlog.get_logger(__name__)

_RENEW = Statement("UPDATE owner SET renewed_at = clock_timestamp() WHERE id = :id RETURNING id")
_REGISTER = Statement("INSERT INTO owner (id) VALUES (:id)")
_LEAVE = Statement("DELETE FROM owner WHERE id = :id")
_BURY = Statement("""
    DELETE FROM owner WHERE renewed_at < clock_timestamp() - CAST(:dead_after_s AS float8) * interval '1 second'
    RETURNING id
""")


class Owner:
    """This process, as far as its claims are concerned."""

    def __init__(self, database: Database, heartbeat_s: float, dead_after_s: float) -> None:
        self._database = database
        self._heartbeat_s = heartbeat_s
        self._dead_after_s = dead_after_s
        self._alive_until = 0.0
        self.id = uuid4()
        """Goes into every claim; a new one after this process was declared dead."""

    def holds(self, owner_id: UUID | None) -> bool:
        """Return whether a claim made under ``owner_id`` is certainly still ours, without asking anybody."""
        return owner_id == self.id and time.monotonic() < self._alive_until

    async def renew(self) -> None:
        """Say that this process is alive.

        Where it comes too late, or somebody has deleted its row, it registers under a new id: what it held is void, and free.
        """
        # Taken before the row is written: we must not think ourselves alive for longer than the others do.
        started = time.monotonic()
        is_late = started >= self._alive_until
        async with self._database.transaction() as tx:
            if is_late:
                await _LEAVE.run(tx, {"id": self.id})
            is_renewed = not is_late and await _RENEW.one_or_none(tx, {"id": self.id}) is not None
            owner_id = self.id if is_renewed else uuid4()
            if not is_renewed:
                await _REGISTER.run(tx, {"id": owner_id})
        if not is_renewed and self._alive_until > 0:
            log.warning("heartbeat too late, registered under a new id", was=str(self.id), now=str(owner_id))
        self.id, self._alive_until = owner_id, started + self._dead_after_s

    async def keep_alive(self) -> None:
        """Renew again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._heartbeat_s)
            try:
                async with asyncio.timeout(self._dead_after_s):
                    await self.renew()
            except Exception as error:
                if not is_unavailable(error):
                    log.exception("heartbeat failed")

    async def leave(self) -> None:
        """Have what this process still holds taken back at once."""
        async with self._database.transaction() as tx:
            await _LEAVE.run(tx, {"id": self.id})


async def bury_dead(tx: AsyncConnection, dead_after_s: float) -> list[UUID]:
    """Delete the rows of processes that were not heard of in time; return their ids. Their claims are free from then on."""
    return [row.id for row in await _BURY.all(tx, {"dead_after_s": dead_after_s})]
