"""Period mails as rows: each is claimed by one process, and marked before anything leaves."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.database import Database
from koppel_mesh.messages import ProblemData
from koppel_mesh.prepared_sql import Record, Statement

LEASE_S = 300.0
"""Longer than a part may take to put together and to send."""
_MAKE = Statement("""
    INSERT INTO period_mail (id, connection_id, firm_id, dossier_id, request_key, from_on, to_on, address, remarks,
        with_documents, document_ids, open_count, requested_by)
    VALUES (:id, :connection_id, :firm_id, :dossier_id, :request_key, :from_on, :to_on, :address, :remarks,
        :with_documents, CAST(:document_ids AS jsonb), :open_count, :requested_by)
    ON CONFLICT ON CONSTRAINT period_mail_key DO NOTHING RETURNING id
""")
_OF_KEY = Statement("SELECT * FROM period_mail WHERE connection_id = :connection_id AND request_key = :request_key")
_LIST = Statement("""
    SELECT * FROM period_mail WHERE connection_id = :connection_id
        AND (CAST(:after AS uuid) IS NULL OR id < :after) ORDER BY id DESC LIMIT :rows
""")
_RESOLVE = Statement("""
    UPDATE period_mail SET state = :state, due_at = clock_timestamp(), failures = 0, problem = NULL
    WHERE id = :id AND connection_id = :connection_id AND state IN ('review', 'failed') RETURNING *
""")
_ARRIVED = Statement("""
    UPDATE period_mail SET next_document = part_end, parts_sent = parts_sent + 1, due_at = clock_timestamp(), failures = 0,
        problem = NULL, state = CASE WHEN with_documents AND part_end < jsonb_array_length(document_ids)
            THEN 'waiting' ELSE 'sent' END,
        sent_at = CASE WHEN with_documents AND part_end < jsonb_array_length(document_ids) THEN NULL
            ELSE clock_timestamp() END
    WHERE id = :id AND connection_id = :connection_id AND state = 'review' RETURNING *
""")
_CLAIM = Statement("""
    UPDATE period_mail SET lease_token = :lease_token,
        lease_until = clock_timestamp() + CAST(:lease_s AS float8) * interval '1 second'
    WHERE id = (SELECT id FROM period_mail WHERE state = 'waiting' AND due_at <= clock_timestamp()
        AND (lease_until IS NULL OR lease_until < clock_timestamp()) ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING *
""")
_LEAVES = Statement("""
    UPDATE period_mail SET state = 'sending', part_end = :part_end, omitted = CAST(:omitted AS jsonb)
    WHERE id = :id AND lease_token = :lease_token AND state = 'waiting' RETURNING id
""")
_ENDED = Statement("""
    UPDATE period_mail SET state = CAST(:state AS text), problem = CAST(:problem AS jsonb),
        failures = :failures, lease_until = NULL,
        next_document = :next_document, parts_sent = :parts_sent, omitted = CAST(:omitted AS jsonb),
        due_at = clock_timestamp() + CAST(:pause_s AS float8) * interval '1 second',
        sent_at = CASE WHEN CAST(:state AS text) = 'sent' THEN clock_timestamp() END
    WHERE id = :id AND lease_token = :lease_token AND state IN ('waiting', 'sending')
""")
_DIED = Statement("""
    UPDATE period_mail SET state = 'review', lease_until = NULL, problem = CAST(:problem AS jsonb)
    WHERE state = 'sending' AND lease_until < clock_timestamp()
""")


async def make(tx: AsyncConnection, values: dict[str, Any], document_ids: Sequence[str]) -> tuple[Record, bool]:
    """Return the period mail of a wish, and whether it is new: the same wish twice is one."""
    made = await _MAKE.one_or_none(tx, {**values, "document_ids": json.dumps(list(document_ids))})
    row = await _OF_KEY.one(tx, {name: values[name] for name in ("connection_id", "request_key")})
    return row, made is not None


async def newest(db: AsyncConnection, connection_id: UUID, after: UUID | None, rows: int) -> list[Record]:
    """Return the period mails of a connection, newest first."""
    return await _LIST.all(db, {"connection_id": connection_id, "after": after, "rows": rows})


async def resolve(tx: AsyncConnection, connection_id: UUID, period_mail_id: UUID, state: str) -> Record | None:
    """Move one that waits for a person; None where there is none that does."""
    return await _RESOLVE.one_or_none(tx, {"id": period_mail_id, "connection_id": connection_id, "state": state})


async def resolve_as_arrived(tx: AsyncConnection, connection_id: UUID, period_mail_id: UUID) -> Record | None:
    """Go on after the part in doubt: it arrived. None where none is in doubt."""
    return await _ARRIVED.one_or_none(tx, {"id": period_mail_id, "connection_id": connection_id})


async def claim(database: Database, lease_token: UUID) -> Record | None:
    """Take one that is due."""
    async with database.transaction() as tx:
        return await _CLAIM.one_or_none(tx, {"lease_token": lease_token, "lease_s": LEASE_S})


async def mark_leaving(database: Database, row: Record, part_end: int, omitted: Sequence[str]) -> bool:
    """Note, before anything leaves, that something may, and up to which document; False where the claim is not ours any more."""
    values = {"id": row.id, "lease_token": row.lease_token, "part_end": part_end, "omitted": json.dumps(list(omitted))}
    async with database.transaction() as tx:
        return await _LEAVES.one_or_none(tx, values) is not None


async def end(
    database: Database, row: Record, state: str, problem: ProblemData | None, *, pause_s: float = 0.0, **changes: Any
) -> None:
    """Write how a claim ended; what ``changes`` does not name stays."""
    kept = {name: changes.get(name, getattr(row, name)) for name in ("failures", "next_document", "parts_sent")}
    values = {
        "id": row.id,
        "lease_token": row.lease_token,
        "state": state,
        "problem": problem.model_dump_json() if problem is not None else None,
        "omitted": json.dumps(changes.get("omitted", row.omitted)),
        "pause_s": pause_s,
        **kept,
    }
    async with database.transaction() as tx:
        await _ENDED.run(tx, values)


async def take_from_the_dead(database: Database, problem: ProblemData) -> None:
    """Leave to a person what a process that ended may have sent."""
    async with database.transaction() as tx:
        await _DIED.run(tx, {"problem": problem.model_dump_json()})
