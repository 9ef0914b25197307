# Generated from the joined OpenAPI document by `make client`.
from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from koppel_client.caller import Caller

    from .billmail import Billmail
    from .connector import Connector
    from .connector_coda import ConnectorCoda
    from .connector_exact import ConnectorExact
    from .connector_octopus import ConnectorOctopus
    from .dossier_api import DossierApi
    from .export_scheduler import ExportScheduler
    from .identity import Identity
    from .pos_ingest import PosIngest
    from .webhooks import Webhooks


class Services:
    """The services; each is imported when it is first used."""

    @property
    def billmail(self) -> Billmail:
        """Return the calls of billmail."""
        from .billmail import Billmail

        return Billmail(cast("Caller", self), "billmail")

    @property
    def connector_coda(self) -> ConnectorCoda:
        """Return the calls of connector-coda."""
        from .connector_coda import ConnectorCoda

        return ConnectorCoda(cast("Caller", self))

    @property
    def connector_exact(self) -> ConnectorExact:
        """Return the calls of connector-exact."""
        from .connector_exact import ConnectorExact

        return ConnectorExact(cast("Caller", self), "connector-exact")

    @property
    def connector_octopus(self) -> ConnectorOctopus:
        """Return the calls of connector-octopus."""
        from .connector_octopus import ConnectorOctopus

        return ConnectorOctopus(cast("Caller", self), "connector-octopus")

    @property
    def dossier_api(self) -> DossierApi:
        """Return the calls of dossier-api."""
        from .dossier_api import DossierApi

        return DossierApi(cast("Caller", self))

    @property
    def export_scheduler(self) -> ExportScheduler:
        """Return the calls of export-scheduler."""
        from .export_scheduler import ExportScheduler

        return ExportScheduler(cast("Caller", self))

    @property
    def identity(self) -> Identity:
        """Return the calls of identity."""
        from .identity import Identity

        return Identity(cast("Caller", self))

    @property
    def pos_ingest(self) -> PosIngest:
        """Return the calls of pos-ingest."""
        from .pos_ingest import PosIngest

        return PosIngest(cast("Caller", self))

    @property
    def webhooks(self) -> Webhooks:
        """Return the calls of webhooks."""
        from .webhooks import Webhooks

        return Webhooks(cast("Caller", self))

    def connector(self, name: str) -> Connector:
        """Return what every connector answers, of the one of that name."""
        from .connector import Connector

        return Connector(cast("Caller", self), name)
