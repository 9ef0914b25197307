"""The service: the kit's routes, consumers and loops around the mail connector."""

from typing import Final

from koppel_connector.service import connector_service
from koppel_mesh.service import Loop

from .connector import BillmailConnector
from .mailbox import INTERVAL_S, read_mailbox
from .settings import BillmailServiceSettings

SERVICE: Final = connector_service(
    BillmailConnector(),
    settings=BillmailServiceSettings,
    loops=(Loop("mailbox", read_mailbox, INTERVAL_S),),
)
