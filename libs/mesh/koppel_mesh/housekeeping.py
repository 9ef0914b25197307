"""What mesh does for every service in the background: forgetting what was kept long enough, and gauging its outbox."""

from sqlalchemy import text

from . import outbox
from .inbox import KEEP_DAYS
from .service import Context, Loop
from .telemetry.metrics import gauge

IDEMPOTENCY_KEEP_DAYS = 7
FORGET_INTERVAL_S = 3600.0
GAUGE_INTERVAL_S = 15.0

_FORGET_INBOX = text(f"DELETE FROM inbox WHERE received_at < now() - interval '{KEEP_DAYS} days'")
_FORGET_KEYS = text(f"DELETE FROM idempotency_key WHERE created_at < now() - interval '{IDEMPOTENCY_KEEP_DAYS} days'")
_WAITING = gauge("koppel_outbox_messages", "Messages in the outbox")
_AGE = gauge("koppel_outbox_oldest_age_seconds", "Age of the oldest message in the outbox")


def housekeeping_loops(context: Context) -> tuple[Loop, ...]:
    """Return the loops every service with tables gets."""
    if not context.service.lineages:
        return ()
    return (Loop("forget", _forget, FORGET_INTERVAL_S), Loop("outbox gauge", _gauge_outbox, GAUGE_INTERVAL_S))


async def _forget(context: Context) -> None:
    async with context.database.transaction() as tx:
        await tx.execute(_FORGET_INBOX)
        await tx.execute(_FORGET_KEYS)


async def _gauge_outbox(context: Context) -> None:
    async with context.database.reading() as connection:
        waiting, oldest = await outbox.backlog(connection)
    _WAITING.labels(context.name).set(waiting)
    _AGE.labels(context.name).set((context.now() - oldest).total_seconds() if oldest else 0)
