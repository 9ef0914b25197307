"""Problems as rows: opened when first seen, counted while they last, closed when what they stopped goes on again.

A problem stays open while a retry is under way: it would otherwise flicker, and lose since when it is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.ids import new_id
from koppel_mesh.messages import DeliveryState, ProblemData
from koppel_mesh.prepared_sql import Statement

from .tables import delivery, problem

KIND_NOT_TAKEN = "kind_not_taken"


def is_open() -> ColumnElement[bool]:
    """Return the condition of an open problem.

    That a connection takes no documents of a kind is none while another connection takes the document.
    """
    code = func.coalesce(delivery.c.problem["code"].astext, "")
    another = exists().where(
        delivery.c.document_id == problem.c.document_id,
        delivery.c.id != problem.c.delivery_id,
        delivery.c.state != DeliveryState.SUPERSEDED,
        code != KIND_NOT_TAKEN,
    )
    return and_(problem.c.resolved_at.is_(None), or_(problem.c.code != KIND_NOT_TAKEN, not_(another)))


_CLOSE = Statement("""
    UPDATE problem SET resolved_at = :now
    FROM unnest(CAST(:subjects AS uuid[]), CAST(:codes AS text[])) AS seen(subject_id, code)
    WHERE problem.subject_id = seen.subject_id AND problem.resolved_at IS NULL AND problem.code <> seen.code
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
    if not rows:
        return
    statement = upsert(problem)
    given = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["subject_id", "code"],
        index_where=problem.c.resolved_at.is_(None),
        set_={
            "count": problem.c["count"] + 1,
            "last_seen_at": given.last_seen_at,
            "message": given.message,
            "detail": given.detail,
            "who_can_fix": given.who_can_fix,
        },
    )
    await tx.execute(statement, sorted(rows, key=lambda row: (row["subject_id"], row["code"])))


def _ends_others(observation: ProblemObservation) -> bool:
    """Another problem takes the place of the one before; none at all ends it only when the delivery got through."""
    return observation.recovered or observation.problem is not None


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
