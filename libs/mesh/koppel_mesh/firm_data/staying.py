"""Facts that arrive when their firm has left: where a handler would make rows of them again, they are dropped."""

from collections.abc import Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.prepared_sql import Statement

if TYPE_CHECKING:
    from koppel_mesh.service import Context, Handler

_LEFT = Statement("SELECT firm_id FROM firm_deletion WHERE firm_id = ANY(CAST(:firms AS uuid[]))")


def of_firms_that_stay(handle: "Handler") -> "Handler":
    """Return a handler that takes no facts of firms whose deletion was asked for in its service.

    A queue of dead messages is replayed whenever somebody gets to it, so a fact may be older than any deletion. A service that
    keeps rows of such a firm because of a duty takes what completes them, and does not use this.
    """

    @wraps(handle)
    async def take(context: "Context", tx: AsyncConnection, events: Sequence[Any]) -> None:
        firms = list({event.firm_id for event in events} - {None})
        left = {row.firm_id for row in await _LEFT.all(tx, {"firms": firms})} if firms else set()
        if staying := [event for event in events if event.firm_id not in left]:
            await handle(context, tx, staying)

    return take
