"""dossier-api as one value."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import koppel_ubl
from koppel_mesh.messages import ConnectionChanged, DeliveryChanged
from koppel_mesh.migrations import MESH, Lineage, versions_beside
from koppel_mesh.service import Context, Loop, Service
from koppel_mesh.settings import MeshSettings

from . import erasing, leaving, tables
from .blobs import BlobStore
from .firm_data import FIRM_DATA
from .handlers import connections_changed, deliveries_changed
from .questions import QUESTIONS
from .routes import contents, documents, dossiers, master_data, problems

DOSSIER_API = Lineage(
    "dossier-api", versions_beside(__file__), tables.metadata, handover={"0001": "0001"}, firm_data=FIRM_DATA
)


@asynccontextmanager
async def _resources(context: Context) -> AsyncIterator[BlobStore]:
    # The first check of a process compiles its rules; here no request waits for that.
    await asyncio.to_thread(koppel_ubl.prepare)
    yield BlobStore(context.settings.blob_url)


SERVICE = Service(
    name="dossier-api",
    title="Koppel dossiers and documents",
    settings=MeshSettings,
    routers=(dossiers.router, documents.router, contents.router, master_data.router, problems.router),
    handlers={DeliveryChanged: deliveries_changed, ConnectionChanged: connections_changed},
    loops=(
        Loop("erase contents", erasing.erase_next, interval_s=60.0),
        Loop("firms that came back", leaving.look_for_returned, interval_s=3600.0),
    ),
    firm_stops=(leaving.stop_firm,),
    lineages=(MESH, DOSSIER_API),
    resources=_resources,
    calls_connectors=True,
    problems=QUESTIONS,
)
