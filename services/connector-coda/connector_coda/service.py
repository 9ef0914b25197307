"""connector-coda as one value."""

from koppel_mesh.firm_data.staying import of_firms_that_stay
from koppel_mesh.messages import ConnectionChanged, DeliveryChanged, DocumentChanged, DocumentReady, DossierChanged
from koppel_mesh.migrations import MESH, Lineage, versions_beside
from koppel_mesh.service import Loop, Service

from . import arranging, handlers, monitoring, reading, releasing, tables
from .firm_data import FIRM_DATA
from .problems import CATALOGUE
from .routes import accounts, decisions, feed, payment_keys
from .settings import CodaSettings

CONNECTOR_CODA = Lineage("connector-coda", versions_beside(__file__), tables.metadata, firm_data=FIRM_DATA)
SERVICE = Service(
    name="connector-coda",
    title="Koppel statements",
    calls=("dossier-api",),
    problems=tuple(CATALOGUE),
    settings=CodaSettings,
    routers=(accounts.router, decisions.router, feed.router, payment_keys.router),
    handlers={
        DossierChanged: of_firms_that_stay(handlers.on_dossier_changed),
        DocumentChanged: of_firms_that_stay(handlers.on_document_changed),
        DocumentReady: of_firms_that_stay(handlers.on_document_ready),
        DeliveryChanged: of_firms_that_stay(handlers.on_delivery_changed),
        ConnectionChanged: of_firms_that_stay(handlers.on_connection_changed),
    },
    loops=(
        Loop(handlers.READ, reading.read_documents, interval_s=1.0),
        Loop(handlers.ARRANGE, arranging.arrange_dossier, interval_s=1.0),
        Loop(handlers.RELEASE, releasing.release_statements, interval_s=0.5),
        Loop("backlog gauge", monitoring.gauge_backlog, interval_s=15.0),
    ),
    lineages=(MESH, CONNECTOR_CODA),
)
