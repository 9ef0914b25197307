"""A connection's memory of its vendor, in the table ``memory``; read whole by whoever opens the connection and asks for it.

A database that was set back to an earlier moment remembers what is no longer true: that a document is not in the books, where
we booked it a minute after that moment. So nothing is recalled that a restore wrote (another transaction than the one that
remembered it), and nothing that was observed before the database server started, which is what a recovery to a moment does.
Whoever is only more careful by what is remembered asks for that as well (``outlives_restore``).
"""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from koppel_connector.contract.json_values import decode, encode
from koppel_connector.contract.memory import Memory, Remembered
from koppel_connector.contract.storable import storable
from koppel_mesh.clock import utc_now
from koppel_mesh.database import Database
from koppel_mesh.prepared_sql import Statement

_READ = Statement("""
    SELECT key, value, observed_at,
        written_in IS DISTINCT FROM xmin::text OR observed_at <= pg_postmaster_start_time() AS is_doubted
    FROM memory WHERE connection_id = :connection_id
""")
_WRITE = Statement("""
    INSERT INTO memory (connection_id, key, value, observed_at, written_in)
    VALUES (:connection_id, :key, CAST(:value AS jsonb), :observed_at, pg_current_xact_id()::xid::text)
    ON CONFLICT (connection_id, key) DO UPDATE
    SET value = excluded.value, observed_at = excluded.observed_at, written_in = excluded.written_in
""")
_FORGET = Statement("DELETE FROM memory WHERE connection_id = :connection_id AND key = :key")


class StoredMemory(Memory):
    """The memory of one connection, as one worker sees it."""

    def __init__(self, database: Database, connection_id: UUID) -> None:
        self._database = database
        self._connection_id = connection_id
        self._known: dict[str, Remembered] | None = None
        self._doubted: set[str] = set()
        """Keys of what was kept before the database was set back, or its server started."""

    async def remember(self, key: str, value: Any, *, observed_at: datetime | None = None) -> None:
        """Keep a value under ``key`` (see ``Memory.remember``)."""
        key, known, kept = storable(key), await self._read(), Remembered(value, observed_at or utc_now())
        written = json.dumps(encode(value, key))
        values = {"connection_id": self._connection_id, "key": key, "value": written, "observed_at": kept.observed_at}
        async with self._database.transaction() as tx:
            await _WRITE.run(tx, values)
        known[key] = Remembered(decode(json.loads(written)), kept.observed_at)
        self._doubted.discard(key)

    async def recall(
        self, key: str, max_age_s: float | None = None, *, outlives_restore: bool = False
    ) -> Remembered | None:
        """Return what is kept under ``key`` and not too old (see ``Memory.recall``)."""
        key = storable(key)
        kept = (await self._read()).get(key)
        if key in self._doubted and not outlives_restore:
            return None
        if kept is None or (max_age_s is not None and utc_now() - kept.observed_at >= timedelta(seconds=max_age_s)):
            return None
        return kept

    async def forget(self, key: str) -> None:
        """Keep nothing under ``key``."""
        key = storable(key)
        async with self._database.transaction() as tx:
            await _FORGET.run(tx, {"connection_id": self._connection_id, "key": key})
        (await self._read()).pop(key, None)

    async def _read(self) -> dict[str, Remembered]:
        if self._known is None:
            async with self._database.reading() as reading:
                rows = await _READ.all(reading, {"connection_id": self._connection_id})
            self._known = {row.key: Remembered(decode(row.value), row.observed_at) for row in rows}
            self._doubted = {row.key for row in rows if row.is_doubted}
        return self._known
