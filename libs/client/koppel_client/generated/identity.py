# Generated from the joined OpenAPI document by `make client`.
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from koppel_client.caller import Caller

    from . import models


class Identity:
    """The calls of identity."""

    def __init__(self, koppel: Caller) -> None:
        self._koppel, self._base = koppel, "/identity"

    def key_set(self) -> Any:
        """Return the public keys tokens are checked with."""
        answer: Any = self._koppel.call("GET", f"{self._base}/.well-known/jwks.json")
        return answer

    def authorization_server_metadata(self) -> dict[str, Any]:
        """Return where everything is (RFC 8414)."""
        answer: dict[str, Any] = self._koppel.call("GET", f"{self._base}/.well-known/oauth-authorization-server")
        return answer

    def metadata(self) -> dict[str, Any]:
        """Return where everything is (RFC 8414)."""
        answer: dict[str, Any] = self._koppel.call("GET", f"{self._base}/.well-known/openid-configuration")
        return answer

    def create_client(self, body: models.NewClient, *, idempotency_key: str | None = None) -> Any:
        """Make a client: of one firm, a partner that firms consent to, or a service that sees every firm.

        Its secret is in this answer and nowhere else to be read.
        """
        answer: Any = self._koppel.call("POST", f"{self._base}/v1/clients", body=body, idempotency_key=idempotency_key)
        return answer

    def list_clients(self, *, limit: int | None = None, after: str | None = None) -> models.PageShownClient:
        """List clients in the order they were made."""
        answer: models.PageShownClient = self._koppel.call(
            "GET", f"{self._base}/v1/clients", query={"limit": limit, "after": after}
        )
        return answer

    def iterate_clients(self) -> Iterator[models.ShownClient]:
        """Go through all pages of ``list_clients``."""
        return self._koppel.items(f"{self._base}/v1/clients", {})

    def show_client_access(self, *, client_id: list[str], firm_id: list[str] | None = None) -> models.ClientAccess:
        """Say what these clients may do now, for who sends them something.

        There is an item for each firm that a client sees by its binding or by consent; with ``firm_id``, for those firms alone.
        """
        answer: models.ClientAccess = self._koppel.call(
            "GET", f"{self._base}/v1/client-access", query={"client_id": client_id, "firm_id": firm_id}
        )
        return answer

    def show_client(self, client_id: str) -> models.ShownClient:
        """Show one client."""
        answer: models.ShownClient = self._koppel.call("GET", f"{self._base}/v1/clients/{quote(client_id, safe='')}")
        return answer

    def change_client(self, client_id: str, body: models.ClientChange) -> models.ShownClient:
        """Change a client. What is taken from it ends its tokens: it asks for new ones, as far as it may."""
        answer: models.ShownClient = self._koppel.call(
            "PATCH", f"{self._base}/v1/clients/{quote(client_id, safe='')}", body=body
        )
        return answer

    def delete_client(self, client_id: str) -> None:
        """Delete a client. Its tokens end, and consents to it are withdrawn and stay to be read."""
        self._koppel.call("DELETE", f"{self._base}/v1/clients/{quote(client_id, safe='')}")

    def list_revocations(self) -> models.Revoked:
        """List what is revoked and has not ended by itself, the newest first, for services that check tokens."""
        answer: models.Revoked = self._koppel.call("GET", f"{self._base}/v1/revocations")
        return answer

    def rotate_keys(self) -> dict[str, float]:
        """Make the next signing key now; it signs once everybody can have seen it."""
        answer: dict[str, float] = self._koppel.call("POST", f"{self._base}/v1/signing-keys/rotate")
        return answer

    def add_secret(
        self, client_id: str, body: models.NewSecret, *, idempotency_key: str | None = None
    ) -> models.NewSecretShown:
        """Give a client a new secret; the ones before stay valid for a while."""
        answer: models.NewSecretShown = self._koppel.call(
            "POST",
            f"{self._base}/v1/clients/{quote(client_id, safe='')}/secrets",
            body=body,
            idempotency_key=idempotency_key,
        )
        return answer

    def list_secrets(self, client_id: str) -> models.Secrets:
        """List the secrets of a client without their values, oldest first, those that have ended too."""
        answer: models.Secrets = self._koppel.call(
            "GET", f"{self._base}/v1/clients/{quote(client_id, safe='')}/secrets"
        )
        return answer

    def end_secret(self, client_id: str, secret_id: str) -> None:
        """End a secret at once, because somebody else may have it; all tokens of the client end with it."""
        self._koppel.call(
            "DELETE", f"{self._base}/v1/clients/{quote(client_id, safe='')}/secrets/{quote(secret_id, safe='')}"
        )

    def grant_consent(self, body: models.NewConsent, *, idempotency_key: str | None = None) -> models.Consent:
        """Let a partner act for your firm with these scopes, from now until you withdraw it; they replace those granted before."""
        answer: models.Consent = self._koppel.call(
            "POST", f"{self._base}/v1/consents", body=body, idempotency_key=idempotency_key
        )
        return answer

    def list_consents(
        self, *, client_id: str | None = None, limit: int | None = None, after: str | None = None
    ) -> models.PageConsent:
        """List your firm's consents in the order they were granted, those that were withdrawn too."""
        answer: models.PageConsent = self._koppel.call(
            "GET", f"{self._base}/v1/consents", query={"client_id": client_id, "limit": limit, "after": after}
        )
        return answer

    def iterate_consents(self, *, client_id: str | None = None) -> Iterator[models.Consent]:
        """Go through all pages of ``list_consents``."""
        return self._koppel.items(f"{self._base}/v1/consents", {"client_id": client_id})

    def withdraw_consent(self, consent_id: str) -> None:
        """Withdraw a consent: the partner gets no token and no event any more, and its tokens for your firm end within seconds.

        The consent stays to be read, with who withdrew it and when.
        """
        self._koppel.call("DELETE", f"{self._base}/v1/consents/{quote(consent_id, safe='')}")

    def list_audit_log(
        self,
        *,
        act: models.Act | None = None,
        actor: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> models.PageAuditEntry:
        """List who did what with clients, secrets, consents, keys and tokens, the newest first: what concerns your firm."""
        answer: models.PageAuditEntry = self._koppel.call(
            "GET", f"{self._base}/v1/audit-log", query={"act": act, "actor": actor, "limit": limit, "after": after}
        )
        return answer

    def iterate_audit_log(
        self, *, act: models.Act | None = None, actor: str | None = None
    ) -> Iterator[models.AuditEntry]:
        """Go through all pages of ``list_audit_log``."""
        return self._koppel.items(f"{self._base}/v1/audit-log", {"act": act, "actor": actor})

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
