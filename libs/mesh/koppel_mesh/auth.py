"""Who is calling: tokens of the issuer checked, turned into a caller with scopes and, usually, a firm.

Any OIDC provider will do; keys are found through its discovery document. A token bound to a firm sees that firm's
objects and no others; an unbound one belongs to our own services or to an administrator.
"""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import Depends, Request
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlows
from fastapi.security import OAuth2
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from .http.client import HttpClient, NotSent, Unanswered
from .http.problems import HttpProblem
from .http.rate_limits import RateLimiter
from .revocations import Revocations
from .settings import MeshSettings

SCOPES = {
    "dossiers:read": "Read dossiers, relations and ledger accounts",
    "dossiers:write": "Make and change dossiers, relations and ledger accounts",
    "documents:read": "Read documents and their files",
    "documents:write": "Hand in, change and approve documents",
    "exports:write": "Start exports",
    "connections:read": "Read connections and their sync log",
    "connections:write": "Make, change and repair connections",
    "receipts:write": "Hand in daily receipts and cash books",
    "webhooks:read": "Read endpoints, their deliveries and events",
    "webhooks:write": "Register and change endpoints, and read what webhooks:read reads",
    "admin": "Administer clients and keys",
}
ALGORITHMS = ("ES256", "EdDSA", "RS256", "PS256", "ES384", "RS512")
LEEWAY_S = 60
KEYS_FRESH_S = 3600.0
KEYS_PAUSE_S = 5.0
"""An unknown key id makes us ask the issuer again, but not more often than this: anybody can invent key ids."""
CACHE_MAX = 2000
FETCH_DEADLINE_S = 5.0
TOKEN_MAX_LENGTH = 8192
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Caller:
    """Who sent a request."""

    subject: str
    firm_id: UUID | None
    scopes: frozenset[str]

    def may_see(self, firm_id: UUID) -> bool:
        """Return whether an object of that firm exists for this caller."""
        return self.firm_id is None or self.firm_id == firm_id


class InvalidToken(Exception):
    """The token is not one of ours, not any more, or not readable."""


@dataclass(frozen=True)
class _Seen:
    """A token whose signature was right, with what is looked at again at each call."""

    caller: Caller
    claims: Mapping[str, Any]


class TokenVerifier:
    """Checks bearer tokens: signature, issuer, audience, expiry, revocation."""

    def __init__(self, settings: MeshSettings, http: HttpClient) -> None:
        self._issuer = settings.issuer
        self._audience = settings.audience
        # Our own identity service binds partners to firms. A foreign issuer that forgets the claim must not thereby
        # hand out the sight of every firm: there, only our services and administrators may go without.
        self._unbound_subject = settings.service_client_id if settings.oidc_issuer else None
        self._metadata_url = settings.metadata_url
        self._jwks_url: str | None = None
        self._http = http
        self._keys = jwk.KeySet([])
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self.revocations = Revocations()

    async def verify(self, token: str) -> Caller:
        """Return the caller a token speaks for.

        Raises:
            InvalidToken: with a reason that may be shown.
            HttpProblem: 503 when the issuer's keys cannot be fetched.
        """
        known = self._seen.get(token)
        if known is None or float(known.claims["exp"]) <= time.time():
            known = await self._checked(token)
            self._seen[token] = known
            while len(self._seen) > CACHE_MAX:
                self._seen.popitem(last=False)
        if self.revocations.cover(known.claims, known.caller.firm_id):
            raise InvalidToken("revoked")
        return known.caller

    async def _checked(self, token: str) -> _Seen:
        if len(token) > TOKEN_MAX_LENGTH or token.count(".") != 2:
            raise InvalidToken("not a signed token")
        claims = await self._claims(token)
        caller = self._caller(claims)
        return _Seen(caller, {name: claims[name] for name in ("exp", "iat", "jti", "sub") if name in claims})

    async def _claims(self, token: str) -> dict[str, Any]:
        await self._refresh_keys(KEYS_FRESH_S)
        for retry in (True, False):
            try:
                return dict(jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError, KeyError, TypeError, UnicodeError) as error:
                if not (retry and await self._refresh_keys(KEYS_PAUSE_S)):
                    raise InvalidToken("signature") from error
        raise InvalidToken("signature")

    def _caller(self, claims: dict[str, Any]) -> Caller:
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            registry.validate(claims)
            firm = claims.get("firm_id")
            scope = claims.get("scope", "")
            scopes = scope.split() if isinstance(scope, str) else list(scope)
            caller = Caller(str(claims["sub"]), None if firm is None else UUID(firm), frozenset(scopes))
        except (JoseError, ValueError, TypeError, AttributeError) as error:
            raise InvalidToken(str(getattr(error, "description", "")) or "claims") from error
        if caller.firm_id is None and self._unbound_subject not in {None, caller.subject} and "admin" not in scopes:
            raise InvalidToken("bound to no firm")
        return caller

    async def _refresh_keys(self, older_than_s: float) -> bool:
        if time.monotonic() - self._fetched_at < older_than_s:
            return False
        async with self._lock:
            if time.monotonic() - self._fetched_at < older_than_s:
                return True
            try:
                if self._jwks_url is None:
                    self._jwks_url = str((await self._json(self._metadata_url))["jwks_uri"])
                self._keys = jwk.KeySet.import_key_set(await self._json(self._jwks_url))
            except (NotSent, Unanswered, ValueError, KeyError, JoseError) as error:
                log.warning("the issuer's keys could not be fetched", error=repr(error))
                if not self._keys.keys:
                    raise HttpProblem(
                        503, "issuer_away", "Tokens cannot be checked right now.", headers={"Retry-After": "2"}
                    ) from error
            self._fetched_at = time.monotonic()
            return True

    async def _json(self, url: str) -> Any:
        response = await self._http.request("GET", url, deadline_s=FETCH_DEADLINE_S)
        if response.status != 200:
            raise ValueError(f"{url}: HTTP {response.status}")
        return json.loads(response.content)


