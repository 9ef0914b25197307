"""What a running connector holds: opened at start as ``context.resources``, closed at the end."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import structlog

from koppel_mesh.database import Database
from koppel_mesh.http.client import HttpClient
from koppel_mesh.http.internal_client import InternalClient
from koppel_mesh.keyring import KeyRing
from koppel_mesh.service import Context

from .auth.authentication import Sessions
from .auth.flights import LANDING_S
from .auth.logins import Logins
from .auth.token_endpoint import TokenEndpoint
from .auth.vault import Vault
from .auth.ways_in import WaysIn
from .connection.breaker import Pace
from .connection.master_data import MasterDataCache
from .connection.store import ConnectionStore
from .contract import Application, Connector, OAuthProfile, PasswordProfile, Target
from .contract.booking_problems import BOOKING_PROBLEMS
from .contract.company_problems import COMPANY_PROBLEMS
from .contract.problems import GENERIC
from .delivery.owner import Owner
from .delivery.situation import Patience
from .delivery.store import DeliveryRow, DeliveryStore
from .reporter import Reporter
from .settings import ConnectorSettings

CLOSING_MARGIN_S = 2.0
RECENT_S = 60.0
RECENT_MAX = 5000
log = structlog.get_logger(__name__)


class Recent:
    """What was read lately of dossiers; a minute old at most, because names change rarely and numbers never."""

    def __init__(self) -> None:
        self._kept: dict[UUID, tuple[float, Mapping[str, Any]]] = {}

    def get(self, key: UUID) -> Mapping[str, Any] | None:
        """Return what is kept, if it is recent."""
        kept = self._kept.get(key)
        return kept[1] if kept and time.monotonic() - kept[0] < RECENT_S else None

    def put(self, key: UUID, value: Mapping[str, Any]) -> None:
        """Keep a value."""
        if len(self._kept) >= RECENT_MAX:
            self._kept.clear()
        self._kept[key] = (time.monotonic(), value)


COMMON_PROBLEMS = BOOKING_PROBLEMS.over(COMPANY_PROBLEMS.over(GENERIC))
"""Those of every connector."""


class Kit:
    """One connector at work. Rows hold the state; what is kept here may be lost at any moment."""

    def __init__(
        self,
        connector: Connector,
        settings: ConnectorSettings,
        database: Database,
        http: HttpClient,
        mesh: InternalClient,
        wake: Callable[[str], None],
    ) -> None:
        self.connector = connector
        self.settings = settings
        self.database = database
        self.http = http
        self.mesh = mesh
        self.wake = wake
        profile = self.profile = connector.profile_for(settings)
        self.reporter = Reporter(profile.name, profile.title, profile.problems.over(COMMON_PROBLEMS))
        self.keys = KeyRing([key.get_secret_value() for key in settings.secret_keys])
        self.connections = ConnectionStore(connector.settings_model, self.keys, self.reporter, self.pace, wake)
        self.deliveries = DeliveryStore(self.reporter, self.patience)
        self.books = MasterDataCache(database)
        self.dossiers = Recent()
        self.tokens: TokenEndpoint | None = None
        self.vault: Vault | None = None
        self.sessions: Sessions | None = None
        self.logins = Logins(database, self.connections, wake)
        self.dossier_sessions: Sessions | None = None
        for auth in (profile.auth, *profile.other_auth):
            match auth:
                case OAuthProfile():
                    self.tokens = TokenEndpoint(
                        auth, self._application, self.redirect_uri, database, http, self.connections
                    )
                    self.vault = Vault(database, self.keys, auth, self.tokens.refresh, profile.name)
                case PasswordProfile(session_valid_s) if session_valid_s is not None:
                    self.sessions = Sessions(session_valid_s)
        if profile.dossier_session_valid_s is not None:
            self.dossier_sessions = Sessions(profile.dossier_session_valid_s, of_dossier=True)
        self.ways_in = WaysIn(self.logins, self.vault, self.sessions, self.dossier_sessions)
        self.owner = Owner(database, settings.heartbeat_s, settings.dead_after_s)
        self.batches: set[asyncio.Task[None]] = set()
        self.serving: set[UUID] = set()
        self.importing: set[UUID] = set()
        self.unseen_mails: dict[str, bool] = {}
        """In the mailbox of bounces: the mails that stay unseen, by UID. True: a person judges it; else others may take it."""
        self.closing = False
        self._slots: dict[UUID, asyncio.Semaphore] = {}

    @property
    def redirect_uri(self) -> str:
        """Return where the vendor sends the browser after the consent."""
        return f"{self.settings.public_url}/{self.profile.name}/oauth/callback"

    @property
    def notice_address(self) -> str:
        """Return where the notices of all connections come in; only where the profile has ``notices``."""
        assert self.profile.notices is not None
        return f"{self.settings.public_url}/{self.profile.name}/v1/notices/{self.profile.notices.key}"

    @property
    def consent_uri(self) -> str:
        """Return where a browser begins a consent."""
        return f"{self.settings.public_url}/{self.profile.name}/oauth/start"

    def _application(self, settings: Any) -> Application:
        return self.connector.application(self.settings, settings)

    def patience(self, row: DeliveryRow) -> Patience:
        """Return the machine's patience with a delivery, by its target and with fresh jitter."""
        target = row.target or self.profile.targets.get(row.kind, Target(settle_s=0.0))
        return self.settings.patience(target, random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, guards nothing

    def pace(self) -> Pace:
        """Return how long a vendor that is away is left alone, with fresh jitter."""
        return self.settings.pace(random.uniform(0.8, 1.2))  # noqa: S311 - spreads probes, guards nothing

    def slot(self, connection_id: UUID, max_inflight: int) -> asyncio.Semaphore:
        """Return what keeps the calls of one connection from running beside each other."""
        return self._slots.setdefault(connection_id, asyncio.Semaphore(max_inflight))

    def start_batch(self, connection_id: UUID, run: Callable[[], Any], loop: str) -> None:
        """Run one connection's claimed work beside the others'; the loop is woken when it ends."""
        task = asyncio.create_task(run(), name=f"{loop} {connection_id}")
        self.batches.add(task)

        def ended(done: "asyncio.Task[None]") -> None:
            self.batches.discard(done)
            if not done.cancelled() and (error := done.exception()) is not None:
                # What it held is taken back by the sweeper when its claim ends.
                log.error("batch failed", loop=loop, connection=str(connection_id), exc_info=error)
            # The connection is free again: for more of the same, and for what the other loop holds back for it.
            for waiting in {loop, "deliveries", "read-back", "probes"}:
                self.wake(waiting)

        task.add_done_callback(ended)

    async def close(self) -> None:
        """Let running work end within the grace period; what does not is left to the sweeper of the next process."""
        self.closing = True
        clock = asyncio.get_running_loop().time
        closed_at = clock() + max(self.settings.shutdown_grace_s - CLOSING_MARGIN_S, 0.1)
        if self.batches:
            await asyncio.wait(self.batches, timeout=closed_at - clock())
        for task in list(self.batches):
            task.cancel()
        if self.batches:
            await asyncio.gather(*self.batches, return_exceptions=True)
        if self.vault is not None:
            # Whoever waited for a token may have been cancelled; what the vendor answers is kept all the same (P4).
            await self.vault.flights.close(max(closed_at - clock(), LANDING_S))


def open_kit(connector: Connector) -> Callable[[Context], Any]:
    """Return the ``resources`` of a connector's service."""

    @asynccontextmanager
    async def opened(context: Context) -> AsyncIterator[Kit]:
        context.settings.lease_for(connector.profile)  # one that is too short is told now, and not by silence later
        kit = Kit(connector, context.settings, context.database, context.http, context.mesh, context.wake)
        await kit.owner.renew()
        heartbeat = asyncio.create_task(kit.owner.keep_alive(), name=f"{connector.profile.name} heartbeat")
        try:
            yield kit
        finally:
            await kit.close()
            heartbeat.cancel()
            await asyncio.gather(heartbeat, return_exceptions=True)
            with contextlib.suppress(Exception):  # where the database is away, the others find out by themselves
                await kit.owner.leave()

    return opened
