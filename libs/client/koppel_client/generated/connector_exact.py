# Generated from the joined OpenAPI document by `make client`.
from .connector import Connector


class ConnectorExact(Connector):
    """The calls of connector-exact."""
