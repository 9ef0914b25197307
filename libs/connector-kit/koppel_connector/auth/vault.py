"""The token vault: one owner spends a token pair (P4, messaging §3.9).

In-process single flight, then the row's lock, then a second look inside the lock, then the token call, then the new pair
is committed before anybody uses it. A grant is given up only on the vendor's clear word, never on a fault of a network.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector import faults
from koppel_connector.calls.rate_limits import ends_in
from koppel_connector.connection.secret_keys import GRANT_DAMAGED, problem_of
from koppel_connector.contract import OAuthProfile
from koppel_connector.contract.errors import ActionRequired, RateLimited, ReauthorisationRequired, RetryLater
from koppel_connector.contract.problems import Problem
from koppel_mesh.clock import utc_now
from koppel_mesh.database import Database
from koppel_mesh.http.client import NotSent, Unanswered
from koppel_mesh.keyring import DamagedSecretError, KeyRing, MissingKeyError
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.telemetry.alerts import Alert
from koppel_mesh.telemetry.metrics import counter

from .flights import Flights
from .token_answers import TokenAnswer
from .token_rows import FAILED, INSERT, LOCK, PROVED, READ, REFUSED, WRITE, Grant

REFRESHES_AT_ONCE = 2
"""Each holds a database connection and its row's lock while the vendor answers."""
REVOKED_RETRY_S = 15.0
"""A refusal hands out no tokens, so the vendor's minimum between two of them does not count from it."""
DOUBT_S = 1.0
"""After so long a token that was refused is tried once more: of many backends, one may not know it yet."""
NOT_SAVED = (OSError, TimeoutError, SQLAlchemyError)
"""How a commit fails that may succeed later: no connection to be had, or a statement that was not carried out."""
_ANYTHING = Statement("SELECT 1")
"""It shows that the session, and with it the row's lock, is alive."""
log = structlog.get_logger(__name__)
_unsaved = counter(
    "koppel_token_commit_failures",
    "New token pairs whose commit failed at first",
    ["connector"],
    alerts=[
        Alert(
            name="KoppelTokensHardToKeep",
            summary="New tokens could not be stored at first {value} times within an hour",
            above=1,
            within="1h",
            lasts="0m",
            severity="page",
        )
    ],
)

SavedT = TypeVar("SavedT")
PostForm = Callable[[UUID, dict[str, str]], Awaitable[TokenAnswer]]
"""Makes one call to the token endpoint, logged like every other; raises NotSent or Unanswered."""


