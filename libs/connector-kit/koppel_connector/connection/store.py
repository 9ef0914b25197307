"""Connections as rows: reading one, its settings opened, and each change of its state told to dossier-api."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from pydantic import BaseModel, SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.calls.budget import time_of_day
from koppel_connector.contract.errors import ActionRequired, ConnectorError, RateLimited, ReauthorisationRequired
from koppel_connector.contract.problems import Problem
from koppel_connector.contract.storable import storable
from koppel_connector.reporter import RenderedProblem, Reporter
from koppel_mesh import outbox
from koppel_mesh.clock import utc_now
from koppel_mesh.keyring import KeyRing, MissingKeyError, WrongKeyError
from koppel_mesh.messages import ConnectionChanged, ConnectionState, ProblemData
from koppel_mesh.prepared_sql import Statement

from .breaker import Breaker, Observation, Pace, observe
from .company import Company, company_of
from .events import ConnectionEvent, LoginRefused, ProblemFound
from .secret_keys import SECRETS_DAMAGED, problem_of
from .state_machine import transition

log = structlog.get_logger(__name__)
USABLE = (ConnectionState.CONNECTED, ConnectionState.DEGRADED)


@dataclass(frozen=True)
class Pause:
    """Why nothing is sent now though the connection is well, and until when."""

    until: datetime
    since: datetime | None
    problem: ProblemData


@dataclass(frozen=True)
class ConnectionRow:
    """A connection with its settings opened."""

    id: UUID
    dossier_id: UUID
    firm_id: UUID
    state: ConnectionState
    version: int
    settings: Any
    secrets: tuple[str, ...]
    limit_scope: str
    books_scope: str
    connected_via_user: str | None
    """Who gave the consent, else whose login it is (R086)."""
    problem: Mapping[str, Any] | None
    masters_version: int
    max_inflight: int
    breaker: Breaker
    pause: Pause | None
    company: Company
    """The company behind it, compared with the dossier."""
    imported_at: Any = None
    unreadable: Problem | None = None
    """Set where the secrets are under a key that this process does not hold, or damaged; the settings are without them then."""
    keyless_grant: Problem | None = None
    """Set where the grant is under a key that this process does not hold."""
    login_key: str | None = None
    """By which login of the firm it is let in, when others share that (``Connector.login_key``)."""

    @property
    def is_damaged(self) -> bool:
        """Whether no key brings the secrets back: a person has to give them again."""
        return self.unreadable is not None and self.unreadable.code == SECRETS_DAMAGED

    def why_stopped(self) -> Problem | None:
        """Return what keeps the connection from being used: the problem that stopped it, as it was told then; None if nothing."""
        if self.state in USABLE:
            return self.unreadable or self.keyless_grant
        if self.problem is not None:
            return RenderedProblem(ProblemData.model_validate(self.problem))
        return Problem("reauthorise" if self.state is ConnectionState.REAUTHORISE else "not_connected")


COLUMNS = """
    connection.*, (SELECT held.key_id FROM oauth_token held WHERE held.connection_id = connection.id) AS grant_key_id,
    (SELECT held.name FROM dossier held WHERE held.id = connection.dossier_id) AS dossier_name,
    (SELECT held.enterprise_number FROM dossier held WHERE held.id = connection.dossier_id) AS dossier_number
