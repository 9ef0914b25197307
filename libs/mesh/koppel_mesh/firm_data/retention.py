"""What every service does by itself: it goes on with firms that left, and ends what has been kept long enough."""

import time
from typing import TYPE_CHECKING

import structlog

from koppel_mesh.prepared_sql import Statement

from .export import holdings_of
from .leaving import WORK_S, delete_next_firm
from .statements import BATCH, sql_of, years

if TYPE_CHECKING:
    from koppel_mesh.service import Context

FIRMS = "firms that left"
FIRMS_INTERVAL_S = 30.0
AGE = "end of retention"
AGE_INTERVAL_S = 3600.0
_TRY_LOCK = Statement("""
    SELECT pg_try_advisory_xact_lock(hashtextextended('koppel end of retention ' || current_schema(), 0)) AS is_mine
""")
log = structlog.get_logger(__name__)


async def delete_firms(context: "Context") -> bool:
    """Go on with the deletion of one firm; True while there may be another."""
    return await delete_next_firm(context)


async def end_retention(context: "Context") -> bool:
    """Delete what belongs to a year that nobody has to keep any more, of every firm; True while there may be more.

    Of the pods of a service one does it: another would wait for rows that are deleted, and take a table for empty that is not.
    """
    values = years(context.now(), context.settings.retention_years)
    ends = time.monotonic() + WORK_S
    for holding in holdings_of(context.service):
        statement = sql_of(holding).end
        number = BATCH if statement else 0
        while statement and number == BATCH:
            if time.monotonic() > ends:
                return True
            async with context.database.transaction() as tx:
                if not (await _TRY_LOCK.one(tx)).is_mine:
                    return False
                number = (await statement.one(tx, values)).number
            if number:
                log.info("retention ended", service=context.name, table=holding.table.name, rows=number)
    return False
