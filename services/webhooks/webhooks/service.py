"""webhooks as one value."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from koppel_mesh.firm_data.staying import of_firms_that_stay
from koppel_mesh.http.outside_client import OutsideClient
from koppel_mesh.keyring import KeyRing
from koppel_mesh.messages import ConnectionChanged, DeliveryChanged, DocumentChanged, ReceiptsPeriodClosed
from koppel_mesh.migrations import MESH, Lineage, versions_beside
from koppel_mesh.service import Context, Loop, Service

from . import endpoints, leaving, monitoring, owner_mails, partitions, recording, tables
from .firm_data import FIRM_DATA
from .loops import CHALLENGE, OWNERS, SEND
from .problems import CATALOGUE
from .routes import deliveries, events
from .routes import endpoints as endpoint_routes
from .sending.challenge import send_challenges
from .sending.sender import Sender, send_due
from .settings import WebhookSettings

HOUR_S = 3600.0
WEBHOOKS = Lineage("webhooks", versions_beside(__file__), tables.metadata, firm_data=FIRM_DATA)


@asynccontextmanager
async def _ready(context: Context) -> AsyncIterator[Sender]:
    """Have tables for the coming days, and secrets under the newest key, before the first event."""
    settings: WebhookSettings = context.settings
    ring = KeyRing([key.get_secret_value() for key in settings.secret_keys])
    await partitions.make_ahead(context.database)
    async with context.database.transaction() as tx:
        await endpoints.reseal(tx, ring)
    proxy_url = settings.webhook_proxy_url.get_secret_value() if settings.webhook_proxy_url else None
    async with OutsideClient(settings.rules, tls=settings.tls(), proxy_url=proxy_url) as outside:
        sender = Sender(ring, outside, deadline_s=settings.webhook_deadline_s)
        yield sender
        await sender.finish(context)


async def _seal_again(context: Context) -> None:
    async with context.database.transaction() as tx:
        await endpoints.reseal(tx, context.resources.ring)


SERVICE = Service(
    name="webhooks",
    title="Koppel webhooks",
    calls=("identity",),
    settings=WebhookSettings,
    problems=tuple(CATALOGUE),
    routers=(endpoint_routes.router, endpoint_routes.problems_router, deliveries.router, events.router),
    handlers={
        DocumentChanged: of_firms_that_stay(recording.on_document_changed),
        DeliveryChanged: of_firms_that_stay(recording.on_delivery_changed),
        ConnectionChanged: of_firms_that_stay(recording.on_connection_changed),
        ReceiptsPeriodClosed: of_firms_that_stay(recording.on_period_closed),
    },
    loops=(
        Loop(SEND, send_due, interval_s=0.25),
        Loop(CHALLENGE, send_challenges, interval_s=1.0),
        Loop(OWNERS, owner_mails.send_due, interval_s=5.0),
        Loop("partitions", partitions.keep_partitions, HOUR_S),
        Loop("seal again", _seal_again, HOUR_S),
        Loop("backlog gauge", monitoring.gauge_backlog, interval_s=15.0),
    ),
    lineages=(MESH, WEBHOOKS),
    firm_stops=(leaving.stop_firm,),
    resources=_ready,
)
