"""Problems as rows: opened when first seen, counted while they last, closed when what they stopped goes on again.

A problem stays open while a retry is under way: it would otherwise flicker, and lose since when it is there.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.ids import new_id
from koppel_mesh.messages import ProblemData
from koppel_mesh.prepared_sql import Statement

_CLOSE = Statement("""
    UPDATE problem SET resolved_at = :now
    FROM unnest(CAST(:subjects AS uuid[]), CAST(:codes AS text[])) AS seen(subject_id, code)
    WHERE problem.subject_id = seen.subject_id AND problem.resolved_at IS NULL AND problem.code <> seen.code
""")
_CONNECTION_REMOVED = "connection_removed"
# The delivery of a connection that was removed stays as it is; what it says is over once the document went another way.
_CLOSE_OF_REMOVED = Statement("""
    UPDATE problem SET resolved_at = :now
    WHERE document_id = ANY(CAST(:documents AS uuid[])) AND resolved_at IS NULL AND code = :code AND EXISTS (
        SELECT FROM delivery WHERE delivery.document_id = problem.document_id AND delivery.state IN ('exported', 'booked'))
""")
_OPEN = Statement("""
    INSERT INTO problem AS held (id, firm_id, dossier_id, document_id, connector, connection_id, delivery_id, subject_id, code,
        message, who_can_fix, detail, first_seen_at, last_seen_at)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, firm_id uuid, dossier_id uuid, document_id uuid,
        connector text, connection_id uuid, delivery_id uuid, subject_id uuid, code text, message jsonb, who_can_fix text,
        detail text, first_seen_at timestamptz, last_seen_at timestamptz)
    ON CONFLICT (subject_id, code) WHERE resolved_at IS NULL DO UPDATE SET count = held.count + 1,
        last_seen_at = excluded.last_seen_at, message = excluded.message, detail = excluded.detail,
        who_can_fix = excluded.who_can_fix
""")


@dataclass(frozen=True)
class ProblemObservation:
    """One delivery or connection as it is now, with what stops it, if anything does."""

    subject_id: UUID
    firm_id: UUID
    dossier_id: UUID
    document_id: UUID | None
    connector: str
    connection_id: UUID
    delivery_id: UUID | None
    problem: ProblemData | None
    recovered: bool


async def note(tx: AsyncConnection, observations: Sequence[ProblemObservation], now: datetime) -> None:
    """Open, count and close problems; each subject at most once in ``observations``."""
    ended = {each.subject_id: each.problem.code if each.problem else "" for each in observations if _ends_others(each)}
    if ended:
        await _CLOSE.run(tx, {"subjects": list(ended), "codes": list(ended.values()), "now": now})
    rows = [_row(each, each.problem, now) for each in observations if each.problem is not None]
    if rows:
        ordered = sorted(rows, key=lambda row: (row["subject_id"], row["code"]))
        await _OPEN.run(tx, {"rows": json.dumps(ordered, default=str)})
    documents = [each.document_id for each in observations if each.document_id is not None and _may_end_removed(each)]
    if documents:
        await _CLOSE_OF_REMOVED.run(tx, {"documents": documents, "code": _CONNECTION_REMOVED, "now": now})


def _ends_others(observation: ProblemObservation) -> bool:
    """Another problem takes the place of the one before; none at all ends it only when the delivery got through."""
    return observation.recovered or observation.problem is not None


def _may_end_removed(observation: ProblemObservation) -> bool:
    """Whether the document went another way than by a removed connection, in whatever order the two are told."""
    problem = observation.problem
    return observation.recovered if problem is None else problem.code == _CONNECTION_REMOVED


def _row(observation: ProblemObservation, found: ProblemData, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "firm_id": observation.firm_id,
        "dossier_id": observation.dossier_id,
        "document_id": observation.document_id,
        "connector": observation.connector,
        "connection_id": observation.connection_id,
        "delivery_id": observation.delivery_id,
        "subject_id": observation.subject_id,
        "code": found.code,
        "message": found.message.model_dump(),
        "who_can_fix": found.who_can_fix,
        "detail": found.detail,
        "first_seen_at": now,
        "last_seen_at": now,
    }
