"""A login that several connections of a firm share: one at a time opens a session with it, one refusal stops them all.

The row says when the vendor refused it. The secrets stand with each connection, and are kept the same by ``change``: whoever
corrects a password corrects it for all.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from uuid import UUID, uuid4

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.connection.events import LoginRefused, SettingsChanged
from koppel_connector.connection.store import COLUMNS, ConnectionRow, ConnectionStore
from koppel_connector.contract.errors import ActionRequired, ReauthorisationRequired, RetryLater
from koppel_connector.contract.problems import Problem
from koppel_connector.contract.storable import storable
from koppel_mesh.database import Database
from koppel_mesh.prepared_sql import Statement

POLL_S = 0.1
ELSEWHERE_BELIEVED_S = 86_400.0
log = structlog.get_logger(__name__)

_MAKE = Statement("INSERT INTO login (firm_id, key) VALUES (:firm_id, :key) ON CONFLICT DO NOTHING")
_CLAIM = Statement("""
    UPDATE login SET opening_token = :token, opening_until = clock_timestamp() + :lease_s * interval '1 second',
        refused_at = NULL, problem = NULL
    WHERE firm_id = :firm_id AND key = :key
        AND (refused_at IS NULL OR refused_at <= clock_timestamp() - CAST(:believed_s AS float8) * interval '1 second')
        AND (opening_until IS NULL OR opening_until <= clock_timestamp())
    RETURNING version
""")
_RELEASE = Statement("""
    UPDATE login SET opening_token = NULL, opening_until = NULL
    WHERE firm_id = :firm_id AND key = :key AND opening_token = :token
""")
_READ = Statement("SELECT refused_at, problem FROM login WHERE firm_id = :firm_id AND key = :key")
_REFUSE = Statement("""
    UPDATE login SET refused_at = clock_timestamp(), problem = CAST(:problem AS jsonb), opening_token = NULL,
        opening_until = NULL
    WHERE firm_id = :firm_id AND key = :key AND version = :version AND refused_at IS NULL RETURNING version
""")
_CHANGE = Statement("""
    INSERT INTO login (firm_id, key) VALUES (:firm_id, :key)
    ON CONFLICT (firm_id, key) DO UPDATE SET version = login.version + 1, refused_at = NULL, problem = NULL,
        opening_token = NULL, opening_until = NULL
""")
_CHANGE_ELSEWHERE = Statement("""
    UPDATE login SET version = version + 1, refused_at = NULL, problem = NULL, opening_token = NULL, opening_until = NULL
    WHERE firm_id = :firm_id AND starts_with(key, :prefix)
""")
_LOCK_CONNECTIONS = Statement(f"""
    SELECT {COLUMNS} FROM connection WHERE firm_id = :firm_id AND state <> 'disconnected'
        AND (login_key = ANY(CAST(:keys AS text[])) OR id = :id) ORDER BY id FOR UPDATE
