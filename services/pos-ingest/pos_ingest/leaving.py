"""A firm leaves: its books take no entry after today, so that nobody enters closed days for ever."""

from uuid import UUID

from koppel_mesh.clock import brussels_date
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

_END_BOOKS = Statement("""
    UPDATE receipt_book SET ends_on = CAST(:today AS date)
    WHERE firm_id = :firm_id AND coalesce(ends_on, 'infinity') > CAST(:today AS date)
""")


async def stop_firm(context: Context, firm_id: UUID) -> None:
    """End the books of receipts; what waits to be handed in goes on, and is waited for."""
    async with context.database.transaction() as tx:
        await _END_BOOKS.run(tx, {"firm_id": firm_id, "today": brussels_date(context.now())})
