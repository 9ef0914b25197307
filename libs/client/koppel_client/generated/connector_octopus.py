# Generated from the joined OpenAPI document by `make client`.
from .connector import Connector


class ConnectorOctopus(Connector):
    """The calls of connector-octopus."""
