"""Work of one book that failed is put off by itself: every other book of every firm goes on (P5)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

import structlog

from koppel_mesh.database import is_unavailable
from koppel_mesh.http.problems import HttpProblem
from koppel_mesh.prepared_sql import Statement
from koppel_mesh.service import Context

RETRY_AFTER: Final = timedelta(hours=1)
INTERNAL: Final = "internal"
MESSAGE_LENGTH_MAX: Final = 300
log = structlog.get_logger(__name__)

_FAILED = Statement("""
    INSERT INTO failed_work AS known (work, book_id, rule, message, due_at)
    VALUES (:work, :book_id, :rule, :message, clock_timestamp() + :retry_after)
    ON CONFLICT (work, book_id) DO UPDATE SET rule = excluded.rule, message = excluded.message, due_at = excluded.due_at
""")
_SUCCEEDED = Statement("DELETE FROM failed_work WHERE work = :work AND book_id = :book_id")
_CLOSED_BY_HAND = Statement("DELETE FROM failed_work WHERE book_id = ANY(CAST(:ids AS uuid[]))")


class Failure(NamedTuple):
    """Why work could not be done."""

    rule: str
    """The code of the problem; ``INTERNAL`` where it is a fault of ours."""
    message: str


def failure_of(error: Exception, work: str, of: UUID) -> Failure:
    """Return why ``work`` of a book or a ticket failed, and log it; a fault of ours with its traceback.

    Raises:
        Exception: ``error`` itself, where the database is away: that is nobody's in particular.
    """
    if is_unavailable(error):
        raise error
    if isinstance(error, HttpProblem):
        log.warning("work is put off", work=work, id=str(of), rule=error.code)
        first = error.errors[0].message if error.errors else error.detail or error.title
        return Failure(error.code, first[:MESSAGE_LENGTH_MAX])
    log.error("work failed and is put off", work=work, id=str(of), exc_info=error)
    return Failure(INTERNAL, f"{type(error).__name__}: {error}"[:MESSAGE_LENGTH_MAX].replace("\0", ""))


async def forget_failures(context: Context, *book_ids: UUID) -> None:
    """Forget what failed of books that a person has closed: what still fails is noted anew when it is tried next."""
    async with context.database.transaction() as tx:
        await _CLOSED_BY_HAND.run(tx, {"ids": book_ids})


def is_not_put_off(work: str, book_id: str) -> str:
    """Return the SQL condition that the work of a book, given as an expression, may be tried now."""
    return (
        f"NOT EXISTS (SELECT FROM failed_work f WHERE f.work = '{work}' AND f.book_id = {book_id}"
        " AND f.due_at > clock_timestamp())"
    )


@asynccontextmanager
async def put_off_on_failure(context: Context, work: str, book_id: UUID) -> AsyncIterator[None]:
    """Do the work of one book; what it raises is kept in ``failed_work`` until it succeeds, and goes no further."""
    of = {"work": work, "book_id": book_id}
    try:
        yield
    except Exception as error:
        failure = failure_of(error, work, book_id)
        async with context.database.transaction() as tx:
            await _FAILED.run(tx, {**of, **failure._asdict(), "retry_after": RETRY_AFTER})
    else:
        async with context.database.transaction() as tx:
            await _SUCCEEDED.run(tx, of)
