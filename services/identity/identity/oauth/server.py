"""Authlib's server with our answers. One object serves one request; it blocks for the time of a secret hash."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from joserfc import jwt

from identity.clients import Client, Kind
from identity.given_tokens import GivenToken, Issue
from identity.keys import ALGORITHM, SigningKey
from koppel_mesh.ids import new_id

from .requesting_client import METHODS, RequestingClient
from .requests import Answer, Form, FormRequest, firm_id_of


@dataclass(frozen=True)
class Known:
    """What was read for a request: its client, the key that signs, and the token that it is about."""

    issue: Issue
    key: SigningKey
    client: Client | None
    token: GivenToken | None = None


@dataclass
class Outcome:
    """The answer, and what is to be written for it."""

    answer: Answer
    secret_id: UUID | None = None
    """The secret that the client has shown itself with."""
    revoked: GivenToken | None = field(default=None)


def give_token(form: Form, headers: Mapping[str, str], known: Known) -> Outcome:
    """Answer a token request."""
    server = _Server(form, known)
    answer: Answer = server.create_token_response(FormRequest(form, headers))
    return Outcome(answer, server.client.secret_id)


def introspect(form: Form, headers: Mapping[str, str], known: Known) -> Outcome:
    """Answer who asks whether a token is active."""
    return _answer(_Introspection.ENDPOINT_NAME, form, headers, known)


def revoke(form: Form, headers: Mapping[str, str], known: Known) -> Outcome:
    """Answer who wants a token revoked."""
    return _answer(_Revocation.ENDPOINT_NAME, form, headers, known)


def _answer(endpoint: str, form: Form, headers: Mapping[str, str], known: Known) -> Outcome:
    server = _Server(form, known)
    answer: Answer = server.create_endpoint_response(endpoint, FormRequest(form, headers))
    return Outcome(answer, server.client.secret_id, server.revoked)


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS


class _AboutAToken:
    """What introspection and revocation share: a hint is ignored, for there is one type of token (RFC 7009 §2.1)."""

    CLIENT_AUTH_METHODS = METHODS
    server: "_Server"

    def check_params(self, request: OAuth2Request, client: RequestingClient) -> None:
        """Accept every hint; that there is a token was looked at before."""

    def query_token(self, token: str, hint: str | None) -> GivenToken | None:  # noqa: ARG002 - Authlib asks so
        return self.server.known.token


class _Introspection(_AboutAToken, IntrospectionEndpoint):  # type: ignore[misc]
    def check_permission(self, token: GivenToken, client: RequestingClient, request: OAuth2Request) -> bool:  # noqa: ARG002
        return client.answers_for(token.client_id)

    def introspect_token(self, token: GivenToken) -> dict[str, Any]:
        # Whole seconds (RFC 7662 §2.2). The token itself has parts of them, by which revocations tell what came before.
        return {**token.claims, "iat": int(token.claims["iat"]), "active": True, "token_type": "Bearer"}


class _Revocation(_AboutAToken, RevocationEndpoint):  # type: ignore[misc]
    def authenticate_token(self, request: OAuth2Request, client: RequestingClient) -> GivenToken | None:  # noqa: ARG002
        token = self.server.known.token
        if token is not None and not client.answers_for(token.client_id):
            raise InvalidGrantError("The token was given to another client.")
        return token

    def revoke_token(self, token: GivenToken, request: OAuth2Request) -> None:  # noqa: ARG002 - Authlib asks so
        self.server.revoked = token


class _Server(AuthorizationServer):  # type: ignore[misc]
    def __init__(self, form: Form, known: Known) -> None:
        super().__init__()
        self.known = known
        self.client = RequestingClient(known.client, firm_id_of(form))
        self.revoked: GivenToken | None = None
        self.register_grant(_Grant)
        self.register_endpoint(_Introspection)
        self.register_endpoint(_Revocation)
        self.register_token_generator("default", self._token)

    def query_client(self, client_id: str) -> RequestingClient:  # noqa: ARG002 - Authlib asks so
        # An unknown client is answered like a wrong secret, after as much work.
        return self.client

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Tokens are signed, not kept."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        return request

    def handle_response(self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]) -> Answer:
        named = dict(headers)
        if status == 401:
            named.setdefault("WWW-Authenticate", 'Basic realm="koppel"')
        return Answer(status, body, named)

    def _token(self, client: RequestingClient, scope: str | None = None, **_: Any) -> dict[str, Any]:
        issue, key = self.known.issue, self.known.key
        about_client = client.claims()
        granted = client.get_allowed_scope(scope)
        if scope and not granted:
            # All that was asked for exceeds what the client has: a token that opens nothing helps nobody (RFC 6749 §5.2).
            raise InvalidScopeError("The client has none of these scopes for the firm.")
        lifetime_s = issue.partner_lifetime_s if client.known.kind is Kind.PARTNER else issue.lifetime_s
        claims = {
            **about_client,
            "iss": issue.issuer,
            "aud": issue.audience,
            "iat": key.now,
            "exp": int(key.now) + lifetime_s,
            "jti": str(new_id()),
            "scope": granted,
        }
        header = {"alg": ALGORITHM, "kid": str(key.kid), "typ": "at+jwt"}
        signed = jwt.encode(header, claims, key.key)
        return {"access_token": signed, "token_type": "Bearer", "expires_in": lifetime_s, "scope": granted}
