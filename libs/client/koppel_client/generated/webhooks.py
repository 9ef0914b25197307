# Generated from the joined OpenAPI document by `make client`.
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

if TYPE_CHECKING:
    from koppel_client.caller import Caller

    from . import models


class Webhooks:
    """The calls of webhooks."""

    def __init__(self, koppel: Caller) -> None:
        self._koppel, self._base = koppel, "/webhooks"

    def register_endpoint(
        self, body: models.NewEndpoint, *, idempotency_key: str | None = None
    ) -> models.NewEndpointShown:
        """Register an address. Its secret is in this answer and nowhere else; a challenge is sent to the address next."""
        answer: models.NewEndpointShown = self._koppel.call(
            "POST", f"{self._base}/v1/endpoints", body=body, idempotency_key=idempotency_key
        )
        return answer

    def list_endpoints(self, *, limit: int | None = None, after: str | None = None) -> models.PageShownEndpoint:
        """List your endpoints in the order they were registered."""
        answer: models.PageShownEndpoint = self._koppel.call(
            "GET", f"{self._base}/v1/endpoints", query={"limit": limit, "after": after}
        )
        return answer

    def iterate_endpoints(self) -> Iterator[models.ShownEndpoint]:
        """Go through all pages of ``list_endpoints``."""
        return self._koppel.items(f"{self._base}/v1/endpoints", {})

    def read_endpoint(self, endpoint_id: str) -> models.ShownEndpoint:
        """Return an endpoint, with its state and what is wrong with it."""
        answer: models.ShownEndpoint = self._koppel.call(
            "GET", f"{self._base}/v1/endpoints/{quote(endpoint_id, safe='')}"
        )
        return answer

    def change_endpoint(self, endpoint_id: str, body: models.EndpointChange) -> models.ShownEndpoint:
        """Change an endpoint, or pause it: what happens meanwhile is sent when it is enabled again."""
        answer: models.ShownEndpoint = self._koppel.call(
            "PATCH", f"{self._base}/v1/endpoints/{quote(endpoint_id, safe='')}", body=body
        )
        return answer

    def delete_endpoint(self, endpoint_id: str) -> None:
        """Delete an endpoint; what was on its way to it is sent no more."""
        self._koppel.call("DELETE", f"{self._base}/v1/endpoints/{quote(endpoint_id, safe='')}")

    def enable_endpoint(self, endpoint_id: str) -> models.ShownEndpoint:
        """Send to a paused endpoint again; one that is disabled or not verified gets a new challenge first."""
        answer: models.ShownEndpoint = self._koppel.call(
            "POST", f"{self._base}/v1/endpoints/{quote(endpoint_id, safe='')}/enable"
        )
        return answer

    def rotate_secret(
        self, endpoint_id: str, body: models.Rotation, *, idempotency_key: str | None = None
    ) -> models.WebhooksNewSecret:
        """Make a new secret and key pair. During the overlap both sign; the new secret is in this answer and nowhere else.

        With an ``Idempotency-Key`` an answer that was lost can be had again. Without one its secret is lost with it, and after the
        overlap nothing that you have checks our signatures.
        """
        answer: models.WebhooksNewSecret = self._koppel.call(
            "POST",
            f"{self._base}/v1/endpoints/{quote(endpoint_id, safe='')}/rotate-secret",
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def test_endpoint(self, endpoint_id: str) -> models.TestResult:
        """Send an ``endpoint.test`` event, or the challenge while the endpoint is not verified, and return what came of it."""
        answer: models.TestResult = self._koppel.call(
            "POST", f"{self._base}/v1/endpoints/{quote(endpoint_id, safe='')}/test"
        )
        return answer

    def list_public_keys(self, endpoint_id: str) -> models.PublicKeys:
        """Return the public keys of ``v1a`` signatures, by the ids of the header ``webhook-key-id``. No token is needed."""
        answer: models.PublicKeys = self._koppel.call(
            "GET", f"{self._base}/v1/endpoints/{quote(endpoint_id, safe='')}/keys"
        )
        return answer

    def list_problems(self, *, limit: int | None = None, after: str | None = None) -> models.PageEndpointProblem:
        """List the open problems of your endpoints: what was disabled, and what has not answered its challenge."""
        answer: models.PageEndpointProblem = self._koppel.call(
            "GET", f"{self._base}/v1/problems", query={"limit": limit, "after": after}
        )
        return answer

    def iterate_problems(self) -> Iterator[models.EndpointProblem]:
        """Go through all pages of ``list_problems``."""
        return self._koppel.items(f"{self._base}/v1/problems", {})

    def list_deliveries(
        self,
        endpoint_id: str,
        *,
        state: Literal["pending", "delivered", "failed", "withheld"] | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> models.PageShownDelivery:
        """List deliveries, the newest event first, each with its attempts."""
        answer: models.PageShownDelivery = self._koppel.call(
            "GET",
            f"{self._base}/v1/endpoints/{quote(endpoint_id, safe='')}/deliveries",
            query={"state": state, "limit": limit, "after": after},
        )
        return answer

    def iterate_deliveries(
        self, endpoint_id: str, *, state: Literal["pending", "delivered", "failed", "withheld"] | None = None
    ) -> Iterator[models.ShownDelivery]:
        """Go through all pages of ``list_deliveries``."""
        return self._koppel.items(
            f"{self._base}/v1/endpoints/{quote(endpoint_id, safe='')}/deliveries", {"state": state}
        )

    def replay_events(
        self, endpoint_id: str, body: models.Replay, *, idempotency_key: str | None = None
    ) -> models.ReplayStarted:
        """Send the events of a span of time again, with the ids that they had; also those of before the endpoint was registered."""
        answer: models.ReplayStarted = self._koppel.call(
            "POST",
            f"{self._base}/v1/endpoints/{quote(endpoint_id, safe='')}/replay",
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def list_events(
        self, *, after: str | None = None, event_types: list[str] | None = None, limit: int | None = None
    ) -> models.Events:
        """List events of your firm in the order they were recorded.

        ``after`` is the ``next`` of an earlier answer, or the id of the last event (``webhook-id``) that you have; ``end`` gives
        no event, and the ``next`` for what comes from now on.
        """
        answer: models.Events = self._koppel.call(
            "GET", f"{self._base}/v1/events", query={"after": after, "event_types": event_types, "limit": limit}
        )
        return answer

    def read_schema(self, event_type: str) -> dict[str, Any]:
        """Return the JSON Schema of version 1 of an event's data. No token is needed."""
        answer: dict[str, Any] = self._koppel.call("GET", f"{self._base}/v1/schemas/{quote(event_type, safe='')}")
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
