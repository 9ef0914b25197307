"""A process that dies while it closes or hands in: another goes on, and there is one invoice and one statement (P2)."""

import asyncio
from decimal import Decimal
from typing import Any, Literal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import koppel_coda
import koppel_ubl

from .conftest import Filed, Killed, Till

BETWEEN = [
    ("close receipts", "entry"),
    ("close receipts", "receipt_period"),
    ("close receipts", "hand_in"),
    ("close receipts", "outbox"),
    ("close cash books", "cash_statement"),
    ("close cash books", "hand_in"),
    ("close cash books", "cash_book"),
    ("hand in", "hand_in"),
]
"""A loop, and the table before whose next write it dies."""
_WAITING = """
    SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database WHERE NOT granted AND d.datname = current_database()
"""


def loop_of(till: Till, name: str) -> Any:
    (found,) = [loop for loop in till.context.service.loops if loop.name == name]
    return found


def die_before(till: Till, name: str, table: str) -> None:
    """Run a loop until it wants to write ``table``, and end it there."""

    async def die() -> None:
        async with till.database.transaction() as tx:
            await tx.execute(text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
            dying = asyncio.ensure_future(loop_of(till, name).run_once(till.context))
            pids: list[Any] = []
            while not pids and not dying.done():
                pids = list((await tx.execute(text(_WAITING))).scalars())
                await asyncio.sleep(0.01)
            assert not dying.done(), f"it never wrote {table}"
            for pid in pids:
                await tx.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            with pytest.raises((DBAPIError, ConnectionError)):
                await dying

    till.run(die())


def month(till: Till) -> str:
    """Make a book with a drawer and takings of March, and let April begin."""
    given = {"name": "Kas", "start_date": "2026-03-01", "start_balance": "150.00"}
    cash_book = till.call("POST", "/cash-books", json=given).json()["id"]
    book = till.book(number_format="G-{InvoiceNumber:5}", cash_book_id=cash_book)
    till.entered(book, "2026-03-03", payments=[{"method": "cash", "amount": "106.00"}])
    till.at("2026-04-01T12:00:00")
    return book


def went_on(till: Till, book: str) -> None:
    """Do what is left, and see that there is one of each."""
    for _ in range(2):
        till.loop("close receipts")
        till.loop("close cash books")
        till.sql("UPDATE hand_in SET due_at = now() WHERE due_at IS NOT NULL")
        filed = till.hand_in()
    one_of_each(filed)
    (period,) = till.periods(book)
    assert (period["number"], period["total"]) == ("DR-G-00001", "106.00")
    assert period["document_id"] in {str(one.document_id) for one in filed}
    told = till.sql("SELECT count(*) AS number FROM outbox WHERE type = 'receipts.period_closed.v1'")
    assert told == [{"number": 1}]


def one_of_each(filed: list[Filed]) -> None:
    (receipts,) = [one for one in filed if one.media_type.startswith("multipart/")]
    (statement,) = [one for one in filed if one.media_type == "text/plain"]
    assert koppel_ubl.read(receipts.parts["ubl"]).totals.with_vat == Decimal("106.00")
    assert koppel_coda.read(statement.content)[0].closing == Decimal("256.00")


@pytest.fixture(autouse=True)
def _quiet(till: Till) -> None:
    till.sql("DELETE FROM outbox")


@pytest.mark.parametrize(("name", "table"), BETWEEN)
def test_what_a_dead_process_had_begun_is_done_once_by_the_next(till: Till, name: str, table: str) -> None:
    book = month(till)
    if name == "hand in":
        till.loop("close receipts")
        till.loop("close cash books")
    die_before(till, name, table)
    went_on(till, book)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_that_dies_around_the_call_makes_no_second_document(
    till: Till, moment: Literal["before", "after"]
) -> None:
    book = month(till)
    till.loop("close receipts")
    till.loop("close cash books")
    till.dossier_api.strikes = moment
    for _ in range(2):
        with pytest.raises(Killed):
            till.hand_in()
    till.dossier_api.strikes = None
    assert till.hand_in() == ([] if moment == "before" else till.hand_in()), "both are claimed for a while"
    went_on(till, book)
