"""What identity has revoked, as a service keeps it: tokens and clients that are refused although their signature is right.

A service asks identity every few seconds, not at every call. While identity is away it goes on with what it knows: tokens end by
themselves, and refusing all of them would stop every service with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import structlog

from .http.internal_client import InternalCallError, InternalClient

PATH = "/identity/v1/revocations"
INTERVAL_S = 5.0
DEADLINE_S = 5.0
SHOWN_MAX = 10_000
"""Of one answer; the newest. Each token and each revoked client takes some hundred bytes."""
log = structlog.get_logger(__name__)


class Revocations:
    """The tokens, and the clients until when, that are refused now."""

    def __init__(self) -> None:
        self._tokens: frozenset[str] = frozenset()
        self._clients: Mapping[str, list[tuple[UUID | None, float]]] = {}
        self._failures = 0

    def cover(self, claims: Mapping[str, Any], firm_id: UUID | None) -> bool:
        """Return whether a token of that firm's with these claims is refused."""
        if claims.get("jti") in self._tokens:
            return True
        return any(
            firm in {None, firm_id} and float(claims.get("iat", 0)) <= issued_before
            for firm, issued_before in self._clients.get(str(claims.get("sub")), ())
        )

    def replace(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Keep these, as identity lists them, in place of those before."""
        clients: dict[str, list[tuple[UUID | None, float]]] = defaultdict(list)
        tokens = set()
        for item in items:
            if item["jti"] is not None:
                tokens.add(str(item["jti"]))
            else:
                firm_id = UUID(item["firm_id"]) if item["firm_id"] else None
                clients[item["client_id"]].append((firm_id, float(item["issued_before"])))
        self._tokens, self._clients = frozenset(tokens), dict(clients)

    async def refresh(self, mesh: InternalClient) -> None:
        """Ask identity for the list; keep the one that is there when it does not answer."""
        try:
            self.replace((await mesh.get_json(PATH, deadline_s=DEADLINE_S))["items"])
        except InternalCallError as error:
            self._failures += 1
            if self._failures == 2:  # at the start of the mesh identity may come a moment later
                log.warning("identity does not say what is revoked; what is known goes on to hold", error=str(error))
        else:
            self._failures = 0
