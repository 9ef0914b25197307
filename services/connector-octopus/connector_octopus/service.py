"""The service: the kit's routes, consumers and loops around the connector to Octopus."""

from typing import Final

from koppel_connector.mail.mailbox import LOOP as MAILBOX_LOOP
from koppel_connector.service import connector_service

from .connector import OctopusConnector
from .settings import OctopusServiceSettings

SERVICE: Final = connector_service(OctopusConnector(), settings=OctopusServiceSettings, loops=(MAILBOX_LOOP,))