""")
_SECRETS = Statement("UPDATE connection SET secrets = :secrets, key_id = :key_id WHERE id = :id")


class Logins:
    """The shared logins of one connector."""

    def __init__(self, database: Database, connections: ConnectionStore, wake: Callable[[str], None]) -> None:
        self._database = database
        self._connections = connections
        self._wake = wake

    async def open_session(
        self,
        row: ConnectionRow,
        lease_s: float,
        log_in: Callable[[ConnectionRow], Awaitable[Mapping[str, str]]],
        api: str = "",
    ) -> Mapping[str, str]:
        """Log in with the login of a connection, unless it was refused; one at a time, over all processes.

        Args:
            row: the connection.
            lease_s: how long one login may take before another may be tried.
            log_in: logs in with the settings of the row it is given, which is read anew.
            api: where, if not at the one that the connections log in at: a refusal there stops none of them, and is believed for
                ``ELSEWHERE_BELIEVED_S``.

        Raises:
            ConnectorError: ReauthorisationRequired when the login is or was refused; what ``log_in`` raises.
        """
        assert row.login_key is not None
        give_up = time.monotonic() + lease_s
        token = uuid4()
        place = {"firm_id": row.firm_id, "key": _at(row.login_key, api) if api else row.login_key}
        believed_s = ELSEWHERE_BELIEVED_S if api else None
        while (version := await self._claim(place, token, lease_s, believed_s)) is None:
            if time.monotonic() > give_up:
                raise RetryLater(problem=Problem("vendor_unavailable", "another process is logging in"))
            await asyncio.sleep(POLL_S)
        try:
            # Read after the claim: the secrets are at least as new as the version.
            async with self._database.reading() as reading:
                current = await self._connections.read(reading, row.id)
            if current is not None and current.unreadable is not None:
                raise ActionRequired(current.unreadable)
            return await log_in(current or row)
        except ReauthorisationRequired as failure:
            if await self._refuse(place, version, failure.problem or Problem("reauthorise")):
                raise
            raise RetryLater(problem=Problem("vendor_unavailable", "the login was changed meanwhile")) from failure
        finally:
            await self._release(place, token)

    async def lock_connections(
        self, tx: AsyncConnection, firm_id: UUID, keys: Collection[str], connection_id: UUID | None = None
    ) -> list[ConnectionRow]:
        """Lock the connections of some logins, and one more, in the order that keeps two from waiting for each other."""
        asked = {"firm_id": firm_id, "keys": list(keys), "id": connection_id}
        return [self._connections.open_row(row) for row in await _LOCK_CONNECTIONS.all(tx, asked)]

    async def change(
        self,
        tx: AsyncConnection,
        others: Collection[ConnectionRow],
        firm_id: UUID,
        key: str,
        secrets: Mapping[str, str],
    ) -> None:
        """Take new secrets for a login: give them to the other connections that share it, and let them try again.

        ``others`` are locked (``lock_connections``).
        """
        await _CHANGE.run(tx, {"firm_id": firm_id, "key": key})
        await _CHANGE_ELSEWHERE.run(tx, {"firm_id": firm_id, "prefix": _at(key, "")})
        for other in others:
            if other.login_key == key:
                await _SECRETS.run(tx, {"id": other.id, **self._connections.sealed(other.id, secrets)})
                await self._connections.apply(tx, other.id, SettingsChanged(renews_login=True))

    async def is_refused(self, tx: AsyncConnection, firm_id: UUID, key: str) -> bool:
        """Return whether the vendor refused the login since it was changed last."""
        row = await _READ.one_or_none(tx, {"firm_id": firm_id, "key": key})
        return row is not None and row.refused_at is not None

    async def _claim(
        self, place: Mapping[str, object], token: UUID, lease_s: float, believed_s: float | None
    ) -> int | None:
        async with self._database.transaction() as tx:
            claim = {**place, "token": token, "lease_s": lease_s, "believed_s": believed_s}
            claimed = await _CLAIM.one_or_none(tx, claim)
            if claimed is not None:
                return int(claimed.version)
            row = await _READ.one_or_none(tx, place)
            if row is None:
                await _MAKE.run(tx, place)
            elif row.refused_at is not None:
                problem = row.problem
                raise ReauthorisationRequired(Problem(problem["code"], problem["detail"], **problem["params"]))
        return None

    async def _release(self, place: Mapping[str, object], token: UUID) -> None:
        try:
            async with self._database.transaction() as tx:
                await _RELEASE.run(tx, {**place, "token": token})
        except Exception as error:
            # Its lease ends by itself. What the login brought, or why it was refused, must not be lost for it.
            log.warning("a login could not be released", error=repr(error))

    async def _refuse(self, place: Mapping[str, object], version: int, problem: Problem) -> bool:
        kept = {"code": problem.code, "detail": problem.detail, "params": problem.params}
        async with self._database.transaction() as tx:
            firm_id, key = UUID(str(place["firm_id"])), str(place["key"])
            connections = await self.lock_connections(tx, firm_id, [key])
            values = {**place, "version": version, "problem": json.dumps(storable(kept), default=str)}
            if await _REFUSE.one_or_none(tx, values) is None:
                return False
            for each in connections:
                await self._connections.apply(tx, each.id, LoginRefused(problem))
        log.warning(
            "the vendor refused a login that connections share", connections=len(connections), problem=problem.code
        )
        self._wake("reconciler")
        return True


def _at(key: str, api: str) -> str:
    """Return the key of the row of a login at another API; no user's name has a line break."""
    return f"{key}\n{api}"
