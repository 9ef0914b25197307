"""dossier-api as one value."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from koppel_mesh.messages import ConnectionChanged, DeliveryChanged
from koppel_mesh.migrations import migrations_of
from koppel_mesh.service import Context, Service
from koppel_mesh.settings import MeshSettings

from .blobs import BlobStore
from .handlers import connections_changed, deliveries_changed
from .routes import contents, documents, dossiers, masters, problems

MIGRATIONS = migrations_of(__file__)


@asynccontextmanager
async def _blobs(context: Context) -> AsyncIterator[BlobStore]:
    yield BlobStore(context.settings.blob_url)


SERVICE = Service(
    name="dossier-api",
    title="Koppel dossiers and documents",
    settings=MeshSettings,
    routers=(dossiers.router, documents.router, contents.router, masters.router, problems.router),
    handlers={DeliveryChanged: deliveries_changed, ConnectionChanged: connections_changed},
    migrations=MIGRATIONS,
    resources=_blobs,
)
