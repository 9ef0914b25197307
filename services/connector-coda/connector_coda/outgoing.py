"""What connector-coda tells of a statement that does not go on: a delivery that carries the problem and delivers nothing.

People find it where they find all problems (``GET /dossier-api/v1/problems``). It ends as ``superseded`` when nothing is in
the way any more. A document has one, under the document's id.
"""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract import Problem
from koppel_mesh import outbox
from koppel_mesh.messages import DeliveryChanged, DeliveryState, ProblemData
from koppel_mesh.prepared_sql import Statement

from .handlers import OURSELVES
from .problems import render

_LOCK = Statement("""
    SELECT id, dossier_id, firm_id, revision, problem, problem_version FROM document WHERE id = ANY(CAST(:ids AS uuid[]))
    ORDER BY id FOR UPDATE
""")
_SET = Statement("""
    UPDATE document SET problem = CAST(:problem AS jsonb), problem_version = problem_version + 1 WHERE id = :id
""")


async def set_problems(tx: AsyncConnection, problems: Mapping[UUID, Problem | None]) -> None:
    """Keep what stops each of these documents, None for nothing, and tell dossier-api of what changed."""
    changed, events = [], []
    for row in await _LOCK.all(tx, {"ids": list(problems)}):
        problem = problems[row.id]
        rendered = render(problem) if problem is not None else None
        known = ProblemData.model_validate(row.problem) if row.problem else None
        if rendered == known:
            continue
        changed.append({"id": row.id, "problem": rendered.model_dump_json() if rendered else None})
        events.append(
            DeliveryChanged(
                delivery_id=row.id,
                document_id=row.id,
                revision=row.revision,
                connector=OURSELVES,
                connection_id=row.dossier_id,
                state=DeliveryState.BLOCKED if rendered else DeliveryState.SUPERSEDED,
                version=row.problem_version + 1,
                firm_id=row.firm_id,
                problem=rendered,
            )
        )
    if changed:
        await _SET.run_many(tx, changed)
        await outbox.publish(tx, *events)
