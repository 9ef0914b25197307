"""Asking the vendor which company is behind a connection, and keeping the answer."""

import json
from dataclasses import replace
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.calls.vendor import OpenVendor
from koppel_connector.contract import RemoteCompany
from koppel_connector.contract.errors import ActionRequired, Rejected
from koppel_connector.contract.storable import storable
from koppel_connector.kit import Kit
from koppel_mesh.clock import utc_now
from koppel_mesh.prepared_sql import Statement

# Whoever was led elsewhere meanwhile, or let in by another consent, is asked again: this answer is of other books.
_KEEP = Statement("""
    UPDATE connection SET remote_company = CAST(:told AS jsonb), company_compared_at = clock_timestamp()
    WHERE id = :id AND coalesce(books_scope, limit_scope) = :books_scope
        AND company_compared_at IS NOT DISTINCT FROM CAST(:compared_at AS timestamptz)
""")
_FORGET = Statement("UPDATE connection SET company_compared_at = NULL, remote_company = NULL WHERE id = :id")
log = structlog.get_logger(__name__)


async def compare_company(kit: Kit, vendor: OpenVendor) -> None:
    """Ask the vendor which company the connection leads to; ``vendor.row.company`` holds the answer afterwards.

    Raises:
        ConnectorError: the vendor cannot be asked now.
    """
    row = vendor.row
    told: RemoteCompany | None = None
    try:
        told = await kit.connector.remote_company(vendor)
    except (ActionRequired, Rejected) as failure:
        # It does not tell this user: that is said by the health, and keeps nobody from working.
        log.info("the vendor does not tell the company", connection=str(row.id), reason=str(failure))
    known = {"name": told.name, "numbers": list(told.numbers)} if told else {}
    values = {
        "id": row.id,
        "told": json.dumps(storable({"books_scope": row.books_scope, **known})),
        "books_scope": row.books_scope,
        "compared_at": row.company.kept_at,
    }
    async with kit.database.transaction() as tx:
        await _KEEP.run(tx, values)
    now = utc_now()
    vendor.row = replace(row, company=replace(row.company, remote=told, compared_at=now, kept_at=now))


async def insist_on_company(kit: Kit, vendor: OpenVendor) -> None:
    """Let nothing be sent into the books of a company that is not the dossier's.

    Raises:
        ActionRequired: it is another one, and nobody has confirmed it.
        ConnectorError: it was not compared yet, and the vendor cannot be asked now.
    """
    if vendor.row.company.compared_at is None:
        await compare_company(kit, vendor)
    if (problem := vendor.row.company.problem()) is not None:
        raise ActionRequired(problem)


async def forget_company(tx: AsyncConnection, connection_id: UUID) -> None:
    """Have the company asked again before the next document: another login or setting may lead elsewhere."""
    await _FORGET.run(tx, {"id": connection_id})
