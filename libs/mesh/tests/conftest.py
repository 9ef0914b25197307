"""A service of two tables' worth, on real servers."""

from collections.abc import AsyncIterator, Callable

import pytest

from koppel_mesh.broker import declare_topology
from koppel_mesh.clock import utc_now
from koppel_mesh.database import Database
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DocumentKind, DocumentReady, DocumentState, Trigger
from koppel_mesh.migrations import MESH
from koppel_mesh.service import Service
from koppel_mesh.settings import MeshSettings

SERVICE = "test-service"


@pytest.fixture
async def database_url(make_database: Callable[..., str]) -> str:
    return make_database(Service(SERVICE, MeshSettings, lineages=(MESH,)))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, SERVICE)
    yield database
    await database.close()


@pytest.fixture
async def amqp(make_vhost: Callable[[], str]) -> str:
    url = make_vhost()
    await declare_topology(url, {SERVICE: [DocumentReady.type]})
    return url


def ready(number: str = "F-1") -> DocumentReady:
    """Return a fact that is complete and true of no document."""
    return DocumentReady(
        document_id=new_id(),
        dossier_id=new_id(),
        firm_id=new_id(),
        revision=1,
        kind=DocumentKind.SALES_INVOICE,
        number=number,
        issue_date=None,
        created_at=utc_now(),
        state=DocumentState.FILED,
        content=(),
        export_id=new_id(),
        trigger=Trigger.MANUAL,
    )


@pytest.fixture
def fact() -> Callable[..., DocumentReady]:
    return ready