class Vault:
    """The grants of one connector's connections."""

    def __init__(self, database: Database, keys: KeyRing, profile: OAuthProfile, post: PostForm, name: str) -> None:
        self._database = database
        self._keys = keys
        self._profile = profile
        self._post = post
        self._name = name
        _unsaved.labels(service=name, connector=name)  # Prometheus sees no increase up to a series' first value
        self._grants: dict[UUID, Grant] = {}
        self.flights = Flights()
        self._refreshes: dict[UUID, asyncio.Task[Grant]] = {}
        self._semaphore = asyncio.Semaphore(REFRESHES_AT_ONCE)

    async def grant_for(self, connection_id: UUID) -> Grant:
        """Return a pair whose access token may be used now, refreshed if its time has come.

        Raises:
            ConnectorError: there is none now: Later, RateLimited, Blocked or ReauthorisationRequired.
        """
        grant = self._grants.get(connection_id)
        if grant is not None and grant.age_s() < self._refresh_age_s(grant):
            return grant
        return await self._in_flight(connection_id, seen=grant.version if grant else 0, force=False)

    async def after_refusal(self, used: Grant, *, is_repeated: bool) -> Grant:
        """Return what to try after the vendor answered 401 to ``used``: somebody else's newer pair, a refreshed one, or it again.

        One 401 is not believed. Where the vendor takes a refresh, it brings another token at once; elsewhere the same one is
        tried once more. After the second 401 nobody uses it again, and it is refreshed as soon as the vendor takes that. Only
        when the pair that comes of it is refused as well, is the grant given up.

        Args:
            used: the pair that was refused.
            is_repeated: whether the call before was refused with the same pair.

        Raises:
            ConnectorError: RateLimited until the vendor takes a refresh; ReauthorisationRequired when that did not help.
        """
        self._grants.pop(used.connection_id, None)
        is_too_early = used.age_s() < self._refreshable_from_s(used)
        if not is_repeated and (is_too_early or used.refused_version is not None):
            await asyncio.sleep(DOUBT_S)
            return await self.grant_for(used.connection_id)
        while True:
            grant = await self._in_flight(used.connection_id, seen=used.version, force=True)
            # A flight that was under way before our refusal may still bring the pair that was refused.
            if grant.version != used.version:
                return grant

    async def prove(self, grant: Grant) -> None:
        """Note that the vendor took this access token: that a pair before it was refused is over."""
        if grant.refused_version is None:
            return
        try:
            async with self._database.transaction() as tx:
                await PROVED.run(tx, {"id": grant.connection_id, "version": grant.version})
        except NOT_SAVED as error:
            # The call has its answer, which counts for more; the next one proves it as well.
            log.warning("cannot note that a token works", connection=str(grant.connection_id), error=repr(error))
            return
        if self._grants.get(grant.connection_id) is grant:
            self._kept(replace(grant, refused_version=None))

    def forget(self, connection_id: UUID) -> None:
        """Drop what is kept in memory of a connection."""
        self._grants.pop(connection_id, None)

    async def store_first(self, tx: AsyncConnection, connection_id: UUID, answer: TokenAnswer) -> int:
        """Keep the pair of a fresh consent, in the caller's transaction; return its version."""
        valid_s = self._valid_s(answer)
        values = self._sealed(connection_id, answer.access_token or "", answer.refresh_token or "")
        written = await INSERT.one(tx, {**values, "id": connection_id, "valid_s": valid_s, **self._patience()})
        self.forget(connection_id)
        return int(written.version)

    async def until_saved(self, save: Callable[[], Awaitable[SavedT]], failed: Exception) -> SavedT:
        """Have ``save`` commit a new pair that could not be committed at first; not given up until we end (messaging §3.9).

        This is the one window in which a grant can be lost: only we have what the vendor has just given.
        """
        _unsaved.labels(service=self._name, connector=self._name).inc()
        pause_s = 0.1
        while True:
            log.error("a new token pair could not be committed, trying again", error=repr(failed))
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 5.0)
            try:
                return await save()
            except NOT_SAVED as error:
                failed = error

    async def keep_alive(self, connection_id: UUID) -> None:
        """Refresh an idle grant, so that it never lapses."""
        await self._in_flight(connection_id, seen=-1, force=True)

    # -------------------------------------------------------------------------------------------------------- refreshing

    async def _in_flight(self, connection_id: UUID, *, seen: int, force: bool) -> Grant:
        # A task of its own: whoever waits may be cancelled, the answer of the vendor must not be lost.
        flight = self._refreshes.get(connection_id)
        if flight is None or flight.done():
            flight = self.flights.begin(self._refresh(connection_id, seen, force), f"refresh {connection_id}")
            self._refreshes[connection_id] = flight
        try:
            return await self.flights.result_of(flight)
        except TimeoutError as error:
            if flight.done():
                raise
            raise RetryLater(problem=Problem("vendor_unavailable", "the new tokens are on their way")) from error
        finally:
            if flight.done() and self._refreshes.get(connection_id) is flight:
                del self._refreshes[connection_id]

    async def _refresh(self, connection_id: UUID, seen: int, force: bool) -> Grant:
        async with self._database.reading() as reading:
            row = await READ.one_or_none(reading, {"id": connection_id})
            if row is None:
                raise ReauthorisationRequired(Problem("not_connected"))
        stored = self._opened(connection_id, row)
        if self._usable(stored, seen, force):
            return self._kept(stored)
        async with self._semaphore:
            return await self._refresh_locked(connection_id, seen, force)

    async def _refresh_locked(self, connection_id: UUID, seen: int, force: bool) -> Grant:
        fresh: Grant | None = None
        try:
            async with self._database.transaction() as tx:
                row = await LOCK.one_or_none(tx, {"id": connection_id})
                if row is None:
                    raise ReauthorisationRequired(Problem("not_connected"))
                stored = self._opened(connection_id, row)
                if self._usable(stored, seen, force):
                    return self._kept(stored)
                if force and stored.version == seen:
                    stored = await self._without_access(tx, stored)
                failure: Exception | None = self._too_early(stored)
                if failure is None:
                    answer, answered = await self._ask(tx, stored)
                    faults.point("after_token_answer")
                    if answer.refresh_token is None and answer.meaning is not None:
                        failure = await self._refused(tx, connection_id, answer, row.failures)
                    else:
                        fresh = self._renewed(stored, answer, answered)
                        await self._write(tx, fresh)
        except NOT_SAVED as error:
            if fresh is None:
                if _is_waiting_for_another(error):
                    raise RetryLater(problem=Problem("vendor_unavailable", "another process is asking")) from error
                raise
            await self.until_saved(partial(self._save, fresh), error)
            failure = None
        faults.point("after_token_commit")
        if failure is not None:
            raise failure
        assert fresh is not None
        if not fresh.access_token:
            raise RetryLater(problem=Problem("vendor_unavailable", "a refresh token came without an access token"))
        return self._kept(fresh)

    async def _without_access(self, tx: AsyncConnection, stored: Grant) -> Grant:
        """Note that the vendor refuses the access token of a pair for good; for every process, whoever finds it out.

        Raises:
            ReauthorisationRequired: the pair before it was refused as well, and none has worked since.
        """
        if stored.is_refused:
            return stored
        if stored.refused_version is not None:
            raise ReauthorisationRequired(Problem("reauthorise", "the vendor refuses one token after the other"))
        await REFUSED.run(tx, {"id": stored.connection_id, "version": stored.version})
        return replace(stored, refused_version=stored.version)

    def _too_early(self, stored: Grant) -> RateLimited | None:
        wait_s = self._refreshable_from_s(stored) - stored.age_s()
        return RateLimited(ends_in(utc_now(), wait_s + 1)) if wait_s > 0 else None

    async def _ask(self, tx: AsyncConnection, stored: Grant) -> tuple[TokenAnswer, float]:
        form = {"grant_type": "refresh_token", "refresh_token": stored.refresh_token}
        for attempt in (1, 2):
            try:
                answer = await self._post(stored.connection_id, form)
                return answer, time.monotonic()
            except NotSent as error:
                raise RetryLater(problem=Problem("vendor_unavailable", str(error))) from error
            except Unanswered as error:
                # The vendor may have rotated the pair. The same token once more tells: a new pair, or "spent".
                if attempt == 2:
                    raise RetryLater(problem=Problem("vendor_unavailable", error.reason)) from error
                await _ANYTHING.run(tx)
        raise AssertionError("unreachable")

    async def _refused(
        self, tx: AsyncConnection, connection_id: UUID, answer: TokenAnswer, failures: int
    ) -> Exception | None:
        """Return the error to raise; what it needs to remember is committed with the caller's transaction."""
        match answer.meaning:
            case "spent":
                return ReauthorisationRequired(Problem("reauthorise", answer.description))
            case "revoked" if failures > 0:
                return ReauthorisationRequired(Problem("reauthorise", answer.description))
            case "revoked":
                await FAILED.run(tx, {"id": connection_id, "wait_s": REVOKED_RETRY_S})
                return RateLimited(ends_in(utc_now(), REVOKED_RETRY_S), Problem("reauthorise", answer.description))
            case "too_early":
                return RateLimited(ends_in(utc_now(), 30.0))
            case "misconfigured":
                return ActionRequired(Problem("misconfigured", answer.description))
        return RetryLater(problem=Problem("vendor_unavailable", answer.description))

    async def _save(self, fresh: Grant) -> None:
        async with self._database.transaction() as tx:
            await self._write(tx, fresh)

    async def _write(self, tx: AsyncConnection, fresh: Grant) -> None:
        sealed = self._sealed(fresh.connection_id, fresh.access_token, fresh.refresh_token)
        timing = {"age_s": fresh.age_s(), "valid_s": fresh.access_valid_s, **self._patience()}
        pair = {"id": fresh.connection_id, "version": fresh.version, "refused_version": fresh.refused_version}
        # Compare-and-set on the version: when the first commit did arrive after all, this changes nothing.
        await WRITE.run(tx, {**sealed, **timing, **pair})

    # -------------------------------------------------------------------------------------------------------------- values

    def _usable(self, stored: Grant, seen: int, force: bool) -> bool:
        if not stored.access_token or stored.is_refused or stored.age_s() >= self._refresh_age_s(stored):
            return False
        return not force or (seen >= 0 and stored.version != seen)

    def _refresh_age_s(self, grant: Grant) -> float:
        # As soon as the vendor takes it, so that a busy connection never meets an expired token; else shortly before.
        early_s = float(self._profile.refresh_not_before_s)
        return early_s if 0 < early_s < grant.access_valid_s else grant.access_valid_s

    def _refreshable_from_s(self, grant: Grant) -> float:
        """Return from which age the vendor takes a refresh: its minimum, or sooner when the token itself ends sooner."""
        return min(float(self._profile.refresh_not_before_s), _without_margin_s(grant.access_valid_s))

    def _kept(self, grant: Grant) -> Grant:
        self._grants[grant.connection_id] = grant
        return grant

    def _opened(self, connection_id: UUID, row: Any) -> Grant:
        try:
            pair = self._keys.open(connection_id, bytes(row.ciphertext), row.key_id)
        except MissingKeyError as error:
            raise ActionRequired(problem_of(error)) from error
        except DamagedSecretError as error:
            raise ReauthorisationRequired(problem_of(error, GRANT_DAMAGED)) from error
        return Grant(
            connection_id=connection_id,
            access_token=pair["access_token"],
            refresh_token=pair["refresh_token"],
            version=row.version,
            received=time.monotonic() - row.age_s,
            access_valid_s=min(row.valid_s, 10**9),
            refused_version=row.refused_version,
        )

    def _renewed(self, stored: Grant, answer: TokenAnswer, answered: float) -> Grant:
        return Grant(
            connection_id=stored.connection_id,
            access_token=(answer.access_token or "") if answer.meaning is None else "",
            refresh_token=answer.refresh_token or stored.refresh_token,
            version=stored.version + 1,
            received=answered,
            access_valid_s=self._valid_s(answer),
            refused_version=stored.refused_version,
        )

    def _valid_s(self, answer: TokenAnswer) -> float:
        if answer.expires_in_s is None:
            return float(self._profile.access_valid_s)
        return min(float(self._profile.access_valid_s), _with_margin_s(answer.expires_in_s))

    def _sealed(self, connection_id: UUID, access_token: str, refresh_token: str) -> dict[str, Any]:
        pair = {"access_token": access_token, "refresh_token": refresh_token}
        return {"ciphertext": self._keys.seal(connection_id, pair), "key_id": self._keys.key_id}

    def _patience(self) -> dict[str, float]:
        return {
            "refresh_days": float(self._profile.refresh_valid_days),
            "keep_alive_s": float(self._profile.keep_alive_days * 86_400),
        }


def _with_margin_s(lifetime_s: float) -> float:
    """Return until which age a token is used: ten seconds less than its lifetime, a tenth less when it is short."""
    return max(lifetime_s - 10, lifetime_s * 0.9)


def _without_margin_s(valid_s: float) -> float:
    """Return the lifetime that ``_with_margin_s`` made ``valid_s`` of."""
    return min(valid_s + 10, valid_s / 0.9)


def _is_waiting_for_another(error: Exception) -> bool:
    """Return whether the row's lock was not to be had: two token calls that hang take longer than a session may wait."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == "55P03"  # lock_not_available
