"""How often a company may call: 10 times in 10 seconds and 60 times a minute, counted by the database's clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.prepared_sql import Statement

SHORT_MAX: Final = 10
MINUTE_MAX: Final = 60

# A window begins with its first call.
_COUNT = Statement("""
    INSERT INTO scrada_window AS w (dossier_id, short_from, short_calls, minute_from, minute_calls)
    VALUES (:dossier_id, now(), 1, now(), 1)
    ON CONFLICT (dossier_id) DO UPDATE SET
        short_from = CASE WHEN now() >= w.short_from + interval '10 s' THEN now() ELSE w.short_from END,
        short_calls = CASE WHEN now() >= w.short_from + interval '10 s' THEN 1 ELSE w.short_calls + 1 END,
        minute_from = CASE WHEN now() >= w.minute_from + interval '60 s' THEN now() ELSE w.minute_from END,
        minute_calls = CASE WHEN now() >= w.minute_from + interval '60 s' THEN 1 ELSE w.minute_calls + 1 END
    RETURNING short_calls, short_from + interval '10 s' AS short_until,
        minute_calls, minute_from + interval '60 s' AS minute_until
""")


@dataclass(frozen=True, slots=True)
class Budget:
    """What a company may still call."""

    remaining: int
    """Negative where this call was one too many."""
    reset_at: datetime
    """When the window that is exhausted first ends."""

    def headers(self) -> dict[str, str]:
        """Return what each answer says of it; the reset is in Unix seconds."""
        reset = int(self.reset_at.timestamp()) + 1
        return {
            "X-Ratelimit-Limit": str(MINUTE_MAX),
            "X-Ratelimit-Remaining": str(max(self.remaining, 0)),
            "X-Ratelimit-Reset": str(reset),
        }


async def count(tx: AsyncConnection, dossier_id: UUID) -> Budget:
    """Count a call of a company and return what is left."""
    row = await _COUNT.one(tx, {"dossier_id": dossier_id})
    windows = ((SHORT_MAX - row.short_calls, row.short_until), (MINUTE_MAX - row.minute_calls, row.minute_until))
    exhausted = [(left, until) for left, until in windows if left < 0]
    remaining, reset_at = max(exhausted, key=lambda each: each[1]) if exhausted else min(windows)
    return Budget(remaining, reset_at)
