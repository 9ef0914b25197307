"""pos-ingest as one value."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from koppel_mesh.keyring import KeyRing
from koppel_mesh.messages import DossierChanged
from koppel_mesh.migrations import MESH, Lineage, versions_beside
from koppel_mesh.service import Context, Loop, Service

from . import dossiers, leaving, monitoring, nightly, seals
from .cash_books import routes as cash_books
from .closing import cash_statements, hand_in, receipt_periods
from .closing import routes as closing
from .closing.documents import MAKERS
from .closing.problems import CATALOGUE
from .closing.tables import metadata  # with every table: it is declared by all that is imported here
from .external_invoices import routes as external_invoices
from .firm_data import FIRM_DATA
from .routes import centralisation, entries, receipt_books
from .scrada import keys as scrada_keys
from .scrada import routes as scrada
from .settings import PosSettings
from .tickets import finishing, invoices
from .tickets import problems as ticket_problems
from .tickets import routes as tickets

HOUR_S = 3600.0
POS_INGEST = Lineage("pos-ingest", versions_beside(__file__), metadata, firm_data=FIRM_DATA)


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
    problems=(*CATALOGUE, *ticket_problems.CATALOGUE),
    routers=(
        receipt_books.router,
        entries.router,
        centralisation.router,
        cash_books.router,
        closing.router,
        external_invoices.router,
        tickets.router,
        scrada_keys.router,
        scrada.router,
    ),
    handlers={DossierChanged: dossiers.on_dossier_changed},
    loops=(
        Loop("ticket invoices", invoices.make_due_invoice, interval_s=5.0),
        Loop("finish days", finishing.finish_due_day, interval_s=30.0),
        Loop(nightly.CLOSE_DAYS, nightly.close_days, interval_s=30.0),
        Loop(receipt_periods.CLOSE_RECEIPTS, receipt_periods.close_ended_receipts, interval_s=30.0),
        Loop(cash_statements.CLOSE_CASH, cash_statements.close_ended_cash, interval_s=30.0),
        Loop(hand_in.HAND_IN, partial(hand_in.hand_in_next, makers=MAKERS), interval_s=1.0),
        Loop("seal keys", nightly.replace_keys, HOUR_S),
        Loop("backlog gauge", monitoring.gauge_backlog, interval_s=15.0),
        Loop("retention", nightly.forget_ended, HOUR_S),
    ),
    lineages=(MESH, POS_INGEST),
    firm_stops=(leaving.stop_firm,),
    resources=_ready,
)
