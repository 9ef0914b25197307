"""Asks dossier-api for a dossier and its connections, when its first statement is read.

Facts tell of what changes; a dossier that has had its connections since before connector-coda was there told them to nobody here.
"""

import json
from typing import Any
from uuid import UUID

from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

BEFORE_ALL_FACTS = -1
"""The version of what is asked for: any fact counts more."""

_IS_KNOWN = Statement("SELECT id FROM dossier WHERE id = :id AND introduced_at IS NOT NULL")
_DOSSIER = Statement("""
    INSERT INTO dossier (id, firm_id, name, enterprise_number, version, introduced_at)
    VALUES (:id, :firm_id, :name, :enterprise_number, :version, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET introduced_at = excluded.introduced_at
""")
_CONNECTIONS = Statement("""
    INSERT INTO connection (id, dossier_id, connector, state, version)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, dossier_id uuid, connector text, state text,
        version integer)
    ON CONFLICT DO NOTHING
""")


async def introduce(context: Context, dossier_id: UUID) -> None:
    """Keep what dossier-api knows of a dossier and of its connections, where no fact told more; once for each.

    Raises:
        InternalCallError: dossier-api does not answer.
    """
    async with context.database.reading() as reading:
        if await _IS_KNOWN.one_or_none(reading, {"id": dossier_id}) is not None:
            return
    known = await context.mesh.get_json(f"/dossier-api/v1/dossiers/{dossier_id}")
    dossier = {name: known[name] for name in ("name", "enterprise_number")} | {"firm_id": UUID(str(known["firm_id"]))}
    connections = [_connection_row(dossier_id, each) for each in known["connections"]]
    async with context.database.transaction() as tx:
        await _DOSSIER.run(tx, {"id": dossier_id, "version": BEFORE_ALL_FACTS, **dossier})
        await _CONNECTIONS.run(tx, {"rows": json.dumps(connections, default=str)})


def _connection_row(dossier_id: UUID, known: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": known["connection_id"],
        "dossier_id": dossier_id,
        "connector": known["connector"],
        "state": known["state"],
        "version": BEFORE_ALL_FACTS,
    }
