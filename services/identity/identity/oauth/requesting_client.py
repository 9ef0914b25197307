"""The client that makes a request, as Authlib asks about it."""

from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidRequestError

from identity.clients import Client, Kind
from identity.hashing import matching

_NO_CONSENT = "The firm does not consent, or there is none."
METHODS = ("client_secret_basic", "client_secret_post")


class RequestingClient:
    """A client that has shown an id; there may be none of that id."""

    def __init__(self, client: Client | None, firm_id: UUID | None) -> None:
        self._client = client
        self._asked_firm = firm_id
        self.secret_id: UUID | None = None
        """The secret that it has shown itself with."""

    def check_client_secret(self, given: str) -> bool:
        """Return whether it is one of the client's; for an unknown client as slow, and False."""
        self.secret_id = matching(given, {each.id: each.hash for each in self._client.secrets} if self._client else {})
        return self.secret_id is not None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002 - Authlib asks so
        """Return whether a client may show itself in this way."""
        return method in METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        """Return whether it may have tokens of this grant."""
        return grant_type == "client_credentials"

    def get_allowed_scope(self, scope: str | None) -> str:
        """Return what of ``scope`` the client has for the firm; all it has when it names none."""
        has = set(self.known.scopes)
        if self.known.kind is Kind.PARTNER:
            has &= self.known.consents[self._consenting_firm()]
        asked = scope.split() if scope else has
        return " ".join(sorted(has.intersection(asked)))

    def claims(self) -> dict[str, Any]:
        """Return the claims of a token that are about the client.

        Raises:
            AccessDeniedError: it may not have one for the firm that it names, or for any.
            InvalidRequestError: it has to name one.
        """
        firm_id = self._firm()
        bound = {"firm_id": str(firm_id)} if firm_id else {}
        return {"sub": self.known.client_id, "client_id": self.known.client_id, **bound}

    def answers_for(self, client_id: str) -> bool:
        """Return whether it may ask about a token of that client's and revoke it: its own, and for operators any."""
        is_operator = self.known.kind is Kind.SERVICE and "admin" in self.known.scopes
        return is_operator or client_id == self.known.client_id

    @property
    def known(self) -> Client:
        """Return the client behind it."""
        assert self._client is not None, "a client is asked for what it has after it has shown its secret"
        return self._client

    def _firm(self) -> UUID | None:
        """Return the firm that the token is bound to: None for services alone."""
        if self.known.kind is Kind.PARTNER:
            return self._consenting_firm()
        if self._asked_firm not in {None, self.known.firm_id}:
            raise AccessDeniedError(_NO_CONSENT)
        return self.known.firm_id

    def _consenting_firm(self) -> UUID:
        firms = list(self.known.consents)
        if not firms:
            raise AccessDeniedError(_NO_CONSENT)
        if len(firms) > 1:
            raise _SeveralFirmsError(firms)
        return firms[0]


class _SeveralFirmsError(InvalidRequestError):  # type: ignore[misc]
    """Names the firms beside the parameters of RFC 6749 §5.2: else a partner would have to hear their ids from each."""

    def __init__(self, firms: list[UUID]) -> None:
        super().__init__("Several firms have consented: name one of them, such as those in firm_ids, as firm_id.")
        self._firms = firms

    def get_body(self) -> list[tuple[str, Any]]:
        return [*super().get_body(), ("firm_ids", sorted(map(str, self._firms)))]
