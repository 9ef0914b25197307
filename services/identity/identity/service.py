"""The identity service as one value."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from koppel_mesh.auth import SCOPES
from koppel_mesh.keyring import KeyRing
from koppel_mesh.migrations import MESH, Lineage, versions_beside
from koppel_mesh.service import Context, Loop, Service

from . import clients, keys, tables
from .hashing import hash_secret
from .routes import admin, oauth
from .settings import DEMO_CLIENT, DEMO_FIRM, DEMO_SECRET, IdentitySettings

ROTATION_INTERVAL_S = 3600.0
IDENTITY = Lineage("identity", versions_beside(__file__), tables.metadata, handover={"0001": "0001"})


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
            await clients.ensure(tx, settings.service_client_id, "Koppel's own services", hashed, list(SCOPES), None)
    if settings.env == "local":
        hashed = await asyncio.to_thread(hash_secret, DEMO_SECRET)
        async with context.database.transaction() as tx:
            await clients.ensure(tx, DEMO_CLIENT, "Demo firm", hashed, list(SCOPES), DEMO_FIRM)
    yield ring


async def _rotate(context: Context) -> None:
    async with context.database.transaction() as tx:
        await keys.rotate(tx, context.resources, older_than_days=context.settings.signing_key_days)


SERVICE = Service(
    name="identity",
    title="Koppel identity",
    settings=IdentitySettings,
    routers=(oauth.router, admin.router),
    loops=(Loop("key rotation", _rotate, ROTATION_INTERVAL_S),),
    lineages=(MESH, IDENTITY),
    resources=_ready,
)
