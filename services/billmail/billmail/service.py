"""The service: the kit's routes, consumers and loops around the mail connector."""

from typing import Final

from koppel_connector.service import connector_service

from .connector import BillmailConnector
from .settings import BillmailServiceSettings

SERVICE: Final = connector_service(BillmailConnector(), settings=BillmailServiceSettings)
