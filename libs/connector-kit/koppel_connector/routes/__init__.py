"""The HTTP surface every connector has (contract §7)."""

from collections.abc import Sequence

from fastapi import APIRouter

from koppel_connector.contract.connector import Connector

from . import callback, connections, deliveries, vendor


def routers(connector: Connector) -> Sequence[APIRouter]:
    """Return the routes of a connector; its settings model becomes part of the OpenAPI document."""
    return (connections.router(connector), vendor.router, deliveries.router, callback.router)
