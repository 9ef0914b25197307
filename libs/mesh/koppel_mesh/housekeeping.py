"""What mesh does for every service in the background: forgetting what was kept long enough, and gauging its outbox."""

import asyncio

import structlog

from . import outbox, revocations
from .broker import Subscription, dead_queue_of
from .dead_letters import replay
from .firm_data import retention
from .firm_data.of_mesh import IDEMPOTENCY_KEEP_DAYS
from .inbox import KEEP_DAYS
from .prepared_sql import Statement
from .service import Context, Loop
from .telemetry.alerts import Alert
from .telemetry.metrics import gauge

FORGET_INTERVAL_S = 3600.0
GAUGE_INTERVAL_S = 15.0
READINESS = "readiness gauge"
NEIGHBOURS_INTERVAL_S = 15.0

_FORGET_INBOX = Statement(f"DELETE FROM inbox WHERE received_at < now() - interval '{KEEP_DAYS} days'")
_FORGET_KEYS = Statement(
    f"DELETE FROM idempotency_key WHERE created_at < now() - interval '{IDEMPOTENCY_KEEP_DAYS} days'"
)
_WAITING = gauge("koppel_outbox_messages", "Messages in the outbox")
_AGE = gauge(
    "koppel_outbox_oldest_age_seconds",
    "Age of the oldest message in the outbox",
    alerts=[
        Alert(
            name="KoppelOutboxWaits",
            summary="What the service has to tell the others has waited {value} to be sent",
            above=60,
            lasts="2m",
            severity="page",
        )
    ],
)
_DEAD = gauge(
    "koppel_dead_messages",
    "Messages in the dead queue: refused again and again, or never settled",
    alerts=[
        Alert(
            name="KoppelDeadMessages",
            summary="{value} messages could not be handled",
            above=0,
            lasts="1m",
            severity="ticket",
        )
    ],
)
_READY = gauge(
    "koppel_ready",
    "1 while the process is ready to be asked, else 0",
    alerts=[
        Alert(
            name="KoppelNotReady",
            summary="A process of the service runs and has not been ready for five minutes",
            below=1,
            severity="page",
        )
    ],
)
log = structlog.get_logger(__name__)


def housekeeping_loops(context: Context, subscription: Subscription | None) -> list[Loop]:
    """Return the loops that every service gets for its tables, its queue and its neighbours."""
    loops = [
        Loop("neighbours", _ask_neighbours, NEIGHBOURS_INTERVAL_S),
        Loop(READINESS, gauge_readiness, GAUGE_INTERVAL_S),
    ]
    if context.settings.oidc_issuer is None:
        loops.append(Loop("revocations", _refresh_revocations, revocations.INTERVAL_S))
    if context.service.lineages:
        loops.append(Loop("forget", _forget, FORGET_INTERVAL_S))
        loops.append(Loop("outbox gauge", _gauge_outbox, GAUGE_INTERVAL_S))
        loops.append(Loop(retention.FIRMS, retention.delete_firms, retention.FIRMS_INTERVAL_S))
        loops.append(Loop(retention.AGE, retention.end_retention, retention.AGE_INTERVAL_S))
    if subscription is not None:
        loops.append(Loop("dead queue gauge", _DeadQueue(subscription).watch, GAUGE_INTERVAL_S))
    return loops


async def gauge_readiness(context: Context) -> None:
    """Show whether the process is ready, as its probe answers; one that has not started is not."""
    _READY.labels(context.name).set(0 if await context.health.ready() else 1)


async def _ask_neighbours(context: Context) -> None:
    names = {*context.service.calls, *context.mesh.called}
    if context.settings.oidc_issuer is None:
        names.add("identity")
    await context.neighbours.ask(names - {context.name})


async def _refresh_revocations(context: Context) -> None:
    await context.verifier.revocations.refresh(context.mesh)


class _DeadQueue:
    """Watches the dead queue of a service, and has what lies there go again now and then."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._since: float | None = None

    async def watch(self, context: Context) -> None:
        """Report the depth; whatever is still there after some time goes again."""
        queue = dead_queue_of(context.name)
        found = await self._subscription.depth_of(queue)
        if found is None:
            return
        _DEAD.labels(context.name).set(found)
        if not found:
            self._since = None
            context.health.warnings.pop(queue, None)
            return
        warning = f"messages in {queue}: {found}"
        if context.health.warnings.get(queue) != warning:
            log.error("messages in the dead queue", service=context.name, queue=queue, count=found)
        context.health.warnings[queue] = warning
        now = asyncio.get_running_loop().time()
        if self._since is None:
            self._since = now
        elif now - self._since >= context.settings.dead_repeat_after_s:
            self._since = now
            await replay(context.settings.amqp_url, context.name)


async def _forget(context: Context) -> None:
    async with context.database.transaction() as tx:
        await _FORGET_INBOX.run(tx)
        await _FORGET_KEYS.run(tx)


async def _gauge_outbox(context: Context) -> None:
    async with context.database.reading() as connection:
        waiting, oldest = await outbox.backlog(connection)
    _WAITING.labels(context.name).set(waiting)
    _AGE.labels(context.name).set((context.now() - oldest).total_seconds() if oldest else 0)
