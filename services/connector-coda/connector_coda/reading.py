"""The loop that reads new statement documents: their bytes from dossier-api, their statements and lines into rows.

Reading twice has one effect: ids follow from the document's. The bytes are fetched outside of a transaction; what was fetched is
stored in one, so that a process that dies in between leaves a document that is not read.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

import koppel_coda
from koppel_connector.contract import Problem
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.ids import new_id
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.service import Context

from . import introducing, statements
from .handlers import ARRANGE, look_again
from .outgoing import set_problems
from .statements import ReadStatement

BATCH = 40
PAUSE_MAX_S = 3600.0
log = structlog.get_logger(__name__)

_DUE = Statement(
    "SELECT id, dossier_id, firm_id FROM document WHERE read_due_at <= now() ORDER BY read_due_at LIMIT :batch"
)
_LOCK = Statement("SELECT id FROM document WHERE id = :id AND read_due_at IS NOT NULL FOR UPDATE")
_FAILED = Statement("""
    UPDATE document SET read_failures = read_failures + 1,
        read_due_at = now() + least(:pause_max_s, power(2, least(read_failures, 20))) * interval '1 second'
    WHERE id = :id AND read_due_at IS NOT NULL
""")
_READ = Statement("UPDATE document SET read_at = clock_timestamp(), read_due_at = NULL WHERE id = :id")
_ACCOUNT = Statement("""
    INSERT INTO account AS held (id, dossier_id, firm_id, number, currency, kind, bank, sequence_key, holder_number, holder_name)
    VALUES (:id, :dossier_id, :firm_id, :number, :currency, :kind, :bank, :sequence_key, :holder_number, :holder_name)
    ON CONFLICT (dossier_id, number, currency) DO UPDATE SET arrived_at = clock_timestamp(),
        kind = CASE WHEN excluded.kind = 'cash' THEN 'cash' ELSE held.kind END,
        bank = CASE WHEN held.bank = '' THEN excluded.bank ELSE held.bank END,
        holder_number = CASE WHEN excluded.holder_number = '' THEN held.holder_number ELSE excluded.holder_number END,
        holder_name = CASE WHEN excluded.holder_name = '' THEN held.holder_name ELSE excluded.holder_name END
    RETURNING id
""")
_STATEMENTS = Statement("""
    INSERT INTO statement (id, document_id, account_id, place, number, opened_on, opening, closes_on, closing, movements,
    is_partial,
        faults)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, document_id uuid, account_id uuid, place integer,
        number integer, opened_on date, opening numeric, closes_on date, closing numeric, movements integer, is_partial boolean,
        faults jsonb)
    ON CONFLICT DO NOTHING
""")
_LINES = Statement("""
    INSERT INTO line (statement_id, place, amount, entry_on, value_on, message, counterparty_name, counterparty_account, mark)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (statement_id uuid, place integer, amount numeric, entry_on
    date,
        value_on date, message text, counterparty_name text, counterparty_account text, mark text)
    ON CONFLICT DO NOTHING
""")


async def read_documents(context: Context) -> bool:
    """Read one batch of new documents; True while there may be more."""
    async with context.database.reading() as reading:
        due = await _DUE.all(reading, {"batch": BATCH})
    if not due:
        return False
    fetched = await asyncio.gather(*(_fetch(context, row) for row in due))
    for row, data in zip(due, fetched, strict=True):
        if data is not None:
            await _take_in(context, row, data)
    context.wake(ARRANGE)
    return len(due) == BATCH and any(data is not None for data in fetched)


async def _fetch(context: Context, row: Record) -> bytes | None:
    """Return the bytes of a document; None, and a later moment to try again, when they cannot be had."""
    try:
        await introducing.introduce(context, row.dossier_id)
        return await context.mesh.get_bytes(f"/dossier-api/v1/documents/{row.id}/content/coda")
    except InternalCallError as error:
        log.warning("a statement cannot be read yet", document=str(row.id), error=str(error))
        async with context.database.transaction() as tx:
            await _FAILED.run(tx, {"id": row.id, "pause_max_s": PAUSE_MAX_S})
        return None


async def _take_in(context: Context, row: Record, data: bytes) -> None:
    found: Sequence[ReadStatement] | Problem
    try:
        found = await asyncio.to_thread(statements.read, data)
    except koppel_coda.ReadError as error:
        found = Problem("statement_unreadable", str(error))
    async with context.database.transaction() as tx:
        await look_again(tx, [row.dossier_id], arranging=True)
        if await _LOCK.one_or_none(tx, {"id": row.id}) is None:
            return
        if isinstance(found, Problem):
            await set_problems(tx, {row.id: found})
        else:
            await _store(tx, row, found)
        await _READ.run(tx, {"id": row.id})


async def _store(tx: AsyncConnection, row: Record, found: Sequence[ReadStatement]) -> None:
    accounts: dict[tuple[str, str], UUID] = {}
    for one in found:
        key = (one.account, one.currency)
        if key not in accounts or one.is_cash:
            accounts[key] = (await _ACCOUNT.one(tx, _account_row(row, one))).id
    ids = {one.place: statements.statement_id(row.id, one.place) for one in found}
    kept = [
        {
            **_statement_row(one),
            "id": ids[one.place],
            "document_id": row.id,
            "account_id": accounts[one.account, one.currency],
        }
        for one in found
    ]
    await _STATEMENTS.run(tx, {"rows": json.dumps(kept, default=str)})
    lines = [{**asdict(line), "statement_id": ids[one.place]} for one in found for line in one.lines]
    if lines:
        await _LINES.run(tx, {"rows": json.dumps(lines, default=str)})


def _account_row(row: Record, one: ReadStatement) -> dict[str, Any]:
    return {
        "id": new_id(),
        "dossier_id": row.dossier_id,
        "firm_id": row.firm_id,
        "number": one.account,
        "currency": one.currency,
        "kind": "cash" if one.is_cash else "bank",
        "bank": one.bank,
        "sequence_key": f"{one.account} {one.currency}",
        "holder_number": one.holder_number,
        "holder_name": one.holder_name,
    }


def _statement_row(one: ReadStatement) -> dict[str, Any]:
    names = ("place", "number", "opened_on", "opening", "closes_on", "closing", "is_partial", "faults")
    return {name: getattr(one, name) for name in names} | {"movements": len(one.lines)}
