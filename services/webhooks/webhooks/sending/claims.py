"""Claiming due deliveries, fairly over endpoints, and recording what became of them.

A claim pushes the next attempt of a delivery behind its lease: what a killed process held is due again after it. An event waits
for the one before it of the same subject, so that what arrives is in order.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.prepared_sql import Record, Statement
from webhooks.problems import rendered

from .rules import FAILING_DAYS, Attempt, Outcome

_ANY_DUE = Statement("SELECT EXISTS (SELECT FROM delivery WHERE due_at <= now()) AS found")
# The lock on the endpoint makes its claims come one after the other, so that its concurrency is counted right; another process
# leaves it alone meanwhile. What is claimed first of every endpoint comes before what is claimed second of any. That a row is
# still due is asked once more of the row itself: another process may have claimed it since this statement began.
_CLAIM = Statement("""
    WITH open_endpoint AS (
        SELECT id, CASE WHEN failing_since IS NULL THEN CAST(:concurrency AS integer) ELSE 1 END
            - (SELECT count(*) FROM delivery busy WHERE busy.endpoint_id = endpoint.id AND busy.due_at > now()
                AND busy.leased_until > now()) AS allowed
        FROM endpoint
        WHERE state = 'active' AND (resume_at IS NULL OR resume_at <= now())
            AND id IN (SELECT endpoint_id FROM delivery WHERE due_at <= now())
        FOR NO KEY UPDATE SKIP LOCKED
    ), picked AS (
        SELECT e.id AS endpoint_id, due.recorded_at, due.event_id, e.allowed,
            row_number() OVER (PARTITION BY e.id ORDER BY due.due_at, due.sequence) AS place
        FROM open_endpoint e CROSS JOIN LATERAL (
            SELECT d.recorded_at, d.event_id, d.due_at, d.sequence FROM delivery d
            WHERE d.endpoint_id = e.id AND d.due_at <= now() AND NOT EXISTS (
                SELECT FROM delivery earlier WHERE earlier.endpoint_id = d.endpoint_id AND earlier.subject_id = d.subject_id
                    AND earlier.sequence < d.sequence AND earlier.due_at IS NOT NULL)
            ORDER BY d.due_at, d.sequence LIMIT :concurrency) due
        WHERE e.allowed > 0
    ), claimed AS (
        SELECT * FROM picked WHERE place <= allowed ORDER BY place LIMIT :free
    )
    UPDATE delivery d SET due_at = now() + :lease_s * interval '1 second', leased_until = now() + :lease_s * interval '1 second',
        attempts = d.attempts + 1
    FROM claimed c JOIN endpoint e ON e.id = c.endpoint_id
    WHERE d.recorded_at = c.recorded_at AND d.event_id = c.event_id AND d.endpoint_id = c.endpoint_id AND d.due_at <= now()
    RETURNING d.recorded_at, d.event_id, d.endpoint_id, d.attempts AS number, e.url, e.client_id,
        coalesce(e.firm_ids, ARRAY[e.firm_id]) AS firm_ids, e.auth, e.auth_sealed, e.auth_key_id, e.failing_since
""")
_BODIES = Statement("""
    SELECT id, firm_id, body FROM event JOIN unnest(CAST(:times AS timestamptz[]), CAST(:ids AS uuid[])) AS wanted (at, event_id)
        ON recorded_at = at AND id = event_id
""")
_RECORD = Statement("""
    UPDATE delivery d SET state = r.state, leased_until = NULL,
        due_at = now() + r.delay_s * interval '1 second',
        attempts = d.attempts - r.uncounted,
        postponed_since = CASE WHEN r.uncounted = 1 THEN coalesce(d.postponed_since, now()) END,
        delivered_at = CASE WHEN r.state = 'delivered' THEN now() ELSE d.delivered_at END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (recorded_at timestamptz, event_id uuid, endpoint_id uuid,
        number integer, state text, delay_s float8, uncounted integer)
    WHERE d.recorded_at = r.recorded_at AND d.event_id = r.event_id AND d.endpoint_id = r.endpoint_id
        AND d.attempts = r.number AND d.leased_until IS NOT NULL
""")
_LOG = Statement("""
    INSERT INTO attempt (at, event_id, endpoint_id, number, outcome, status, duration_ms, answer)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (at timestamptz, event_id uuid, endpoint_id uuid, number integer,
        outcome text, status integer, duration_ms integer, answer text)
    ON CONFLICT DO NOTHING
""")
# Whoever changed the address meanwhile is not answered for by the one before.
_ENDPOINTS = Statement(f"""
    UPDATE endpoint e SET
        failing_since = CASE WHEN r.succeeded THEN NULL ELSE coalesce(e.failing_since, r.at) END,
        resume_at = CASE WHEN r.rest_s > 0 THEN now() + r.rest_s * interval '1 second' ELSE e.resume_at END,
        state = CASE WHEN over.code IS NULL THEN e.state ELSE 'disabled' END,
        problem_at = CASE WHEN over.code IS NULL THEN e.problem_at ELSE now() END,
        problem = CASE over.code WHEN 'webhook_gone' THEN r.gone_problem WHEN 'webhook_failing' THEN r.failing_problem
            ELSE e.problem END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id uuid, url text, at timestamptz, succeeded boolean, gone boolean,
        rest_s float8, gone_problem jsonb, failing_problem jsonb)
    CROSS JOIN LATERAL (SELECT CASE WHEN r.gone THEN 'webhook_gone' WHEN NOT r.succeeded AND EXISTS (
        SELECT FROM endpoint f WHERE f.id = r.id AND f.failing_since <= now() - interval '{FAILING_DAYS} days')
        THEN 'webhook_failing' END AS code) over
    WHERE e.id = r.id AND e.url = r.url AND e.state <> 'disabled'
    RETURNING e.id, e.state, e.url, e.problem, e.contact_email
