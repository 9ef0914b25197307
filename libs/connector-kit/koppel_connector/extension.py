"""A door of the kit for a connector that does more than deliver documents: routes and loops of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import structlog

from koppel_mesh.auth import Caller
from koppel_mesh.http.problems import not_found

from .calls.vendor import open_vendor
from .connection.missing_settings import problem_of_missing
from .connection.store import ConnectionRow
from .contract import ActionRequired, Connection, Problem, Vendor
from .kit import Kit

__all__ = ["Kit", "open_connection", "owned_connection"]
log = structlog.get_logger(__name__)


async def owned_connection(kit: Kit, caller: Caller, connection_id: UUID) -> tuple[Connection, object]:
    """Return a connection of the caller's firm, and its settings, secrets left out where no key opens them.

    Raises:
        HttpProblem: 404 where there is none, another firm's included.
    """
    async with kit.database.reading() as reading:
        row = await kit.connections.read(reading, connection_id)
    if row is None or not caller.may_see(row.firm_id):
        raise not_found("connection")
    return _connection(row), row.settings


@asynccontextmanager
async def open_connection(kit: Kit, connection_id: UUID) -> AsyncIterator[Vendor]:
    """Open a connection for what is no delivery; its calls stand in the sync log, and count, like all others.

    The kit keeps no promise of "once" for them: whoever calls sees to it that what may have acted is not repeated.

    Raises:
        ActionRequired: the connection was removed, is stopped, or lacks settings to send.
    """
    async with kit.database.reading() as reading:
        row = await kit.connections.read(reading, connection_id)
    held = Problem("connection_removed") if row is None else row.why_stopped()
    if held is None and row is not None:
        held = problem_of_missing(kit, row.settings, "send")
    if held is not None or row is None:
        raise ActionRequired(held or Problem("connection_removed"))
    vendor = await open_vendor(kit, row)
    try:
        yield vendor
    finally:
        try:
            async with kit.database.transaction() as tx:
                await vendor.flush(tx)
        except Exception as error:
            # The line in the sync log stays open. What the calls brought, or why they failed, must not be lost for it.
            log.warning("the end of a call could not be logged", connection=str(row.id), error=repr(error))


def _connection(row: ConnectionRow) -> Connection:
    return Connection(row.id, row.dossier_id, row.firm_id, row.state.value, row.connected_via_user)
