# Generated from the joined OpenAPI document by `make client`.
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from koppel_client.caller import Caller

    from . import models


class Connector:
    """What every connector answers."""

    def __init__(self, koppel: Caller, name: str) -> None:
        self._koppel, self._base = koppel, f"/{name}"

    def read_settings_schema(self) -> dict[str, Any]:
        """Read the JSON Schema of a connection's settings; ``chooses_from`` names the master data a field chooses from."""
        answer: dict[str, Any] = self._koppel.call("GET", f"{self._base}/v1/settings-schema")
        return answer

    def create_connection(
        self, body: models.NewConnection, *, idempotency_key: str | None = None
    ) -> models.ConnectionView:
        """Create Connection"""
        answer: models.ConnectionView = self._koppel.call(
            "POST", f"{self._base}/v1/connections", body=body, idempotency_key=idempotency_key
        )
        return answer

    def list_connections(
        self, *, dossier_id: str | None = None, limit: int | None = None, after: str | None = None
    ) -> models.PageConnectionView:
        """List connections, oldest first."""
        answer: models.PageConnectionView = self._koppel.call(
            "GET", f"{self._base}/v1/connections", query={"dossier_id": dossier_id, "limit": limit, "after": after}
        )
        return answer

    def iterate_connections(self, *, dossier_id: str | None = None) -> Iterator[models.ConnectionView]:
        """Go through all pages of ``list_connections``."""
        return self._koppel.items(f"{self._base}/v1/connections", {"dossier_id": dossier_id})

    def read_one_connection(self, connection_id: str) -> models.ConnectionView:
        """Read one connection; while it waits for a consent, with the address where that is given."""
        answer: models.ConnectionView = self._koppel.call(
            "GET", f"{self._base}/v1/connections/{quote(connection_id, safe='')}"
        )
        return answer

    def change_connection(self, connection_id: str, body: models.Changes) -> models.ConnectionView:
        """Change some settings. Documents that waited for them go on."""
        answer: models.ConnectionView = self._koppel.call(
            "PATCH", f"{self._base}/v1/connections/{quote(connection_id, safe='')}", body=body
        )
        return answer

    def remove_connection(self, connection_id: str) -> None:
        """Disconnect: the grant and the secrets are destroyed, what waited ends, the sync log stays."""
        self._koppel.call("DELETE", f"{self._base}/v1/connections/{quote(connection_id, safe='')}")

    def confirm_company(self, connection_id: str, body: models.CompanyConfirmation) -> models.ConnectionView:
        """Let documents go to the company that the vendor tells now. Another number later is asked about anew."""
        answer: models.ConnectionView = self._koppel.call(
            "POST", f"{self._base}/v1/connections/{quote(connection_id, safe='')}/confirm-company", body=body
        )
        return answer

    def list_remote_dossiers(self, connection_id: str) -> models.RemoteDossiers:
        """List divisions or dossiers the login sees, each with the right that is missing."""
        answer: models.RemoteDossiers = self._koppel.call(
            "GET", f"{self._base}/v1/connections/{quote(connection_id, safe='')}/remote-dossiers"
        )
        return answer

    def import_master_data(self, connection_id: str) -> models.VendorAccepted:
        """Bring relations, ledger accounts, journals and VAT codes, soon."""
        answer: models.VendorAccepted = self._koppel.call(
            "POST", f"{self._base}/v1/connections/{quote(connection_id, safe='')}/import"
        )
        return answer

    def check_connection(self, connection_id: str) -> models.Check:
        """Check settings, login, rights, year, journals and VAT codes, each by itself; the first only while some are missing."""
        answer: models.Check = self._koppel.call(
            "POST", f"{self._base}/v1/connections/{quote(connection_id, safe='')}/check"
        )
        return answer

    def read_sync_log(
        self, connection_id: str, *, document_id: str | None = None, limit: int | None = None, after: str | None = None
    ) -> models.PageAttemptView:
        """List exchanges with the vendor, newest first; secrets and files are masked."""
        answer: models.PageAttemptView = self._koppel.call(
            "GET",
            f"{self._base}/v1/connections/{quote(connection_id, safe='')}/sync-log",
            query={"document_id": document_id, "limit": limit, "after": after},
        )
        return answer

    def iterate_sync_log(self, connection_id: str, *, document_id: str | None = None) -> Iterator[models.AttemptView]:
        """Go through all pages of ``read_sync_log``."""
        return self._koppel.items(
            f"{self._base}/v1/connections/{quote(connection_id, safe='')}/sync-log", {"document_id": document_id}
        )

    def list_deliveries(
        self,
        *,
        state: models.DeliveryState | None = None,
        connection_id: str | None = None,
        document_id: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> models.PageDeliveryView:
        """List deliveries, newest first."""
        answer: models.PageDeliveryView = self._koppel.call(
            "GET",
            f"{self._base}/v1/deliveries",
            query={
                "state": state,
                "connection_id": connection_id,
                "document_id": document_id,
                "limit": limit,
                "after": after,
            },
        )
        return answer

    def iterate_deliveries(
        self,
        *,
        state: models.DeliveryState | None = None,
        connection_id: str | None = None,
        document_id: str | None = None,
    ) -> Iterator[models.DeliveryView]:
        """Go through all pages of ``list_deliveries``."""
        return self._koppel.items(
            f"{self._base}/v1/deliveries", {"state": state, "connection_id": connection_id, "document_id": document_id}
        )

    def count_waiting(self) -> models.Waiting:
        """Count the deliveries that are not at their end, by state; states without any are left out."""
        answer: models.Waiting = self._koppel.call("GET", f"{self._base}/v1/waiting")
        return answer

    def read_one_delivery(self, delivery_id: str) -> models.DeliveryView:
        """Read one delivery."""
        answer: models.DeliveryView = self._koppel.call(
            "GET", f"{self._base}/v1/deliveries/{quote(delivery_id, safe='')}"
        )
        return answer

    def retry_delivery(self, delivery_id: str) -> models.DeliveryView:
        """Try again now. What may have reached the vendor is looked up first, as always.

        It also ends the pause of a connection whose vendor was away. Where the problem may come of old master data, that is imported
        again: what a person has just changed at the vendor is not known here yet.
        """
        answer: models.DeliveryView = self._koppel.call(
            "POST", f"{self._base}/v1/deliveries/{quote(delivery_id, safe='')}/retry"
        )
        return answer

    def resolve_delivery(self, delivery_id: str, body: models.Resolution) -> models.DeliveryView:
        """Settle what only a person can know: it is booked, it must be sent again, or it is left."""
        answer: models.DeliveryView = self._koppel.call(
            "POST", f"{self._base}/v1/deliveries/{quote(delivery_id, safe='')}/resolve", body=body
        )
        return answer

    def export_firm_data(self, firm_id: str) -> bytes:
        """Stream everything that this service holds of a firm: a line for each row, ``{"table": …, "row": {…}}``, without secrets.

        The last line is ``{"end": true, "rows": …}``; without it the stream broke off.
        """
        answer: bytes = self._koppel.call("GET", f"{self._base}/v1/firms/{quote(firm_id, safe='')}/data")
        return answer

    def delete_firm_data(self, firm_id: str, *, confirm: str | None = None) -> models.DeletedData:
        """Delete what this service holds of a firm that leaves, but for what a duty keeps.

        It works for some seconds; the service goes on by itself until ``complete``, and this call may be repeated meanwhile.
        """
        answer: models.DeletedData = self._koppel.call(
            "DELETE", f"{self._base}/v1/firms/{quote(firm_id, safe='')}/data", query={"confirm": confirm}
        )
        return answer

    def show_firm_holdings(self, firm_id: str) -> models.FirmHoldings:
        """Say what this service holds of a firm: how many rows of each table, and how many stay until when, and why."""
        answer: models.FirmHoldings = self._koppel.call(
            "GET", f"{self._base}/v1/firms/{quote(firm_id, safe='')}/holdings"
        )
        return answer
