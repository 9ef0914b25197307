"""A connector as a service: the kit's routes, consumers and loops around one ``Connector``."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter

from koppel_mesh.messages import DocumentReady, DossierChanged, EventData
from koppel_mesh.migrations import MESH, Lineage
from koppel_mesh.service import Handler, Loop, Service

from .calls.retention import forget_exchanges
from .connection.importing import refresh_master_data, serve_imports
from .connection.maintenance import keep_alive, rotate_keys
from .connection.monitoring import measure
from .contract import Connector
from .delivery.export import serve_deliveries
from .delivery.handlers import take_documents, take_dossiers
from .delivery.leaving import stop_firm
from .delivery.notices import serve_notices
from .delivery.probe import serve_probes
from .delivery.read_back import serve_read_back
from .delivery.sweeper import reconcile, sweep
from .delivery.watching import serve_watch
from .kit import COMMON_PROBLEMS, open_kit
from .migrations import KIT
from .routes import routers as kit_routers
from .settings import ConnectorSettings

LOOPS = (
    Loop("deliveries", serve_deliveries, 1.0),
    Loop("read-back", serve_read_back, 1.0),
    Loop("probes", serve_probes, 1.0),
    Loop("sweeper", sweep, 1.0),
    Loop("reconciler", reconcile, 5.0),
    Loop("notices", serve_notices, 5.0),
    Loop("books-watch", serve_watch, 60.0),
    Loop("imports", serve_imports, 5.0),
    Loop("master-data-refresh", refresh_master_data, 300.0),
    Loop("keep-alive", keep_alive, 60.0),
    Loop("key-rotation", rotate_keys, 300.0),
    Loop("sync-log-retention", forget_exchanges, 3600.0),
    Loop("gauges", measure, 15.0),
)


HANDLERS: Mapping[type[EventData], Handler] = {DocumentReady: take_documents, DossierChanged: take_dossiers}


def connector_service(
    connector: Connector,
    *,
    settings: type[ConnectorSettings] = ConnectorSettings,
    lineages: Sequence[Lineage] = (),
    routers: Sequence[APIRouter] = (),
    loops: Sequence[Loop] = (),
    handlers: Mapping[type[EventData], Handler] | None = None,
) -> Service:
    """Return the service of ``connector``.

    Args:
        connector: the vendor.
        settings: those of the service, read from the environment.
        lineages: the revisions of tables of its own.
        routers: further routes; they find the kit as ``context.resources``.
        loops: further work that it does by itself.
        handlers: for further facts; those that the kit handles stay its own.

    Raises:
        ValueError: a loop or a handler would take the place of one of the kit's.
    """
    own_handlers = handlers or {}
    taken = [loop.name for loop in loops if loop.name in {each.name for each in LOOPS}]
    taken += [event.__name__ for event in own_handlers if event in HANDLERS]
    if taken:
        raise ValueError(f"{connector.profile.name}: the kit has its own {', '.join(taken)}")
    return Service(
        name=connector.profile.name,
        title=f"Koppel connector to {connector.profile.title}",
        kind="connector",
        calls=("dossier-api",),
        problems=tuple(connector.profile.problems),
        shared_problems=tuple(COMMON_PROBLEMS),
        settings=settings,
        routers=(*kit_routers(connector), *routers),
        handlers={**HANDLERS, **own_handlers},
        loops=(*LOOPS, *loops),
        lineages=(MESH, KIT, *lineages),
        firm_stops=(stop_firm,),
        resources=open_kit(connector),
    )
