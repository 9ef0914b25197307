"""The ways in of one connector: which of them a call takes, and how they lie on top of each other."""

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial

from koppel_connector.connection.store import ConnectionRow
from koppel_connector.contract.answers import ClassifiedAnswer
from koppel_connector.contract.auth import Auth, OAuthProfile, PasswordProfile
from koppel_connector.contract.calls import Call

from .authentication import Authentication, Exchange, Sessions, with_grant
from .logins import Logins
from .vault import Vault


@dataclass(frozen=True)
class Openers:
    """How one open connection opens its sessions, and as whom."""

    row: ConnectionRow
    auth: Auth
    log_in: Callable[[str, ConnectionRow], Awaitable[Mapping[str, str]]]
    """At the API that is named (``Call.api``)."""
    open_dossier: Callable[[str], Awaitable[Mapping[str, str]]]
    """At the API that is named."""
    lease_s: float
    """How long one login may take before another process may try."""


@dataclass(frozen=True)
class WaysIn:
    """What the connector has of each; None for a way that the vendor does not know."""

    logins: Logins
    vault: Vault | None = None
    sessions: Sessions | None = None
    dossier_sessions: Sessions | None = None

    async def exchange(self, call: Call, openers: Openers, exchange: Exchange) -> ClassifiedAnswer:
        """Make a call with what it needs; what is over is renewed, and the call made again."""
        if call.logs_in:
            return await exchange(Authentication())
        if self.dossier_sessions is not None and not call.opens_dossier:
            exchange = partial(_in_dossier, self.dossier_sessions, openers, call.api, exchange)
        if call.api:
            # Only a password logs in elsewhere, too: a consent is for the API it was given to.
            assert self.sessions is not None
            return await self._logged_in(self.sessions, openers, call.api, exchange)
        match openers.auth:
            case OAuthProfile() as profile:
                assert self.vault is not None
                return await with_grant(self.vault, profile, openers.row.id, exchange)
            case PasswordProfile(session_valid_s) if session_valid_s is not None:
                assert self.sessions is not None
                return await self._logged_in(self.sessions, openers, call.api, exchange)
        return await exchange(Authentication())

    async def _logged_in(self, sessions: Sessions, openers: Openers, api: str, exchange: Exchange) -> ClassifiedAnswer:
        row, log_in_as = openers.row, partial(openers.log_in, api)
        if row.login_key is None:
            return await sessions.exchange(_at(api, row.id), row.version, partial(log_in_as, row), exchange)
        log_in = partial(self.logins.open_session, row, openers.lease_s, log_in_as, api)
        return await sessions.exchange(_at(api, (row.firm_id, row.login_key)), 0, log_in, exchange)


async def _in_dossier(
    sessions: Sessions, openers: Openers, api: str, exchange: Exchange, login: Authentication
) -> ClassifiedAnswer:
    async def on_top(session: Authentication) -> ClassifiedAnswer:
        return await exchange(session.on_top_of(login))

    row, open_dossier = openers.row, partial(openers.open_dossier, api)
    return await sessions.exchange(_at(api, row.id), row.version, open_dossier, on_top)


def _at(api: str, key: Hashable) -> Hashable:
    """Return the key of a session at an API; that of the connection's own API is what is forgotten when its settings change."""
    return (api, key) if api else key
