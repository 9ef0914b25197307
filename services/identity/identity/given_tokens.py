"""A token that somebody shows and asks about: whether we gave it, to whom, and whether it is revoked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import LEEWAY_S, TOKEN_MAX_LENGTH

from . import keys, revocations


@dataclass(frozen=True)
class Issue:
    """What all tokens share: issuer, audience, lifetimes."""

    issuer: str
    audience: str
    lifetime_s: int
    partner_lifetime_s: int


@dataclass(frozen=True)
class GivenToken:
    """A token of ours, as Authlib asks about it. One that has ended, or is of another issuer, is none."""

    claims: Mapping[str, Any]
    revoked: bool

    @property
    def client_id(self) -> str:
        """Return the client that it was given to."""
        return str(self.claims["client_id"])

    @property
    def firm_id(self) -> UUID | None:
        """Return the firm that it is bound to."""
        return UUID(self.claims["firm_id"]) if "firm_id" in self.claims else None

    def is_expired(self) -> bool:
        """Return False: one that has ended is none."""
        return False

    def is_revoked(self) -> bool:
        """Return whether it, or what its client may do for the firm, was revoked."""
        return self.revoked


async def find(connection: AsyncConnection, token: str, issue: Issue) -> GivenToken | None:
    """Return what ``token`` says, None when we did not give it or it has ended."""
    if len(token) > TOKEN_MAX_LENGTH or token.count(".") != 2:
        return None
    published = KeySet.import_key_set({"keys": await keys.published(connection, issue.lifetime_s)})
    registry = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_S,
        iss={"essential": True, "value": issue.issuer},
        aud={"essential": True, "value": issue.audience},
        exp={"essential": True},
        iat={"essential": True},
        jti={"essential": True},
        client_id={"essential": True},
    )
    try:
        claims = dict(jwt.decode(token, published, algorithms=[keys.ALGORITHM]).claims)
        registry.validate(claims)
    except (JoseError, ValueError, KeyError, TypeError, UnicodeError):
        return None
    return GivenToken(claims, await revocations.covers(connection, claims))
