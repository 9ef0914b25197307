"""Documents as rows: filing one, reading one, changing one. Each change is announced in the transaction that makes it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_bookkeeping.document import Question
from koppel_mesh.auth import Caller
from koppel_mesh.http.problems import HttpProblem, not_found
from koppel_mesh.messages import DocumentKind, DocumentState
from koppel_mesh.outbox import publish
from koppel_mesh.prepared_sql import Record, Statement
from koppel_mesh.visibility import VISIBLE

from . import machine
from .counterparty_answers import read_as_answered, remembered_answer
from .document_row import SALES_SIDE, Owner, has_doubtful_sign, new_row
from .duplicates import find_duplicates
from .intake import Intake
from .outgoing_events import document_changed
from .parsed import finding
from .questions import negative_credit_note, signs_turned
from .relations import OWNER_AND_CANDIDATES, comparable, recognised
from .tables import document

DocumentRow = Row[Any] | Record
"""Either way its columns are attributes."""

OTHER_PDF = finding(
    "other_pdf",
    "warning",
    nl="Het document kwam opnieuw met een andere pdf; die is niet bewaard.",
    fr="Le document est revenu avec un autre PDF, qui n'a pas été conservé.",
    en="The document came again with another PDF, which was not kept.",
)

_OWNER = Statement(f"""
    SELECT id, firm_id, enterprise_number, approval_required FROM dossier WHERE id = :id AND {VISIBLE}
""")
_READ = Statement(f"SELECT * FROM document WHERE id = :id AND {VISIBLE}")
_LOCK_DOSSIER = Statement(f"""
    SELECT FROM dossier WHERE id = (SELECT dossier_id FROM document WHERE id = :id AND {VISIBLE}) FOR SHARE
""")
_LOCK = Statement(f"""
    SELECT document.*, rules.approval_required, rules.lock_after_export
    FROM document JOIN (SELECT id AS dossier_id, approval_required, lock_after_export FROM dossier) rules USING (dossier_id)
    WHERE id = :id AND {VISIBLE} FOR NO KEY UPDATE OF document
""")
_DELIVERIES = Statement("SELECT * FROM delivery WHERE document_id = ANY(CAST(:documents AS uuid[])) ORDER BY id")
_TOLD = ("number", "issue_date", "due_date", "currency", "total", "reference", "journal", "ledger_account", "relation")
_GIVEN = (
    "id",
    "dossier_id",
    "firm_id",
    "sha256",
    "kind",
    "state",
    *_TOLD,
    "journals",
    "forward",
    "line_accounts",
    "content",
    "detail",
    "findings",
    "business_keys",
    "questions",
)
_FILE = Statement(
    upsert(document)
    .values({name: bindparam(name, type_=document.c[name].type) for name in _GIVEN})
    .on_conflict_do_nothing(constraint="document_same_bytes")
    .returning(document)
)
_SAME_BYTES = Statement("SELECT * FROM document WHERE dossier_id = :dossier_id AND sha256 = :sha256 FOR NO KEY UPDATE")


async def read_owner(connection: AsyncConnection, caller: Caller, dossier_id: UUID) -> Owner:
    """Return what of the dossier decides about its documents; 404 when the caller has no such dossier."""
    row = await _OWNER.one_or_none(connection, {"id": dossier_id, "firm_id": caller.firm_id})
    if row is None:
        raise not_found("dossier")
    return _owner(row)


async def file_intake(
    tx: AsyncConnection, intake: Intake, drafted: dict[str, Any], owner: Owner
) -> tuple[DocumentRow, bool]:
    """Put an intake in its dossier. The same bytes again give the document that is there already.

    Args:
        tx: the transaction.
        intake: what came in; its bytes are stored already.
        drafted: the row made of it before the transaction.
        owner: the dossier as it was then; what changed meanwhile counts.

    Returns:
        The document's row, and whether it is new.
    """
    sells = DocumentKind(drafted["kind"]) in SALES_SIDE
    party = drafted["detail"].get("counterparty")
    found = await OWNER_AND_CANDIDATES.one(tx, {"dossier_id": owner.id, **comparable(party)})
    now_owner = _owner(found)
    row = drafted if now_owner == owner else new_row(intake, now_owner)
    row |= await doubts(tx, row, now_owner.approval_required)
    new = await _FILE.one_or_none(
        tx, dict.fromkeys(_GIVEN) | row | {"relation": recognised(found.candidates, party, sells=sells)}
    )
    if new is not None:
        await publish(tx, document_changed(new))
        return new, True
    return await _with_further_files(tx, owner.id, intake), False


async def doubts(tx: AsyncConnection, row: Mapping[str, Any], approval_required: bool) -> dict[str, Any]:
    """Return the columns that change because a person has to answer a question first, or should know something.

    Only a document that is complete and went nowhere yet is doubted.
    """
    if not row["business_keys"]:
        return {}
    changes: dict[str, Any] = {}
    asked: list[Question] = []
    findings = list(row["findings"])
    if has_doubtful_sign(row):
        known = await remembered_answer(tx, row)
        if known is None:
            asked.append(negative_credit_note(row["total"], row["currency"]))
        else:
            changes |= signs_turned(row, known.answer)
            findings.append(read_as_answered(known))
    question, warning = await find_duplicates(tx, row["dossier_id"], {**row, **changes})
    if question is not None:
        asked.append(question)
    if warning is not None and warning not in findings:
        findings.append(warning)
    if asked:
        state = machine.after(DocumentState(row["state"]), machine.Step.ASK, approval_required=approval_required)
        kept = [one for one in row["questions"] if one["code"] not in {each.code for each in asked}]
        changes |= {"state": state, "questions": [*kept, *(one.model_dump(mode="json") for one in asked)]}
    if findings != row["findings"]:
        changes["findings"] = findings
    return changes


async def _with_further_files(tx: AsyncConnection, dossier_id: UUID, intake: Intake) -> DocumentRow:
    """Return the document with these bytes; a PDF it did not have yet is kept, for we answer that we have it.

    Another one than it has is not: which of the two went along, or will, would depend on when it came.
    """
    present = await _SAME_BYTES.one(tx, {"dossier_id": dossier_id, "sha256": bytes.fromhex(intake.sha256)})
    known = {file["role"]: file["sha256"] for file in present.content}
    changes: dict[str, Any] = {}
    if further := [file.row() for file in intake.files if file.role not in known]:
        changes["content"] = [*present.content, *further]
    others = [file for file in intake.files if known.get(file.role, file.sha256) != file.sha256]
    if any(not file.embedded for file in others) and OTHER_PDF not in present.findings:
        changes["findings"] = [*present.findings, OTHER_PDF]
    return await write(tx, present, changes) if changes else present


async def read_document(connection: AsyncConnection, caller: Caller, document_id: UUID) -> Record:
    """Return a document's row; 404 when the caller has no such document."""
    return _there(await _READ.one_or_none(connection, {"id": document_id, "firm_id": caller.firm_id}))


