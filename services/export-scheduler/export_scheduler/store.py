"""Rows in and out: the scheduler's documents and dossiers as values, and plans written beside them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.messages import DeliveryState, DocumentKind, DocumentState, ExportFrequency, ExportRules
from koppel_mesh.prepared_sql import Record, Statement

from .projection import DocumentProjection
from .rules import Calendar, plan
from .tables import document

_FIELDS = [field.name for field in fields(DocumentProjection)]
NOBODY = UUID(int=0)
STUB_VERSION = -1
"""Of a dossier that a document named before its own first fact arrived."""
DELIVERED = (DeliveryState.EXPORTED, DeliveryState.BOOKED)


_NOW = Statement("SELECT now() AS now")
_RULES = Statement("""
    SELECT * FROM dossier WHERE dossier_id = ANY(CAST(:ids AS uuid[])) ORDER BY dossier_id FOR SHARE
""")
_HELD = Statement("""
    SELECT * FROM document WHERE document_id = ANY(CAST(:ids AS uuid[])) ORDER BY document_id FOR UPDATE
""")
_STUB = Statement("""
    INSERT INTO dossier (dossier_id, firm_id, version, frequency, approval_required, lock_after_export, replanning)
    SELECT unnest(CAST(:ids AS uuid[])), CAST(:nobody AS uuid), CAST(:version AS integer), 'never', false, false, false
    ON CONFLICT DO NOTHING
""")
_DELIVERED_REVISIONS = Statement("""
    SELECT document_id, max(revision) AS revision FROM delivery
    WHERE document_id = ANY(CAST(:ids AS uuid[])) AND state = ANY(CAST(:delivered AS text[])) GROUP BY document_id
""")


async def database_now(tx: AsyncConnection) -> datetime:
    """Return the database's clock, the only one the scheduler goes by."""
    now: datetime = (await _NOW.one(tx)).now
    return now


async def rules_held(tx: AsyncConnection, dossier_ids: Iterable[UUID]) -> dict[UUID, tuple[ExportRules | None, int]]:
    """Return the rules of dossiers and their number, and keep them from changing until ``tx`` ends.

    A dossier that is not known gets a stub to hold on to: otherwise its first fact could slip in beside a document that
    is being planned without it, and nobody would plan that document again.
    """
    ids = sorted(set(dossier_ids))
    found = await _dossiers(tx, ids)
    unknown = [dossier_id for dossier_id in ids if dossier_id not in found]
    if unknown:
        await _STUB.run(tx, {"ids": unknown, "nobody": NOBODY, "version": STUB_VERSION})
        found |= await _dossiers(tx, unknown)
    return found


async def _dossiers(tx: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, tuple[ExportRules | None, int]]:
    rows = await _RULES.all(tx, {"ids": list(ids)})
    return {row["dossier_id"]: (rules_of(row), row["rules_number"]) for row in rows}


def rules_of(row: Record) -> ExportRules | None:
    """Return the rules in a dossier's row; None while only a stub is there."""
    if row["version"] == STUB_VERSION:
        return None
    return ExportRules(
        frequency=ExportFrequency(row["frequency"]),
        approval_required=row["approval_required"],
        lock_after_export=row["lock_after_export"],
    )


async def documents_held(tx: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, DocumentProjection]:
    """Return the known ones of these documents, locked until ``tx`` ends."""
    rows = await _HELD.all(tx, {"ids": list(set(ids))})
    return {row["document_id"]: _projection(row) for row in rows}


def _projection(row: Record) -> DocumentProjection:
    values = {name: row[name] for name in _FIELDS}
    return DocumentProjection(
        **{**values, "kind": DocumentKind(values["kind"]), "state": DocumentState(values["state"])}
    )


def planned(
    known: DocumentProjection, rules: ExportRules | None, rules_number: int, calendar: Calendar
) -> dict[str, Any]:
    """Return the columns that say when ``known`` goes."""
    found = plan(rules, known.candidate(), calendar)
    return {
        "due_at": found.due_at,
        "trigger": found.trigger,
        "waits_for": found.waits_for,
        "late": found.late,
        "rules_number": rules_number,
    }


async def insert_documents(tx: AsyncConnection, rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Insert rows made of ``as_row`` and ``planned``; return which ones were not there yet."""
    statement = insert(document).on_conflict_do_nothing().returning(document.c.document_id)
    ordered = sorted(rows, key=lambda row: row["document_id"])
    return set((await tx.execute(statement, ordered)).scalars())


async def update_documents(tx: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Overwrite documents that ``tx`` has locked; every row sets the same columns, ``document_id`` says which it is."""
    if not rows:
        return
    await _overwrite(frozenset(rows[0]) - {"document_id"}).run_many(tx, rows)


@lru_cache
def _overwrite(names: frozenset[str]) -> Statement:
    values = {name: bindparam(name, type_=document.c[name].type) for name in sorted(names)}
    return Statement(update(document).where(document.c.document_id == bindparam("document_id")).values(values))


def as_row(known: DocumentProjection) -> dict[str, Any]:
    """Return the columns of what is remembered."""
    return asdict(known)


async def revisions_delivered(tx: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return the newest revision of these documents that a connector is known to have delivered."""
    rows = await _DELIVERED_REVISIONS.all(tx, {"ids": list(set(ids)), "delivered": list(DELIVERED)})
    return {row.document_id: row.revision for row in rows}
