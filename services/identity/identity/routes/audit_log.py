"""The audit log: read by who administers, and written by the other routes."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from identity import audit_log
from identity.audit_log import Act, AuditEntry
from koppel_mesh.auth import Caller, require
from koppel_mesh.http.audit import source_of
from koppel_mesh.http.paging import Page, PageParams, uuid_cursor
from koppel_mesh.http.server import CurrentContext

router = APIRouter(prefix="/v1/audit-log", tags=["administration"])


class Acts:
    """Notes what the caller of a request does."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def note(self, tx: AsyncConnection, act: Act, firm_id: UUID | None = None, **about: Any) -> None:
        """Add an entry about ids, names and scopes, and nothing secret, in the transaction that does it."""
        caller: Caller = self._request.state.caller
        source = source_of(self._request.scope)
        await audit_log.add(tx, act, actor=caller.subject, firm_id=firm_id, about=about, source=source)


Audited = Annotated[Acts, Depends(Acts)]


@router.get("")
async def list_audit_log(
    page: PageParams,
    caller: Annotated[Caller, Depends(require("admin"))],
    context: CurrentContext,
    act: Act | None = None,
    actor: Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00]*$")] = None,
) -> Page[AuditEntry]:
    """List who did what with clients, secrets, consents, keys and tokens, the newest first: what concerns your firm."""
    async with context.database.reading() as connection:
        rows = await audit_log.page(connection, caller, act, actor, uuid_cursor(page), page.rows)
    return page.of(rows, AuditEntry.model_validate)
