"""How a call is let in: with a grant of the vault, in a session, or by its own headers; and what follows when that is over.

A session that is over is a definite no: the call had no effect, so that it may leave again with something newer
(messaging §3.8). Ways in lie on top of each other: the login lets the calls in that open a dossier, both let all others in.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from koppel_connector.contract.answers import ClassifiedAnswer
from koppel_connector.contract.auth import OAuthProfile
from koppel_connector.contract.errors import DossierSessionOver, ReauthorisationRequired, SessionOver
from koppel_connector.contract.problems import Problem

from .vault import Vault


@dataclass(frozen=True)
class Authentication:
    """What lets one call in: headers, and what the sync log must not show of them."""

    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()

    def on_top_of(self, base: "Authentication") -> "Authentication":
        """Return both together."""
        return Authentication({**base.headers, **self.headers}, (*base.secrets, *self.secrets))


REFUSALS_MAX = 4
"""So often one call is made in vain: with two pairs, twice each."""
Exchange = Callable[[Authentication], Awaitable[ClassifiedAnswer]]
OpenSession = Callable[[], Awaitable[Mapping[str, str]]]


def is_session_over(classified: ClassifiedAnswer, *, of_dossier: bool = False) -> bool:
    """Return whether what let the call in is over: as ``classify`` says, or by a 401 that it takes for a lost grant.

    Args:
        classified: the answer.
        of_dossier: whether a session of a dossier is meant; else the login or the consent beneath it.
    """
    failure = classified.failure
    if isinstance(failure, DossierSessionOver):
        return of_dossier
    return isinstance(failure, SessionOver) or (
        classified.answer.status == 401 and isinstance(failure, ReauthorisationRequired)
    )


async def with_grant(vault: Vault, profile: OAuthProfile, connection_id: UUID, exchange: Exchange) -> ClassifiedAnswer:
    """Make a call with a token of the vault; when it is refused, again with what the vault has then.

    Raises:
        ConnectorError: there is no token now; ReauthorisationRequired when one after the other is refused.
    """

    async def exchanged() -> ClassifiedAnswer:
        headers = profile.headers(grant.access_token)
        return await exchange(Authentication(headers, (grant.access_token, grant.refresh_token)))

    grant, refused_version, refusals = await vault.grant_for(connection_id), 0, 0
    answer = await exchanged()
    while is_session_over(answer):
        # No pair is tried more than twice, and of a pair that was refused twice the vault makes one other. Where a session
        # beneath the call opens each time, every pair is proven in between, and the vault would make them without end.
        refusals += 1
        if refusals == REFUSALS_MAX:
            raise ReauthorisationRequired(Problem("reauthorise", "the vendor refuses one token after the other"))
        refused = grant
        grant = await vault.after_refusal(refused, is_repeated=refused.version == refused_version)
        refused_version = refused.version
        answer = await exchanged()
    await vault.prove(grant)
    return answer


class Sessions:
    """Sessions of one connector, in memory: what is lost costs a login, which another process makes too.

    ``key`` says whose session it is: a connection's, or a login's that several connections share.
    """

    def __init__(self, valid_s: float, *, of_dossier: bool = False) -> None:
        self._valid_s = valid_s
        self._is_over = partial(is_session_over, of_dossier=of_dossier)
        self._open: dict[Hashable, tuple[int, float, Authentication]] = {}
        self._opening: dict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def exchange(
        self, key: Hashable, version: int, open_session: OpenSession, exchange: Exchange
    ) -> ClassifiedAnswer:
        """Make a call in a session; when that is over, once more in a new one.

        Args:
            key: whose session.
            version: of the settings that open it: it ends when they change.
            open_session: opens one.
            exchange: makes the call.
        """
        authentication = await self._session(key, version, open_session)
        answer = await exchange(authentication)
        if authentication.headers and self._is_over(answer):
            self._end(key, authentication)
            authentication = await self._session(key, version, open_session)
            answer = await exchange(authentication)
            if self._is_over(answer):
                # What lies beneath may be over as well; whoever renews that opens this one anew.
                self._end(key, authentication)
        return answer

    def forget(self, key: Hashable) -> None:
        """Drop what is kept under a key."""
        self._open.pop(key, None)

    async def _session(self, key: Hashable, version: int, open_session: OpenSession) -> Authentication:
        async with self._opening[key]:
            opened, until, authentication = self._open.get(key, (-1, 0.0, Authentication()))
            if opened != version or time.monotonic() >= until:
                until = time.monotonic() + self._valid_s
                headers = await open_session()
                authentication = Authentication(headers, tuple(headers.values()))
                self._open[key] = version, until, authentication
            return authentication

    def _end(self, key: Hashable, refused: Authentication) -> None:
        kept = self._open.get(key)
        if kept is not None and kept[2] is refused:
            del self._open[key]
