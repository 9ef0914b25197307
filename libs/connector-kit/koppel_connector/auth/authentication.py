"""How a call is let in: with a grant of the vault, in a session, or by nothing but its own headers; and what follows a 401.

A 401 is a definite no: the call had no effect, so that it may leave again with something newer (messaging sheet §3.8).
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from koppel_connector.contract.answers import ClassifiedAnswer
from koppel_connector.contract.errors import ReauthorisationRequired
from koppel_connector.contract.problems import Problem

from .vault import Vault


@dataclass(frozen=True)
class Authentication:
    """What lets one call in: headers, and what the sync log must not show of them."""

    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()


Exchange = Callable[[Authentication], Awaitable[ClassifiedAnswer]]
LogIn = Callable[[], Awaitable[Mapping[str, str]]]


async def with_grant(vault: Vault, connection_id: UUID, exchange: Exchange) -> ClassifiedAnswer:
    """Make a call with a token of the vault; after a 401 once more with what the vault has then.

    Raises:
        ConnectorError: there is no token now; ReauthorisationRequired when one fresh from the vendor is refused.
    """

    async def exchanged() -> ClassifiedAnswer:
        headers = {"Authorization": f"Bearer {grant.access_token}"}
        return await exchange(Authentication(headers, (grant.access_token, grant.refresh_token)))

    grant = await vault.grant_for(connection_id)
    answer = await exchanged()
    if answer.answer.status == 401:
        refused = grant
        grant = await vault.after_refusal(refused)
        answer = await exchanged()
        if answer.answer.status == 401 and grant.version == refused.version:
            # Not spurious: another pair, or none until the vendor takes a refresh.
            grant = await vault.after_refusal(grant)
            answer = await exchanged()
        if answer.answer.status == 401:
            raise ReauthorisationRequired(Problem("reauthorise", "the vendor refuses a token it has just given"))
    vault.prove(grant)
    return answer


class Sessions:
    """The logins of one connector's connections, in memory: what is lost costs a login, which another process makes too."""

    def __init__(self, valid_s: float) -> None:
        self._valid_s = valid_s
        self._open: dict[UUID, tuple[int, float, Authentication]] = {}
        self._logins: dict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def exchange(self, connection_id: UUID, version: int, log_in: LogIn, exchange: Exchange) -> ClassifiedAnswer:
        """Make a call in the session of a connection; after a 401 once more in a new one.

        Args:
            connection_id: whose session.
            version: of the connection: a session was opened with its settings, and ends when they change.
            log_in: opens a session.
            exchange: makes the call.
        """
        authentication = await self._session(connection_id, version, log_in)
        answer = await exchange(authentication)
        if answer.answer.status == 401:
            self._end(connection_id, authentication)
            answer = await exchange(await self._session(connection_id, version, log_in))
        return answer

    def forget(self, connection_id: UUID) -> None:
        """Drop what is kept of a connection."""
        self._open.pop(connection_id, None)

    async def _session(self, connection_id: UUID, version: int, log_in: LogIn) -> Authentication:
        async with self._logins[connection_id]:
            opened, until, authentication = self._open.get(connection_id, (-1, 0.0, Authentication()))
            if opened != version or time.monotonic() >= until:
                until = time.monotonic() + self._valid_s
                headers = await log_in()
                authentication = Authentication(headers, tuple(headers.values()))
                self._open[connection_id] = version, until, authentication
            return authentication

    def _end(self, connection_id: UUID, refused: Authentication) -> None:
        kept = self._open.get(connection_id)
        if kept is not None and kept[2] is refused:
            del self._open[connection_id]
