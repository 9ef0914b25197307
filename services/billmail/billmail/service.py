"""The service: the kit's routes, consumers and loops around the mail connector."""

from typing import Final

from koppel_connector.service import connector_service
from koppel_mesh.migrations import Lineage, versions_beside
from koppel_mesh.service import Loop

from . import tables
from .connector import BillmailConnector
from .mailbox import INTERVAL_S, read_mailbox
from .period_mails.routes import router
from .period_mails.sending import LOOP, serve_period_mails
from .settings import BillmailServiceSettings

SERVICE: Final = connector_service(
    BillmailConnector(),
    settings=BillmailServiceSettings,
    lineages=(Lineage("billmail", versions_beside(__file__), tables.metadata),),
    routers=(router,),
    loops=(Loop("mailbox", read_mailbox, INTERVAL_S), Loop(LOOP, serve_period_mails, 1.0)),
)
