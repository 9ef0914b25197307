"""What a PATCH makes of a document: which columns change, and where it stands afterwards."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.http.problems import HttpProblem
from koppel_mesh.messages import DeliveryState, DocumentKind, DocumentState
from koppel_mesh.prepared_sql import Record

from . import machine
from .counterparty_answers import remember_answer
from .document_row import SALES_SIDE, entered, is_complete, line_accounts, refuse_entry
from .documents import DocumentRow, doubts, insist_on_unlocked, read_deliveries, write
from .duplicates import business_keys
from .models.entry import ENTRY_FIELDS, DocumentPatch
from .questions import DROP, NEGATIVE_CREDIT_NOTE, answer, is_open
from .relations import recognise

SETTABLE = ("journal", "journals", "ledger_account", "reference")
STRUCTURED = {"ubl", "coda"}
"""Files that tell themselves what a person would have to enter for a bare PDF."""


async def change(tx: AsyncConnection, row: Record, given: DocumentPatch, now: datetime) -> DocumentRow:
    """Apply ``given`` to a document as ``lock_document`` gave it; return its row.

    Raises:
        HttpProblem: 409 ``document_locked``, 422 for what a structured document tells itself or what would leave it incomplete.
    """
    insist_on_unlocked(row)
    before = dict(row.items())
    settable = given.model_dump(mode="json", include=set(SETTABLE), exclude_unset=True)
    wanted: dict[str, Any] = dict(settable)
    if any(file["role"] in STRUCTURED for file in row.content):
        refuse_entry(given)
        known = {line["id"] for line in row.detail.get("lines", [])}
        wanted["line_accounts"] = line_accounts(row.line_accounts, given.lines, known)
    else:
        wanted |= entered(before, given)
    changes = {name: value for name, value in wanted.items() if before[name] != value}
    if "detail" in changes or "kind" in changes:
        after = before | changes
        party = after["detail"].get("counterparty")
        relation = await recognise(tx, row.dossier_id, party, sells=DocumentKind(after["kind"]) in SALES_SIDE)
        changes["relation"] = relation
    state = DocumentState(row.state)
    if state is DocumentState.AWAITING_ENTRY:
        changes |= await _moved_on(tx, row, before | changes, given)
    elif state in {DocumentState.HELD, DocumentState.DROPPED} and ENTRY_FIELDS & given.model_fields_set:
        raise HttpProblem(409, "awaits_answer", "Answer the question about this document first.")
    elif ENTRY_FIELDS & given.model_fields_set and not is_complete(before | changes, _kind_known(given, row)):
        raise HttpProblem(422, "incomplete_document", "This would leave the document without what its kind needs.")
    if state in {DocumentState.AWAITING_APPROVAL, DocumentState.FILED} and row.exported_at is None:
        changes |= await _doubted_again(tx, row, changes)
    if not changes:
        return row
    if state in {DocumentState.FILED, DocumentState.EXPORTED, DocumentState.BOOKED}:
        changes["revision"] = row.revision + 1
    return await write(tx, row, changes, now)


async def _moved_on(tx: AsyncConnection, row: Record, after: dict[str, Any], given: DocumentPatch) -> dict[str, Any]:
    if not is_complete(after, given):
        return {}
    step = machine.Step.COMPLETE
    state = machine.after(DocumentState.AWAITING_ENTRY, step, approval_required=row.approval_required)
    sent = [progress_of(each) for each in await read_deliveries(tx, [row.id])]
    moved = {"state": machine.with_deliveries(state, sent), "business_keys": business_keys(after)}
    if any(machine.is_exported(each) for each in sent):
        return moved  # its PDF is with the accountant already
    return moved | await doubts(tx, after | moved, row.approval_required)


async def _doubted_again(tx: AsyncConnection, row: Record, changes: dict[str, Any]) -> dict[str, Any]:
    """Return what changes because quick entry made another document of it; one that is on its way is left alone."""
    after = dict(row.items()) | changes
    keys = business_keys(after)
    if keys == list(row.business_keys) and not {"kind", "issue_date", "total", "currency"} & changes.keys():
        return {}
    if await read_deliveries(tx, [row.id]):
        return {"business_keys": keys}
    return {"business_keys": keys, **await doubts(tx, after | {"business_keys": keys}, row.approval_required)}


async def answer_question(
    tx: AsyncConnection, row: Record, question: str, given: str, *, who: str, reason: str | None, now: datetime
) -> DocumentRow:
    """Apply a person's answer to a question about a document as ``lock_document`` gave it; return its row.

    Raises:
        HttpProblem: 409 when the document waits for no answer, 422 for an answer that is none of the options.
    """
    before = dict(row.items())
    state = DocumentState(row.state)
    if state not in {DocumentState.HELD, DocumentState.DROPPED}:
        raise HttpProblem(409, "not_asked", "This document waits for no answer to that question.")
    changes = answer(before, question, given, who=who, at=now, reason=reason)
    if question == NEGATIVE_CREDIT_NOTE:
        await remember_answer(tx, before, given, who, now)
    if any(one["answer"] == DROP for one in changes["questions"]):
        step = machine.Step.DROP
    else:
        step = machine.Step.ASK if is_open(changes["questions"]) else machine.Step.COMPLETE
    before_step = DocumentState.HELD if step is machine.Step.ASK else state
    changes["state"] = machine.after(before_step, step, approval_required=row.approval_required)
    return await write(tx, row, changes, now)


def progress_of(row: Record) -> machine.DeliveryProgress:
    """Return what counts of a delivery."""
    return machine.DeliveryProgress(DeliveryState(row.state), row.exported_at, row.booked_at)


def _kind_known(given: DocumentPatch, row: Record) -> DocumentPatch:
    return given if given.kind is not None else given.model_copy(update={"kind": DocumentKind(row.kind)})
