"""The service: the kit's routes, consumers and loops around the mail connector."""

from typing import Final

from koppel_connector.mail.mailbox import LOOP as MAILBOX_LOOP
from koppel_connector.service import connector_service
from koppel_mesh.migrations import Lineage, versions_beside
from koppel_mesh.service import Loop

from . import tables
from .connector import BillmailConnector
from .firm_data import FIRM_DATA
from .period_mails.routes import router
from .period_mails.sending import LOOP, serve_period_mails
from .settings import BillmailServiceSettings

SERVICE: Final = connector_service(
    BillmailConnector(),
    settings=BillmailServiceSettings,
    lineages=(Lineage("billmail", versions_beside(__file__), tables.metadata, firm_data=FIRM_DATA),),
    routers=(router,),
    loops=(MAILBOX_LOOP, Loop(LOOP, serve_period_mails, 1.0)),
)
