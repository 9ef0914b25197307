"""The scheduler as one value."""

from koppel_mesh.firm_data.staying import of_firms_that_stay
from koppel_mesh.messages import ConnectionChanged, DeliveryChanged, DocumentChanged, DossierChanged
from koppel_mesh.migrations import MESH, Lineage, versions_beside
from koppel_mesh.service import Loop, Service

from . import connections, handlers, release, routes, tables, unanswered
from .firm_data import FIRM_DATA
from .settings import SchedulerSettings

EXPORT_SCHEDULER = Lineage(
    "export-scheduler",
    versions_beside(__file__),
    tables.metadata,
    handover={"0001": "0001", "0002": "0002"},
    firm_data=FIRM_DATA,
)
SERVICE = Service(
    name="export-scheduler",
    title="Koppel export scheduler",
    calls=("dossier-api",),
    settings=SchedulerSettings,
    routers=(routes.router,),
    handlers={
        DossierChanged: of_firms_that_stay(handlers.on_dossier_changed),
        DocumentChanged: of_firms_that_stay(handlers.on_document_changed),
        DeliveryChanged: of_firms_that_stay(handlers.on_delivery_changed),
        ConnectionChanged: of_firms_that_stay(connections.on_connection_changed),
    },
    loops=(
        Loop(handlers.REPLAN, release.replan, interval_s=1.0),
        Loop(handlers.RELEASE, release.release_due, interval_s=0.5),
        Loop(handlers.QUEUED, release.release_queued, interval_s=0.5),
        Loop("repeat unanswered", unanswered.repeat_unanswered, interval_s=15.0),
    ),
    lineages=(MESH, EXPORT_SCHEDULER),
)
