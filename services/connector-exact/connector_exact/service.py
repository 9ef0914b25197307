"""The service: the kit's routes, consumers and loops around the connector to Exact Online."""

from typing import Final

from koppel_connector.service import connector_service

from .connector import ExactConnector
from .settings import ExactServiceSettings

SERVICE: Final = connector_service(ExactConnector(), settings=ExactServiceSettings)
