"""The sync log: every exchange with a vendor is a row that is committed before its bytes leave.

One statement notes how the previous call of the same worker ended and how far its delivery is, takes the budget, and opens
the row; so a call costs one commit. When the process dies afterwards, the open row is what tells that the vendor may have
acted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract.limits import DAY_S
from koppel_mesh.prepared_sql import Statement

from .windows import ScopedWindow, as_arrays

Phase = Literal["send", "lookup", "read", "read_back", "token"]
"""What a call was made for; ``read`` is a question of no delivery: an import, a health check."""
SHORT_S = 60
LEFT_SHARE = 0.25
"""Of a window that is no longer than ``SHORT_S`` an import leaves so much to others: it would take every minute whole."""
Outcome = Literal["ok", "refused", "throttled", "later", "unknown", "not_sent"]


@dataclass(frozen=True)
class NewAttempt:
    """What is known of a call before it is made."""

    connection_id: UUID
    phase: Phase
    operation: str
    endpoint: str
    acts: bool
    deadline_s: float
    request: str | None
    delivery_id: UUID | None = None
    document_id: UUID | None = None
    trace_id: str | None = None


@dataclass(frozen=True)
class Budget:
    """What the call needs: a place in each window that counts it, and an endpoint that is not paused."""

    scope: str
    """Of the error budget."""
    windows: Sequence[ScopedWindow] = ()
    """Those that count this call."""
    errors_spared: int = 0
    """Up to so many errors the call may leave though the endpoint is paused: the reserve of searches that settle."""
    may_use_reserve: bool = False
    left_share: float = 0.0
    """Of each short window so much is left to others."""


@dataclass(frozen=True)
class Opened:
    """The row is there and the budget is taken."""

    id: int
    started_at: datetime
    deadline_at: datetime
    counts: Mapping[str, Any] = field(default_factory=dict)
    """Window name → ``used`` and ``capacity`` as we count them."""
    is_probe: bool = False


@dataclass(frozen=True)
class NoBudget:
    """Nothing was taken and nothing may leave before ``until``."""

    until: datetime
    windows: frozenset[str] = frozenset()
    """Names of those that are used up; none when it is the error budget of the endpoint."""


@dataclass(frozen=True)
class Ending:
    """How a call ended."""

    attempt_id: int
    outcome: Outcome
    duration_ms: int
    http_status: int | None = None
    response: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Progress:
    """How far a delivery is: JSON that outlives the worker."""

    delivery_id: UUID
    progress: str


_ENDED = """UPDATE attempt SET finished_at = clock_timestamp(), outcome = :outcome, http_status = CAST(:http_status AS integer),
        duration_ms = CAST(:duration_ms AS integer), response = :response, message = :message
    WHERE id = CAST(:ended_id AS bigint)"""
_PROGRESSED = """UPDATE delivery SET progress = CAST(:progress AS jsonb) WHERE id = CAST(:progressed_id AS uuid)"""
_NOTE = Statement(f"WITH ended AS ({_ENDED}) {_PROGRESSED}")
# As ``Window.ends_at`` has it, by the clock of the database. A day has 23 or 25 hours when the clocks change.
_NEXT_DAY = "((date_trunc('day', clock_timestamp() AT TIME ZONE w.zone) + interval '1 day') AT TIME ZONE w.zone)"
_WINDOW_ENDS = f"""CASE WHEN w.period_s = {DAY_S} THEN {_NEXT_DAY} ELSE least({_NEXT_DAY},
    date_trunc('day', clock_timestamp(), w.zone) + w.period_s * interval '1 second' * (1 + floor(
        extract(epoch FROM clock_timestamp() - date_trunc('day', clock_timestamp(), w.zone)) / w.period_s)::float8)) END"""
_OPEN = Statement(f"""
    WITH ended AS ({_ENDED}
    ), progressed AS ({_PROGRESSED}
    ), gate AS (
        SELECT open_until, probe_until FROM error_budget
        WHERE scope = :scope AND endpoint = :endpoint AND open_until IS NOT NULL
            AND errors >= CAST(:errors_spared AS integer) FOR UPDATE
    ), counting AS (
        SELECT * FROM unnest(CAST(:scopes AS text[]), CAST(:names AS text[]), CAST(:periods_s AS integer[]),
            CAST(:zones AS text[]), CAST(:reserves AS integer[])) AS w (scope, name, period_s, zone, reserve)
    ), held AS (
        SELECT r.name, r.used, r.capacity, r.ends_at, w.reserve, w.period_s FROM rate_window r JOIN counting w USING (scope, name)
        ORDER BY r.scope, r.name FOR UPDATE OF r
    ), used_up AS (
        SELECT name, ends_at FROM held WHERE ends_at > clock_timestamp()
            AND used >= capacity - CASE WHEN CAST(:may_use_reserve AS boolean) THEN 0 ELSE reserve END
                - CASE WHEN period_s <= {SHORT_S} THEN floor(capacity * CAST(:left_share AS float8)) ELSE 0 END
    ), decision AS (
        SELECT
            (SELECT greatest(open_until, probe_until) FROM gate
                WHERE greatest(open_until, probe_until) > clock_timestamp()) AS gate_until,
            (SELECT max(ends_at) FROM used_up) AS window_until,
            (SELECT array_agg(name) FROM used_up) AS used_up,
            (SELECT count(*) FROM held) AS windows,
            EXISTS (SELECT FROM gate) AS is_probe
    ), go AS (
        SELECT 1 FROM decision WHERE gate_until IS NULL AND window_until IS NULL
            AND windows = (SELECT count(*) FROM counting)
    ), probing AS (
        UPDATE error_budget SET probe_until = clock_timestamp() + :deadline_s * 2 * interval '1 second'
        FROM go WHERE scope = :scope AND endpoint = :endpoint AND EXISTS (SELECT FROM gate)
    ), taken AS (
        UPDATE rate_window r SET
            used = CASE WHEN r.ends_at <= clock_timestamp() THEN 1 ELSE r.used + 1 END,
            ends_at = CASE WHEN r.ends_at <= clock_timestamp() THEN {_WINDOW_ENDS} ELSE r.ends_at END
        FROM go, counting w WHERE r.scope = w.scope AND r.name = w.name RETURNING r.name, r.used, r.capacity
    ), opened AS (
        INSERT INTO attempt (connection_id, delivery_id, document_id, phase, operation, endpoint, acts, started_at,
            deadline_at, request, trace_id)
        SELECT :connection_id, CAST(:delivery_id AS uuid), CAST(:document_id AS uuid), :phase, :operation, :endpoint,
            :acts, clock_timestamp(), clock_timestamp() + :deadline_s * interval '1 second', :request, :trace_id
        FROM go RETURNING id, started_at, deadline_at
    )
    SELECT decision.*, opened.*,
        (SELECT jsonb_object_agg(name, jsonb_build_object('used', used, 'capacity', capacity)) FROM taken) AS counts
    FROM decision LEFT JOIN opened ON true