"""
"""What ``ConnectionStore.open_row`` takes."""
_READ = Statement(f"SELECT {COLUMNS} FROM connection WHERE id = :id")
_LOCK = Statement(f"SELECT {COLUMNS} FROM connection WHERE id = :id FOR UPDATE")


def split_secrets(settings: BaseModel) -> tuple[dict[str, Any], dict[str, str]]:
    """Return settings as they may be stored and shown, and the secrets among them apart."""
    names = secret_names(type(settings))
    shown = settings.model_dump(mode="json", exclude=set(names), exclude_unset=True)
    secrets = {}
    for name in names:
        value = getattr(settings, name)
        if value is not None:
            secrets[name] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return shown, secrets


@cache
def secret_names(model: type[BaseModel]) -> list[str]:
    """Return the write-only fields of a settings model.

    Raises:
        TypeError: a secret stands inside another field, where it would be stored with the rest.
    """
    schema = model.model_json_schema(by_alias=False)
    for part, of in schema.get("$defs", {}).items():
        if hidden := [name for name, field in of.get("properties", {}).items() if _is_secret(field)]:
            raise TypeError(f"{part}.{hidden[0]}: a secret must stand at the top of the settings")
    return [name for name, field in schema.get("properties", {}).items() if _is_secret(field)]


def _is_secret(field: dict[str, Any]) -> bool:
    return any(each.get("writeOnly") is True for each in (field, *field.get("anyOf", ())))


_STATE = Statement("SELECT state, problem, dossier_id, firm_id FROM connection WHERE id = :id FOR NO KEY UPDATE")
_SET_STATE = Statement("""
    UPDATE connection SET state = :state, version = version + 1, changed_at = clock_timestamp(),
        problem = CAST(:problem AS jsonb), connected_via_user = coalesce(:user, connected_via_user),
        failures = CASE WHEN CAST(:resumes AS boolean) THEN 0 ELSE failures END,
        away_since = CASE WHEN CAST(:resumes AS boolean) THEN NULL ELSE away_since END,
        probe_at = CASE WHEN CAST(:resumes AS boolean) THEN NULL ELSE probe_at END,
        outage = CASE WHEN CAST(:resumes AS boolean) THEN NULL ELSE outage END,
        not_before = CASE WHEN CAST(:resumes AS boolean) THEN clock_timestamp() ELSE not_before END,
        unblocked_at = CASE WHEN CAST(:resumes AS boolean) THEN clock_timestamp() ELSE unblocked_at END
    WHERE id = :id RETURNING version, coalesce(connected_via_user, login_key) AS connected_via_user
""")


_PAUSE = Statement("""
    UPDATE connection SET not_before = greatest(not_before, CAST(:until AS timestamptz)) WHERE id = :id
""")
_BREAKER = Statement("""
    SELECT away_since, probe_at, failures, clock_timestamp() AS read_at FROM connection WHERE id = :id FOR NO KEY UPDATE
""")
_SET_BREAKER = Statement("""
    UPDATE connection SET away_since = :away_since, probe_at = :probe_at, failures = :failures,
        outage = CASE WHEN CAST(:away_since AS timestamptz) IS NULL THEN NULL
            ELSE coalesce(CAST(:outage AS jsonb), outage) END
    WHERE id = :id
