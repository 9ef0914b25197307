# Generated from the joined OpenAPI document by `make client`.
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from koppel_client.caller import Caller

    from . import models


class ExportScheduler:
    """The calls of export-scheduler."""

    def __init__(self, koppel: Caller) -> None:
        self._koppel, self._base = koppel, "/export-scheduler"

    def start_export(
        self, dossier_id: str, body: models.ExportRequest, *, idempotency_key: str | None = None
    ) -> models.Started:
        """Send documents now, whatever the dossier's rules say."""
        answer: models.Started = self._koppel.call(
            "POST",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/exports",
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def count_waiting(self) -> models.ExportSchedulerWaiting:
        """Count the documents that wait, by what they wait for; and those that should have gone by now."""
        answer: models.ExportSchedulerWaiting = self._koppel.call("GET", f"{self._base}/v1/waiting")
        return answer

    def get_export(self, export_id: str) -> models.Progress:
        """Return how far an export has come."""
        answer: models.Progress = self._koppel.call("GET", f"{self._base}/v1/exports/{quote(export_id, safe='')}")
        return answer

    def get_schedule(
        self, dossier_id: str, *, limit: int | None = None, after: str | None = None
    ) -> models.PageScheduledDocument:
        """Return what waits, the soonest first; what waits for a person comes last."""
        answer: models.PageScheduledDocument = self._koppel.call(
            "GET",
            f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/schedule",
            query={"limit": limit, "after": after},
        )
        return answer

    def iterate_schedule(self, dossier_id: str) -> Iterator[models.ScheduledDocument]:
        """Go through all pages of ``get_schedule``."""
        return self._koppel.items(f"{self._base}/v1/dossiers/{quote(dossier_id, safe='')}/schedule", {})

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