""")


async def open_attempt(
    tx: AsyncConnection,
    attempt: NewAttempt,
    budget: Budget,
    ended: Ending | None = None,
    progressed: Progress | None = None,
) -> Opened | NoBudget | None:
    """Take the budget and open the row; None when the scope's window rows are not there yet.

    ``ended`` and ``progressed``, of the call before, are written in any case.
    """
    row = await _OPEN.one(
        tx,
        {
            **_noted(ended, progressed),
            "scope": budget.scope,
            **as_arrays(budget.windows),
            "errors_spared": budget.errors_spared,
            "may_use_reserve": budget.may_use_reserve,
            "left_share": budget.left_share,
            "endpoint": attempt.endpoint,
            "deadline_s": attempt.deadline_s,
            "connection_id": attempt.connection_id,
            "delivery_id": attempt.delivery_id,
            "document_id": attempt.document_id,
            "phase": attempt.phase,
            "operation": attempt.operation,
            "acts": attempt.acts,
            "request": attempt.request,
            "trace_id": attempt.trace_id,
        },
    )
    if row.gate_until is not None:
        return NoBudget(row.gate_until)
    if row.window_until is not None:
        return NoBudget(row.window_until, frozenset(row.used_up))
    if row.id is None:
        return None
    return Opened(row.id, row.started_at, row.deadline_at, row.counts or {}, row.is_probe)


async def note(tx: AsyncConnection, ended: Ending | None, progressed: Progress | None = None) -> None:
    """Note how a call ended and how far its delivery is."""
    await _NOTE.run(tx, _noted(ended, progressed))


def _noted(ended: Ending | None, progressed: Progress | None) -> dict[str, Any]:
    return {
        "ended_id": ended and ended.attempt_id,
        "outcome": ended and ended.outcome,
        "http_status": ended and ended.http_status,
        "duration_ms": ended and ended.duration_ms,
        "response": ended and ended.response,
        "message": ended and ended.message,
        "progressed_id": progressed and progressed.delivery_id,
        "progress": progressed and progressed.progress,
    }
