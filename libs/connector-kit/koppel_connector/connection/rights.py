"""What the user of a login may not do in the books: asked with each import, to be known before a document is refused (R085).

People at the vendor give them, in each company by itself; the user of the connection is named with what is missing (R086, R087).
"""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.calls.vendor import OpenVendor
from koppel_connector.contract.errors import ConnectorError, ReauthorisationRequired
from koppel_connector.contract.problems import Problem
from koppel_connector.kit import Kit
from koppel_mesh.prepared_sql import Statement

_KEY: Final = "missing rights"
_READ = Statement("""
    SELECT m.connection_id, m.value, c.connected_via_user FROM memory m JOIN connection c ON c.id = m.connection_id
    WHERE m.key = :key AND m.connection_id = ANY(CAST(:ids AS uuid[])) AND c.state IN ('connected', 'degraded')
""")
log = structlog.get_logger(__name__)


async def probe_rights(kit: Kit, vendor: OpenVendor) -> None:
    """Ask which rights are missing, and keep the answer; where the vendor cannot say, the last one stays.

    Raises:
        ReauthorisationRequired: the vendor no longer lets calls in.
    """
    try:
        missing = await kit.connector.missing_rights(vendor)
    except ReauthorisationRequired:
        raise
    except ConnectorError as failure:
        log.info("the vendor does not tell the rights", connection=str(vendor.row.id), reason=str(failure))
        return
    if missing:
        await vendor.memory.remember(_KEY, list(missing))
    else:
        await vendor.memory.forget(_KEY)


async def missing_rights(db: AsyncConnection, connection_ids: Collection[UUID]) -> Mapping[UUID, Problem]:
    """Return, by connection, what a person should know of rights that were missing when they were last asked."""
    rows = await _READ.all(db, {"key": _KEY, "ids": list(connection_ids)})
    return {
        row.connection_id: Problem("rights_missing", user=row.connected_via_user or "?", rights=", ".join(row.value))
        for row in rows
    }