""")


async def pause(tx: AsyncConnection, connection_id: UUID, until: Any) -> None:
    """Make no calls for this connection before ``until``: its budget is used up."""
    await _PAUSE.run(tx, {"id": connection_id, "until": until})


class ConnectionStore:
    """Reads and writes the connections of one connector."""

    def __init__(
        self,
        settings_model: type[BaseModel],
        keys: KeyRing,
        reporter: Reporter,
        pace: Callable[[], Pace],
        wake: Callable[[str], None],
    ) -> None:
        self._settings_model = settings_model
        self._keys = keys
        self._reporter = reporter
        self._pace = pace
        self._wake = wake

    async def read(self, db: AsyncConnection, connection_id: UUID, *, lock: bool = False) -> ConnectionRow | None:
        """Return one connection, locked against everybody else when asked."""
        row = await (_LOCK if lock else _READ).one_or_none(db, {"id": connection_id})
        return None if row is None else self.open_row(row)

    def shown_settings(self, row: Any) -> Any:
        """Return the settings of a row without its secrets, which need no key."""
        return self._settings_model.model_validate(row.settings)

    def open_row(self, row: Any) -> ConnectionRow:
        """Return a row of ``COLUMNS`` with its secrets decrypted into its settings, or with what keeps them closed."""
        unreadable: Problem | None = None
        secrets: Mapping[str, Any] = {}
        try:
            if row.secrets:
                secrets = self._keys.open(row.id, bytes(row.secrets), row.key_id)
        except WrongKeyError as error:
            unreadable = problem_of(error)
        books_scope = row.books_scope or row.limit_scope
        return ConnectionRow(
            id=row.id,
            dossier_id=row.dossier_id,
            firm_id=row.firm_id,
            state=ConnectionState(row.state),
            version=row.version,
            settings=self._settings_model.model_validate({**row.settings, **secrets}),
            secrets=tuple(str(value) for value in secrets.values()),
            limit_scope=row.limit_scope,
            books_scope=books_scope,
            connected_via_user=row.connected_via_user or row.login_key,
            problem=row.problem,
            masters_version=row.masters_version,
            max_inflight=row.max_inflight,
            breaker=Breaker(row.away_since, row.probe_at, row.failures),
            pause=self.pause_of(row, utc_now()),
            imported_at=row.imported_at,
            unreadable=unreadable,
            keyless_grant=self._keyless(row.grant_key_id),
            company=company_of(row, books_scope),
            login_key=row.login_key,
        )

    def _keyless(self, grant_key_id: str | None) -> Problem | None:
        if grant_key_id is None or grant_key_id in self._keys.key_ids:
            return None
        return problem_of(MissingKeyError(grant_key_id, self._keys.key_ids))

    def sealed(self, connection_id: UUID, secrets: Mapping[str, str]) -> dict[str, Any]:
        """Return the columns that hold secrets."""
        if not secrets:
            return {"secrets": None, "key_id": None}
        return {"secrets": self._keys.seal(connection_id, secrets), "key_id": self._keys.key_id}

    async def apply(self, tx: AsyncConnection, connection_id: UUID, event: ConnectionEvent) -> None:
        """Move a connection and announce it, in the caller's transaction; an event that comes too late changes nothing."""
        row = await _STATE.one_or_none(tx, {"id": connection_id})
        made = transition(ConnectionState(row.state), event) if row is not None else None
        if row is None or made is None:
            return
        before = ProblemData.model_validate(row.problem) if row.problem else None
        rendered = self._reporter.render(made.problem) if made.problem else None
        problem = before if made.keeps_problem else rendered
        if not made.resumes and made.user is None and (made.to, problem) == (row.state, before):
            return
        values = {
            "id": connection_id,
            "state": made.to.value,
            "problem": problem.model_dump_json() if problem else None,
            "user": storable(made.user),
            "resumes": made.resumes,
        }
        written = await _SET_STATE.one(tx, values)
        await outbox.publish(
            tx,
            ConnectionChanged(
                connection_id=connection_id,
                dossier_id=row.dossier_id,
                firm_id=row.firm_id,
                connector=self._reporter.connector,
                state=made.to,
                version=written.version,
                connected_via_user=written.connected_via_user,
                problem=problem,
            ),
        )

    def pause_of(self, row: Any, now: datetime) -> Pause | None:
        """Return the pause of a row that holds ``away_since``, ``probe_at``, ``outage`` and ``not_before``."""
        if row.away_since is not None and row.probe_at is not None:
            problem = row.outage or self._reporter.render(Problem("vendor_unavailable"))
            return Pause(max(row.probe_at, row.not_before), row.away_since, ProblemData.model_validate(problem))
        if row.not_before > now:
            problem = Problem("rate_limited_long", until=time_of_day(row.not_before))
            return Pause(row.not_before, None, self._reporter.render(problem))
        return None

    async def observe(
        self, tx: AsyncConnection, connection_id: UUID, observation: Observation, problem: Problem | None = None
    ) -> tuple[Breaker, Breaker]:
        """Let the connection's breaker see what was observed; return it before and after.

        ``problem`` is what a person is told of an outage.
        """
        row = await _BREAKER.one(tx, {"id": connection_id})
        before = Breaker(row.away_since, row.probe_at, row.failures)
        after = observe(before, observation, self._pace(), row.read_at)
        if after == before:
            return before, after
        rendered = self._reporter.render(problem).model_dump_json() if problem else None
        values = {"away_since": after.away_since, "probe_at": after.probe_at, "failures": after.failures}
        await _SET_BREAKER.run(tx, {"id": connection_id, "outage": rendered, **values})
        if before.away_since is None:
            log.warning("vendor away", connection=str(connection_id), problem=str(problem))
        elif after.away_since is None:
            log.info(
                "pause over", reason=type(observation).__name__, connection=str(connection_id), probes=before.failures
            )
            for loop in ("deliveries", "read-back"):
                self._wake(loop)
        return before, after

    async def apply_failure(self, tx: AsyncConnection, connection_id: UUID, failure: ConnectorError | None) -> bool:
        """Apply to the whole connection what an error says about it; return whether it says anything."""
        match failure:
            case ReauthorisationRequired(problem=problem):
                await self.apply(tx, connection_id, LoginRefused(problem))
                self._wake("reconciler")
            case RateLimited(until=until, holds="connection") if until is not None:
                await pause(tx, connection_id, until)
            case ActionRequired(problem=problem) if problem and self._reporter.catalogue.kind_of(problem).degrades:
                await self.apply(tx, connection_id, ProblemFound(problem))
            case _:
                return False
        return True
