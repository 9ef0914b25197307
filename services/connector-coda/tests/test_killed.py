"""A process that dies in the middle: its connection ends between two writes, as kill -9 ends it, and another goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from connector_coda import arranging, reading, releasing
from koppel_mesh.messages import DeliveryChanged, DocumentReady
from koppel_mesh.service import Context

from .conftest import Coda
from .samples import chain

Loop = Callable[[Context], Awaitable[bool]]
BETWEEN: list[tuple[Loop, str]] = [
    (reading.read_documents, "account"),
    (reading.read_documents, "line"),
    (arranging.arrange_dossier, "statement"),
    (arranging.arrange_dossier, "account"),
    (arranging.arrange_dossier, "outbox"),
    (releasing.release_statements, "document"),
    (releasing.release_statements, "statement"),
    (releasing.release_statements, "outbox"),
]
"""A loop, and the table before whose next write it dies."""
_WAITING = """
    SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database WHERE NOT granted AND d.datname = current_database()
"""


async def die_before(service: Coda, loop: Loop, table: str) -> None:
    """Run ``loop`` until it wants to write ``table``, and end it there."""
    async with service.database.transaction() as tx:
        await tx.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
        dying = asyncio.ensure_future(loop(service.context))
        pids: list[Any] = []
        while not pids and not dying.done():
            pids = list((await tx.execute(text(_WAITING))).scalars())
            await asyncio.sleep(0.01)
        assert not dying.done(), f"it never wrote {table}"
        for pid in pids:
            await tx.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises((DBAPIError, ConnectionError)):
            await dying


@pytest.mark.parametrize(("loop", "table"), BETWEEN, ids=[f"{loop.__name__}-{table}" for loop, table in BETWEEN])
async def test_what_a_dead_process_had_begun_is_done_once_by_the_next(service: Coda, loop: Loop, table: str) -> None:
    one, two, _, four = (service.document(each) for each in chain(4))
    await service.deliver(one, two, four, *(service.ready(each) for each in (one, two, four)))
    for earlier in (reading.read_documents, arranging.arrange_dossier, releasing.release_statements):
        if earlier is loop:
            break
        while await earlier(service.context):
            pass
    told = await service.published()
    await die_before(service, loop, table)
    assert await service.published() == [], "nothing of what it had begun is told"
    await service.work()
    told += await service.published()
    (released,) = [fact for fact in told if isinstance(fact, DocumentReady)]
    (stopped,) = [fact for fact in told if isinstance(fact, DeliveryChanged)]
    assert (released.document_id, stopped.document_id) == (one.document_id, four.document_id)
    await service.answer(released)
    await service.work()
    assert await service.gone() == [two.document_id]
    assert await service.problems() == {four.document_id: "statement_gap"}
    lines = await service.sql("SELECT count(*) AS number FROM line")
    assert lines == [{"number": 3}]
