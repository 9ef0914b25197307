"""The scheduler as one value."""

from koppel_mesh.messages import ConnectionChanged, DeliveryChanged, DocumentChanged, DossierChanged
from koppel_mesh.migrations import migrations_of
from koppel_mesh.service import Loop, Service

from . import connections, handlers, release, routes
from .settings import SchedulerSettings

SERVICE = Service(
    name="export-scheduler",
    title="Koppel export scheduler",
    settings=SchedulerSettings,
    routers=(routes.router,),
    handlers={
        DossierChanged: handlers.on_dossier_changed,
        DocumentChanged: handlers.on_document_changed,
        DeliveryChanged: handlers.on_delivery_changed,
        ConnectionChanged: connections.on_connection_changed,
    },
    loops=(
        Loop(handlers.REPLAN, release.replan, interval_s=1.0),
        Loop(handlers.RELEASE, release.release_due, interval_s=0.5),
        Loop(handlers.QUEUED, release.release_queued, interval_s=0.5),
    ),
    migrations=migrations_of(__file__),
)
