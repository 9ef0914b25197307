"""The identity service as one value."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from koppel_mesh.auth import SCOPES
from koppel_mesh.keyring import KeyRing
from koppel_mesh.migrations import MESH, Lineage, versions_beside
from koppel_mesh.service import Context, Loop, Service

from . import audit_log, clients, keys, leaving, revocations, tables
from .clients import Kind, NewClient
from .firm_data import FIRM_DATA
from .hashing import hash_secret
from .routes import admin, consents, oauth, secrets
from .routes import audit_log as audit_log_routes
from .settings import DEMO_CLIENT, DEMO_FIRM, DEMO_SECRET, IdentitySettings

ROTATION_INTERVAL_S = 3600.0
FORGET_INTERVAL_S = 3600.0
IDENTITY = Lineage(
    "identity", versions_beside(__file__), tables.metadata, handover={"0001": "0001"}, firm_data=FIRM_DATA
)
DEMO = NewClient(DEMO_CLIENT, "Demo firm", Kind.FIRM, DEMO_FIRM, list(SCOPES))


def _services(client_id: str) -> NewClient:
    return NewClient(client_id, "Koppel's own services", Kind.SERVICE, None, list(SCOPES))


@asynccontextmanager
async def _ready(context: Context) -> AsyncIterator[KeyRing]:
    """Have a key to sign with and the clients the settings name, before the first request."""
    settings: IdentitySettings = context.settings
    ring = KeyRing([key.get_secret_value() for key in settings.secret_keys])
    async with context.database.transaction() as tx:
        await keys.reseal(tx, ring)
        await keys.rotate(tx, ring, older_than_days=settings.signing_key_days)
    if settings.service_client_secret is not None:
        hashed = await asyncio.to_thread(hash_secret, settings.service_client_secret.get_secret_value())
        async with context.database.transaction() as tx:
            await clients.ensure(tx, _services(settings.service_client_id), hashed)
    if settings.env == "local":
        hashed = await asyncio.to_thread(hash_secret, DEMO_SECRET)
        async with context.database.transaction() as tx:
            await clients.ensure(tx, DEMO, hashed)
    yield ring


async def _forget(context: Context) -> None:
    async with context.database.transaction() as tx:
        await revocations.forget(tx)
        await audit_log.forget(tx, context.settings.audit_log_days)


async def _rotate(context: Context) -> None:
    async with context.database.transaction() as tx:
        await keys.rotate(tx, context.resources, older_than_days=context.settings.signing_key_days)


SERVICE = Service(
    name="identity",
    title="Koppel identity",
    settings=IdentitySettings,
    routers=(oauth.router, admin.router, secrets.router, consents.router, audit_log_routes.router),
    loops=(
        Loop("key rotation", _rotate, ROTATION_INTERVAL_S),
        Loop("forget what ended", _forget, FORGET_INTERVAL_S),
    ),
    lineages=(MESH, IDENTITY),
    firm_stops=(leaving.stop_firm,),
    resources=_ready,
)
