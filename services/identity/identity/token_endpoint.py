"""The token endpoint: OAuth 2.0 client credentials (RFC 6749 §4.4) on Authlib's server classes.

Authlib's flow is synchronous. Everything it needs — the client, the signing key — is read beforehand, and the flow runs
in a thread, where the slow secret hash belongs anyway. One server object serves one request.
"""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidScopeError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from joserfc import jwt

from koppel_mesh.ids import new_id

from .clients import Client
from .hashing import matches
from .keys import ALGORITHM, SigningKey

_URL = "https://identity/oauth/token"
"""Authlib insists on TLS, which in a cluster ends before this service; nothing else is decided by the address."""


@dataclass(frozen=True)
class Answer:
    """The answer of the endpoint."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass(frozen=True)
class Issue:
    """The claims that all tokens share: issuer, audience, lifetime."""

    issuer: str
    audience: str
    lifetime_s: int


def client_id_of(form: Mapping[str, str], authorization: str | None) -> str | None:
    """Return the client id a request shows, in Basic credentials or in its form."""
    kind, _, encoded = (authorization or "").partition(" ")
    if kind.lower() == "basic":
        try:
            return unquote(base64.b64decode(encoded, validate=True).decode().partition(":")[0]) or None
        except ValueError:
            return None
    return form.get("client_id")


def refusal(form: Mapping[str, str], authorization: str | None) -> Answer | None:
    """Return the answer to what is malformed whoever sends it (RFC 6749 §5.2), and Authlib passes over; None when nothing is."""
    by_basic = (authorization or "").partition(" ")[0].lower() == "basic"
    names_another = bool(form.get("client_id")) and form["client_id"] != client_id_of(form, authorization)
    if not form.get("grant_type"):
        described = "grant_type is missing."
    elif by_basic and (form.get("client_secret") or names_another):
        # One way in each request (RFC 6749 §2.3); a parameter without a value counts as left out (RFC 6749 §3.2).
        described = "The client shows itself in two ways."
    else:
        return None
    return Answer(400, {"error": "invalid_request", "error_description": described}, {})


def answer(
    form: Mapping[str, str], headers: Mapping[str, str], client: Client | None, key: SigningKey, issue: Issue
) -> Answer:
    """Answer one token request. Blocks for the time of a secret hash: call it in a thread."""
    server = _Server(client, key, issue)
    # Authlib raises on Basic credentials that are not base64 of UTF-8; without them it answers invalid_client.
    readable = client_id_of(form, headers.get("authorization")) is not None
    sent = {name: value for name, value in headers.items() if readable or name.lower() != "authorization"}
    done: Answer = server.create_token_response(_Request(dict(form), sent))
    return done


class _Client:
    """A client as Authlib asks about it."""

    def __init__(self, client: Client | None) -> None:
        self._client = client

    def check_client_secret(self, given: str) -> bool:
        return matches(given, self._client.hashes if self._client else ())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method in {"client_secret_basic", "client_secret_post"}

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"

    def get_allowed_scope(self, scope: str | None) -> str:
        """Return what of ``scope`` the client has; all it has when it names none."""
        assert self._client is not None
        asked = scope.split() if scope else list(self._client.scopes)
        return " ".join(sorted(set(asked) & set(self._client.scopes)))

    def claims(self) -> dict[str, Any]:
        assert self._client is not None
        bound = {"firm_id": str(self._client.firm_id)} if self._client.firm_id else {}
        return {"sub": self._client.client_id, "client_id": self._client.client_id, **bound}


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")


class _Server(AuthorizationServer):  # type: ignore[misc]
    def __init__(self, client: Client | None, key: SigningKey, issue: Issue) -> None:
        super().__init__()
        self._client = _Client(client)
        self._key = key
        self._issue = issue
        self.register_grant(_Grant)
        self.register_token_generator("default", self._token)

    def query_client(self, client_id: str) -> _Client:  # noqa: ARG002 - Authlib asks so
        # An unknown client is answered like a wrong secret, after as much work.
        return self._client

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

    def _token(self, client: _Client, scope: str | None = None, **_: Any) -> dict[str, Any]:
        now = int(time.time())
        granted = client.get_allowed_scope(scope)
        if scope and not granted:
            # All that was asked for exceeds what the client has: a token that opens nothing helps nobody (RFC 6749 §5.2).
            raise InvalidScopeError("The client has none of these scopes.")
        claims = {
            **client.claims(),
            "iss": self._issue.issuer,
            "aud": self._issue.audience,
            "iat": now,
            "exp": now + self._issue.lifetime_s,
            "jti": str(new_id()),
            "scope": granted,
        }
        header = {"alg": ALGORITHM, "kid": str(self._key.kid), "typ": "at+jwt"}
        signed = jwt.encode(header, claims, self._key.key)
        return {"access_token": signed, "token_type": "Bearer", "expires_in": self._issue.lifetime_s, "scope": granted}


class _Payload(OAuth2Payload):  # type: ignore[misc]
    def __init__(self, form: dict[str, str]) -> None:
        self._form = form

    @property
    def data(self) -> dict[str, str]:
        return self._form

    @property
    def datalist(self) -> dict[str, list[str]]:
        return {name: [value] for name, value in self._form.items()}


class _Request(OAuth2Request):  # type: ignore[misc]
    def __init__(self, form: dict[str, str], headers: dict[str, str]) -> None:
        super().__init__("POST", _URL, headers={_title(name): value for name, value in headers.items()})
        self.payload = _Payload(form)
        self._form_data = form

    @property
    def form(self) -> dict[str, str]:
        return self._form_data

    @property
    def args(self) -> dict[str, str]:
        return {}


def _title(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
