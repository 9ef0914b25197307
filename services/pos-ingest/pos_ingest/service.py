"""pos-ingest as one value."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from koppel_mesh.keyring import KeyRing
from koppel_mesh.messages import DossierChanged
from koppel_mesh.migrations import MESH, Lineage, versions_beside
from koppel_mesh.service import Context, Loop, Service

from . import dossiers, nightly, seals, tables
from .routes import centralisation, entries, receipt_books
from .settings import PosSettings

HOUR_S = 3600.0
POS_INGEST = Lineage("pos-ingest", versions_beside(__file__), tables.metadata)


@asynccontextmanager
async def _ready(context: Context) -> AsyncIterator[KeyRing]:
    """Have a key to seal with before the first entry."""
    settings: PosSettings = context.settings
    ring = KeyRing([key.get_secret_value() for key in settings.secret_keys])
    async with context.database.transaction() as tx:
        await seals.prepare_keys(tx, ring, settings.receipts_seal_key_days)
    yield ring


SERVICE = Service(
    name="pos-ingest",
    title="Koppel daily receipts",
    calls=("dossier-api",),
    settings=PosSettings,
    routers=(receipt_books.router, entries.router, centralisation.router),
    handlers={DossierChanged: dossiers.on_dossier_changed},
    loops=(
        Loop("close days", nightly.close_days, interval_s=30.0),
        Loop("seal keys", nightly.replace_keys, HOUR_S),
        Loop("retention", nightly.forget_ended, HOUR_S),
    ),
    lineages=(MESH, POS_INGEST),
    resources=_ready,
)