""")


@dataclass(frozen=True)
class Claim:
    """One delivery that is this process's for the time of its lease."""

    recorded_at: datetime
    event_id: UUID
    endpoint_id: UUID
    number: int
    url: str
    client_id: str
    firm_id: UUID
    """Whose event it is."""
    is_wanted: bool
    """Whether the endpoint still names that firm."""
    auth: dict[str, Any] | None
    auth_sealed: bytes | None
    auth_key_id: str | None
    failing: bool
    body: str


@dataclass(frozen=True)
class Result:
    """What became of a claim."""

    claim: Claim
    at: datetime
    attempt: Attempt
    outcome: Outcome


async def claim(tx: AsyncConnection, *, free: int, concurrency: int, lease_s: float) -> list[Claim]:
    """Claim at most ``free`` due deliveries, and of each endpoint no more than its concurrency allows."""
    if free <= 0 or not (await _ANY_DUE.one(tx)).found:
        return []
    rows = await _CLAIM.all(tx, {"free": free, "concurrency": concurrency, "lease_s": lease_s})
    wanted = {(row.recorded_at, row.event_id) for row in rows}
    found = await _BODIES.all(tx, {"times": [at for at, _ in wanted], "ids": [event_id for _, event_id in wanted]})
    events = {row.id: row for row in found}
    return [_claim(row, events[row.event_id]) for row in rows if row.event_id in events]


def _claim(row: Record, event: Record) -> Claim:
    names = (
        "recorded_at",
        "event_id",
        "endpoint_id",
        "number",
        "url",
        "client_id",
        "auth",
        "auth_sealed",
        "auth_key_id",
    )
    shared = {name: row[name] for name in names}
    firm = {"firm_id": event.firm_id, "is_wanted": event.firm_id in row.firm_ids}
    return Claim(**shared, **firm, failing=row.failing_since is not None, body=event.body)


_STATES = {"delivered": "delivered", "failed": "failed", "withheld": "withheld"}


async def record(tx: AsyncConnection, results: Sequence[Result]) -> list[Record]:
    """Record what became of claims; return the endpoints that were disabled by it, with what their owners are told."""
    if not results:
        return []
    keys = [{"event_id": one.claim.event_id, "endpoint_id": one.claim.endpoint_id} for one in results]
    moves = [
        {
            **key,
            "recorded_at": one.claim.recorded_at,
            "number": one.claim.number,
            "state": _STATES.get(one.outcome.kind, "pending"),
            "delay_s": one.outcome.delay_s,
            "uncounted": int(one.outcome.kind == "postponed"),
        }
        for key, one in zip(keys, results, strict=True)
    ]
    await _RECORD.run(tx, {"rows": json.dumps(moves, default=str)})
    logged = [
        {
            **key,
            "at": one.at,
            "number": one.claim.number,
            "outcome": one.outcome.kind,
            "status": one.attempt.status,
            "duration_ms": one.attempt.duration_ms,
            "answer": one.attempt.answer,
        }
        for key, one in zip(keys, results, strict=True)
        if one.outcome.kind != "postponed"
    ]
    await _LOG.run(tx, {"rows": json.dumps(logged, default=str)})
    changes = _of_endpoints(results)
    changed = await _ENDPOINTS.all(tx, {"rows": json.dumps(changes, default=str)}) if changes else []
    return [row for row in changed if row.state == "disabled"]


def _of_endpoints(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Return what is news of endpoints: those that fail, and those that had been failing."""
    by_endpoint: dict[UUID, list[Result]] = {}
    for one in results:
        if one.outcome.kind not in ("withheld", "postponed"):
            by_endpoint.setdefault(one.claim.endpoint_id, []).append(one)
    changes = []
    for endpoint_id, ended in sorted(by_endpoint.items()):
        failures = [one for one in ended if one.outcome.kind != "delivered"]
        if not failures and not any(one.claim.failing for one in ended):
            continue
        last = (failures or ended)[-1]
        reason = f"HTTP {last.attempt.status}" if last.attempt.status else last.attempt.answer[:200]
        changes.append(
            {
                "id": endpoint_id,
                "url": last.claim.url,
                "at": min(one.at for one in ended),
                "succeeded": len(failures) < len(ended),
                "gone": any(one.outcome.kind == "gone" for one in failures),
                "rest_s": max((one.outcome.rest_s for one in failures), default=0.0),
                "gone_problem": json.loads(rendered("webhook_gone")),
                "failing_problem": json.loads(rendered("webhook_failing", reason=reason)),
            }
        )
    return changes
