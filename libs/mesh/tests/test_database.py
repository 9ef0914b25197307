"""A database that goes away in the middle: told as "away", so that a caller is asked to come back and a batch is kept."""

import pytest
from sqlalchemy import text

from koppel_mesh.database import Database, is_unavailable


@pytest.mark.parametrize("within", ["transaction", "reading"])
async def test_a_connection_that_is_lost_on_the_way_says_so_and_is_replaced(database: Database, within: str) -> None:
    open_one = database.transaction if within == "transaction" else database.reading
    with pytest.raises(Exception) as lost:
        async with open_one() as connection:
            server = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            async with database.transaction() as other:
                await other.execute(text("SELECT pg_terminate_backend(:server)"), {"server": server})
            await connection.execute(text("SELECT 1"))
    assert is_unavailable(lost.value), repr(lost.value)
    await database.ping()
    assert database.in_use() == 0
