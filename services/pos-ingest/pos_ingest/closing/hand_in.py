"""Handing what was closed to dossier-api: a table of work, tried again until dossier-api has it or refuses it.

What is handed in is made once and kept; with its key dossier-api makes one document of it however often it comes. So it may be
killed before the call, during it and before its answer is kept.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract import Problem
from koppel_mesh.database import is_unavailable
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context
from koppel_mesh.telemetry.tracing import continue_from, current_traceparent

from .problems import render, tell

HAND_IN: Final = "hand in"
LEASE_S: Final = 60
"""After how long somebody else takes over what one process claimed."""
PAUSE_MAX_S: Final = 3600
log = structlog.get_logger(__name__)


class Kind(StrEnum):
    """What is handed in."""

    RECEIPTS = "receipts"
    CASH_STATEMENT = "cash_statement"
    SALES_INVOICE = "sales_invoice"


_REFUSED: Final = {
    Kind.RECEIPTS: "receipts_refused",
    Kind.CASH_STATEMENT: "cash_statement_refused",
    Kind.SALES_INVOICE: "sales_invoice_refused",
}


class CannotPrepare(Exception):
    """A person has to decide something before there is anything to hand in."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


Make = Callable[[Context, UUID], Awaitable[bytes]]
"""Makes the body of the call for what has an id. Raises ``CannotPrepare``, ``InternalCallError``."""

_ADD = Statement("""
    INSERT INTO hand_in (id, kind, dossier_id, firm_id, traceparent)
    VALUES (:id, :kind, :dossier_id, :firm_id, CAST(:traceparent AS text))
""")
_CLAIM = Statement("""
    UPDATE hand_in SET due_at = now() + :lease_s * interval '1 second', attempts = attempts + 1
    WHERE id = (SELECT id FROM hand_in WHERE due_at <= now() ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING *
""")
_KEEP = Statement("UPDATE hand_in SET content = coalesce(content, :content) WHERE id = :id RETURNING content")
_LATER = Statement("""
    UPDATE hand_in SET due_at = now() + least(:pause_max_s, power(2, least(attempts, 20))) * interval '1 second'
    WHERE id = :id AND document_id IS NULL
""")
_STOP = Statement("""
    UPDATE hand_in SET due_at = NULL, content = NULL, problem = CAST(:problem AS jsonb), problem_version = problem_version + 1
    WHERE id = :id AND document_id IS NULL RETURNING *
""")
_AGAIN = Statement("""
    UPDATE hand_in SET due_at = now(), waits_since = now(), attempts = 0 WHERE id = :id AND document_id IS NULL
""")
_DONE = Statement("""
    UPDATE hand_in SET due_at = NULL, content = NULL, problem = NULL, document_id = :document_id,
        handed_in_at = clock_timestamp(), problem_version = problem_version + 1
    WHERE id = :id AND document_id IS NULL RETURNING *
""")


async def to_hand_in(tx: AsyncConnection, kind: Kind, row: Record) -> None:
    """Have what was closed handed in once ``tx`` commits."""
    values = {"id": row.id, "kind": kind, "dossier_id": row.dossier_id, "firm_id": row.firm_id}
    await _ADD.run(tx, values | {"traceparent": current_traceparent()})


async def hand_in_next(context: Context, makers: Mapping[Kind, Make]) -> bool:
    """Hand in one document; True while there may be more."""
    async with context.database.transaction() as tx:
        work = await _CLAIM.one_or_none(tx, {"lease_s": LEASE_S})
    if work is None:
        return False
    with continue_from(work.traceparent, HAND_IN):
        await _hand_in(context, work, makers[Kind(work.kind)])
    return True


async def _hand_in(context: Context, work: Record, make: Make) -> None:
    try:
        content = await _content(context, work, make)
        document_id = await _handed_in(context, work, content)
    except CannotPrepare as error:
        await _stop(context, work, error.problem)
    except InternalCallError as error:
        if error.is_transient or error.status in {401, 403, 408, 425}:
            log.warning("not handed in, tried again later", id=str(work.id), kind=work.kind, error=str(error))
            async with context.database.transaction() as tx:
                await _LATER.run(tx, {"id": work.id, "pause_max_s": PAUSE_MAX_S})
        else:
            await _stop(context, work, _refusal(work, f"{error.status} {error.code} {error.detail}"))
    except Exception as error:
        if is_unavailable(error):
            raise
        log.exception("cannot be handed in", id=str(work.id), kind=work.kind)
        await _stop(context, work, _refusal(work, str(error) or repr(error)))
    else:
        async with context.database.transaction() as tx:
            if (done := await _DONE.one_or_none(tx, {"id": work.id, "document_id": document_id})) and work.problem:
                await tell(tx, done, None)


async def _content(context: Context, work: Record, make: Make) -> bytes:
    """Return what is handed in: what was kept of an earlier try, else what is made now and kept before it leaves."""
    if work.content is not None:
        return bytes(work.content)
    made = await make(context, work.id)
    async with context.database.transaction() as tx:
        return bytes((await _KEEP.one(tx, {"id": work.id, "content": made})).content)


async def _handed_in(context: Context, work: Record, content: bytes) -> UUID:
    kind = Kind(work.kind)
    media_type = "text/plain" if kind is Kind.CASH_STATEMENT else multipart_type(work.id)
    answer = await context.mesh.request(
        "POST",
        f"/dossier-api/v1/dossiers/{work.dossier_id}/documents",
        content=content,
        headers={"Content-Type": media_type, "Idempotency-Key": f"{kind}-{work.id}"},
    )
    return UUID(json.loads(answer.content, parse_float=Decimal)["id"])


def multipart_type(of: UUID) -> str:
    """Return the media type of a body that ``multipart`` made."""
    return f"multipart/form-data; boundary=koppel-{of.hex}"


def multipart(of: UUID, parts: Mapping[str, tuple[str, bytes]]) -> bytes:
    """Return a body of several parts, each with its media type; the same for the same ``of`` and parts."""
    written = bytearray()
    for name, (media_type, data) in parts.items():
        head = (
            f'--koppel-{of.hex}\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {media_type}\r\n\r\n'
        )
        written += head.encode() + data + b"\r\n"
    return bytes(written) + f"--koppel-{of.hex}--\r\n".encode()


def _refusal(work: Record, answer: str) -> Problem:
    return Problem(_REFUSED[Kind(work.kind)], answer=answer.strip()[:300])


async def _stop(context: Context, work: Record, problem: Problem) -> None:
    """Leave it until a person has acted, and tell of it. What was made is made again then: it may be what is wrong."""
    rendered = render(problem)
    log.warning("not handed in, a person has to act", id=str(work.id), kind=work.kind, problem=rendered.code)
    async with context.database.transaction() as tx:
        stopped = await _STOP.one_or_none(tx, {"id": work.id, "problem": rendered.model_dump_json()})
        if stopped is not None:
            await tell(tx, stopped, rendered)


async def retry(tx: AsyncConnection, row: Record) -> None:
    """Let it be tried again now."""
    await _AGAIN.run(tx, {"id": row.id})
