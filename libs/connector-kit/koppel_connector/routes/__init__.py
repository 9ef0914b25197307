"""The HTTP surface every connector has (contract §7)."""

from collections.abc import Sequence

from fastapi import APIRouter

from koppel_connector.contract import Connector, OAuthProfile

from . import company, connections, consent, deliveries, notices, settings_schema, vendor


def routers(connector: Connector) -> Sequence[APIRouter]:
    """Return the routes of a connector; its settings model becomes part of the OpenAPI document."""
    profile = connector.profile
    has_consents = any(isinstance(auth, OAuthProfile) for auth in (profile.auth, *profile.other_auth))
    made = (settings_schema.router(connector), connections.router(connector))
    always = (*made, company.router, vendor.router, deliveries.router, notices.router)
    return (*always, consent.router) if has_consents else always