_scheme = OAuth2(
    flows=OAuthFlows(clientCredentials=OAuthFlowClientCredentials(tokenUrl="/identity/oauth/token", scopes=SCOPES)),
    auto_error=False,
)


@dataclass(frozen=True)
class Required:
    """A dependency that gives the ``Caller`` and insists on ``scopes``: 401 without token, 403 without scope."""

    scopes: tuple[str, ...]
    one_is_enough: bool = False

    async def __call__(self, request: Request, authorization: Annotated[str | None, Depends(_scheme)]) -> Caller:
        """Return who calls.

        Raises:
            HttpProblem: 401, 403, 429 when the client makes too many requests, or 503 when tokens cannot be checked.
        """
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise HttpProblem(401, "missing_token", "A bearer token is needed.", headers={"WWW-Authenticate": "Bearer"})
        try:
            verifier: TokenVerifier = request.state.context.verifier
            found = await verifier.verify(token.strip())
        except InvalidToken as error:
            challenge = 'Bearer error="invalid_token"'
            raise HttpProblem(
                401, "invalid_token", "The token is not valid.", str(error), headers={"WWW-Authenticate": challenge}
            ) from error
        missing = [scope for scope in self.scopes if scope not in found.scopes]
        if missing and not (self.one_is_enough and len(missing) < len(self.scopes)):
            challenge = f'Bearer error="insufficient_scope", scope="{" ".join(self.scopes)}"'
            raise HttpProblem(
                403,
                "missing_scope",
                "The token lacks a scope.",
                " ".join(missing),
                headers={"WWW-Authenticate": challenge},
            )
        request.state.caller = found
        _count(request, found)
        return found


def _count(request: Request, caller: Caller) -> None:
    # A body is authenticated before it is read, and its route once more: the request counts once.
    if caller.firm_id is None or hasattr(request.state, "standing"):
        return
    limiter: RateLimiter = request.state.context.rate_limiter
    limit = request.state.context.settings.limit("rate_limit_per_minute")
    standing = limiter.take(caller.subject, limit)
    request.state.standing = standing
    if standing is not None:
        standing.insist()


def require(*scopes: str) -> Required:
    """Return the dependency that insists on all of ``scopes``."""
    return Required(scopes)


def require_one_of(*scopes: str) -> Required:
    """Return the dependency that insists on at least one of ``scopes``."""
    return Required(scopes, one_is_enough=True)