async def lock_document(tx: AsyncConnection, caller: Caller, document_id: UUID) -> Record:
    """Return a document's row with its dossier's rules, both held still until ``tx`` ends; 404 as ``read_document``.

    The dossier comes first, as for whoever changes its rules and then the documents under them.
    """
    which = {"id": document_id, "firm_id": caller.firm_id}
    await _LOCK_DOSSIER.run(tx, which)
    return _there(await _LOCK.one_or_none(tx, which))


def _there(row: Record | None) -> Record:
    if row is None:
        raise not_found("document")
    return row


async def read_deliveries(connection: AsyncConnection, document_ids: Sequence[UUID]) -> Sequence[Record]:
    """Return the deliveries of documents, in the order in which they were made."""
    return await _DELIVERIES.all(connection, {"documents": list(document_ids)})


async def write(
    tx: AsyncConnection, row: DocumentRow, changes: Mapping[str, Any], now: datetime | None = None
) -> Row[Any]:
    """Change a document that is locked by ``tx`` and announce it."""
    stamp = {"updated_at": now} if now else {}
    changed: Row[Any] = (
        await tx.execute(
            update(document)
            .where(document.c.id == row.id)
            .values({**changes, **stamp, "version": document.c.version + 1})
            .returning(document)
        )
    ).one()
    await publish(tx, document_changed(changed))
    return changed


_WITHOUT_APPROVAL = Statement("""
    SELECT id FROM document WHERE dossier_id = :dossier_id AND state = :filed AND approved_at IS NULL
    AND NOT EXISTS (SELECT FROM delivery WHERE delivery.document_id = document.id) ORDER BY id FOR NO KEY UPDATE
""")
_AWAIT_APPROVAL = Statement("""
    UPDATE document SET state = :state, updated_at = :now, version = version + 1
    WHERE id = ANY(CAST(:ids AS uuid[])) RETURNING *
""")


async def require_approval(tx: AsyncConnection, dossier_id: UUID, now: datetime) -> None:
    """Let what was filed before its dossier asked for approval, and went nowhere yet, await it (R055, R057).

    Nobody could approve it otherwise, and without approval it goes by hand only.
    """
    filed = DocumentState.FILED
    rows = await _WITHOUT_APPROVAL.all(tx, {"dossier_id": dossier_id, "filed": filed})
    if not rows:
        return
    state = machine.after(filed, machine.Step.REQUIRE_APPROVAL, approval_required=True)
    changed = await _AWAIT_APPROVAL.all(tx, {"ids": [row.id for row in rows], "state": state, "now": now})
    await publish(tx, *(document_changed(row) for row in changed))


def insist_on_unlocked(row: Record) -> None:
    """Raise 409 when the document was exported and its dossier locks what is exported (R056)."""
    if row.locked or (row.exported_at is not None and row.lock_after_export):
        raise HttpProblem(
            409,
            "document_locked",
            "The document was exported, and its dossier locks what is exported.",
            "Correct it with a credit note.",
        )


def content_of(row: DocumentRow, role: str) -> dict[str, Any]:
    """Return the file of that role; 404 when the document has none."""
    for file in row.content:
        if file["role"] == role:
            return dict(file)
    raise not_found("file")


def _owner(row: Record) -> Owner:
    return Owner(row.id, row.firm_id, row.enterprise_number, row.approval_required)
