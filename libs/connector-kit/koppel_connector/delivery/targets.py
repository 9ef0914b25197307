"""From a document and a connection to deliveries: each target's key, references and what is frozen of it."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract.problems import Problem
from koppel_connector.contract.target import Target
from koppel_connector.kit import Kit
from koppel_mesh import outbox
from koppel_mesh.ids import new_id
from koppel_mesh.messages import DeliveryState
from koppel_mesh.prepared_sql import Record, Statement

from .store import COLUMNS, DeliveryRow, row_of

NO_TARGET = Target(settle_s=0.0)
"""Stands in the row of a delivery that is blocked because there is none."""
REMOTE_NAMESPACE = UUID("6d1f8b52-6a0e-5b0e-9f7e-4b1d0a7c9e11")
"""Never changes: references computed from it stand in vendors' books."""

_MAKE = Statement(f"""
    INSERT INTO delivery AS d (id, connection_id, firm_id, dossier_id, document_id, revision, operation, kind, has_target,
        on_ambiguous, reads_back, may_stay_exported, settle_s, sequence_key, state, problem, due_at, remote_ref, remote_uuid,
        export_id, traceparent)
    SELECT id, connection_id, firm_id, dossier_id, document_id, revision, operation, kind, has_target,
        on_ambiguous, reads_back, may_stay_exported, settle_s, sequence_key,
        CASE WHEN has_target THEN 'ready' ELSE 'blocked' END, problem,
        CASE WHEN has_target THEN clock_timestamp() END, remote_ref, remote_uuid, export_id, traceparent
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, connection_id uuid, firm_id uuid, dossier_id uuid,
        document_id uuid, revision integer, operation text, kind text, has_target boolean, on_ambiguous text,
        reads_back boolean, may_stay_exported boolean, settle_s float8, sequence_key text, problem jsonb,
        remote_ref text, remote_uuid uuid,
        export_id uuid, traceparent text)
    ON CONFLICT ON CONSTRAINT delivery_key DO NOTHING RETURNING {COLUMNS}, d.version
""")
_ASSIGN = Statement(f"""
    UPDATE delivery d SET has_target = true, operation = :operation, on_ambiguous = :on_ambiguous, reads_back = :reads_back,
        may_stay_exported = :may_stay_exported, settle_s = :settle_s, sequence_key = :sequence_key,
        remote_ref = :remote_ref, remote_uuid = :remote_uuid
    WHERE d.id = :id AND d.lease_token = :lease AND NOT EXISTS (
        SELECT FROM delivery o WHERE o.connection_id = d.connection_id AND o.operation = :operation
            AND o.document_id = d.document_id AND o.revision = d.revision AND o.id <> d.id)
    RETURNING {COLUMNS}
""")


def records_of(
    kit: Kit, connection_id: UUID, asked: tuple[Target, ...] | Problem, document: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return a record for each target; for a problem one that is blocked by it.

    ``document`` holds ``firm_id``, ``dossier_id``, ``document_id``, ``revision``, ``kind``, ``export_id``, ``traceparent`` and
    ``sequence_key``, which holds for each target that has none of its own.
    """
    if isinstance(asked, Problem):
        problem = kit.reporter.render(asked).model_dump(mode="json")
        return [_record(connection_id, NO_TARGET, document, {"has_target": False, "problem": problem})]
    return [_record(connection_id, target, document, _known(target, document)) for target in asked]


async def make(tx: AsyncConnection, records: list[dict[str, Any]]) -> list[Record]:
    """Make deliveries; return those that were not there."""
    return await _MAKE.all(tx, {"rows": json.dumps(records)})


def is_to_assign(kit: Kit, row: DeliveryRow, settings: Any) -> bool:
    """Whether a claimed delivery has no target, or one that the settings have given up since, and nothing was sent for it.

    Who chooses another destination means what waits, too. Another operation would be another delivery.
    """
    if not row.has_target or row.target is None:
        return not row.has_target
    if row.first_sent_at is not None or row.unknown_since is not None:
        return False
    asked = kit.connector.targets(row.kind, settings)
    if isinstance(asked, Problem) or asked[0].operation != row.operation:
        return False
    return replace(asked[0], sequence_key=None) != replace(row.target, sequence_key=None)


async def assign(kit: Kit, row: DeliveryRow, settings: Any) -> DeliveryRow | Problem:
    """Ask again what becomes of a claimed delivery without a target; the others after the first get their own."""
    asked = kit.connector.targets(row.kind, settings)
    if isinstance(asked, Problem):
        return asked
    document = {
        "firm_id": str(row.firm_id),
        "dossier_id": str(row.dossier_id),
        "document_id": str(row.document_id),
        "revision": row.revision,
        "kind": row.kind.value,
        "export_id": None,
        "traceparent": row.traceparent,
        "sequence_key": row.sequence_key,
    }
    first, *others = records_of(kit, row.connection_id, asked, document)
    async with kit.database.transaction() as tx:
        assigned = await _ASSIGN.one_or_none(tx, {**first, "id": row.id, "lease": row.lease_token})
        if assigned is None:
            return Problem("kind_not_taken", row.kind.value)
        made = await make(tx, others) if others else []
        await outbox.publish(
            tx, *(kit.deliveries.changed(row_of(each), DeliveryState(each.state), each) for each in made)
        )
    return replace(row_of(assigned), has_prior_delivery=row.has_prior_delivery)


def remote_ref(key: str) -> str:
    """Return the reference by which a vendor is searched: ``KPL-`` and 100 bits of the key, in capitals and digits."""
    return f"KPL-{base64.b32encode(hashlib.sha256(key.encode()).digest()).decode()[:20]}"


def _known(target: Target, document: Mapping[str, Any]) -> dict[str, Any]:
    sequence_key = target.sequence_key or document["sequence_key"]
    return {"has_target": True, **asdict(target), "sequence_key": sequence_key}


def _record(
    connection_id: UUID, target: Target, document: Mapping[str, Any], known: Mapping[str, Any]
) -> dict[str, Any]:
    key = f"{connection_id}/{target.operation}/{document['document_id']}/{document['revision']}"
    return {
        **document,
        "id": str(new_id()),
        "connection_id": str(connection_id),
        "operation": target.operation,
        "remote_ref": remote_ref(key),
        "remote_uuid": str(uuid5(REMOTE_NAMESPACE, key)),
        **known,
    }
