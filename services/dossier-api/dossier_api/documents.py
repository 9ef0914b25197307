"""Documents as rows: filing one, reading one, changing one. Each change is announced in the transaction that makes it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_mesh.auth import Caller
from koppel_mesh.http.problems import Problem, not_found
from koppel_mesh.messages import DocumentKind
from koppel_mesh.outbox import publish

from .announcing import document_changed
from .filing import SALES_SIDE, Owner, new_row
from .intake import Intake
from .relations import OWNER_AND_RELATION, comparable
from .tables import delivery, document, dossier
from .visibility import one_of, visible


async def read_owner(connection: AsyncConnection, caller: Caller, dossier_id: UUID) -> Owner:
    """Return what of the dossier decides about its documents; 404 when the caller has no such dossier."""
    columns = (dossier.c.id, dossier.c.firm_id, dossier.c.enterprise_number, dossier.c.approval_required)
    row = await one_of(
        connection, select(*columns).where(dossier.c.id == dossier_id, visible(dossier, caller)), "dossier"
    )
    return _owner(row)


async def file_intake(
    tx: AsyncConnection, intake: Intake, drafted: dict[str, Any], owner: Owner
) -> tuple[Row[Any], bool]:
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
    keys = comparable(drafted["detail"].get("counterparty"))
    found = (await tx.execute(OWNER_AND_RELATION, {"dossier_id": owner.id, "sells": sells, **keys})).one()
    now_owner = _owner(found)
    row = drafted if now_owner == owner else new_row(intake, now_owner)
    added = await tx.execute(
        upsert(document)
        .values({**row, "relation": found.relation})
        .on_conflict_do_nothing(constraint="document_same_bytes")
        .returning(document)
    )
    if (new := added.one_or_none()) is not None:
        await publish(tx, document_changed(new))
        return new, True
    return await _with_further_files(tx, owner.id, intake), False


async def _with_further_files(tx: AsyncConnection, dossier_id: UUID, intake: Intake) -> Row[Any]:
    """Return the document with these bytes; a PDF it did not have yet is kept, for we answer that we have it."""
    same = (document.c.dossier_id == dossier_id, document.c.sha256 == bytes.fromhex(intake.sha256))
    present = (await tx.execute(select(document).where(*same).with_for_update(key_share=True))).one()
    known = {file["role"] for file in present.content}
    further = [file.row() for file in intake.files if file.role not in known]
    if not further:
        return present
    return await write(tx, present, {"content": [*present.content, *further]})


async def read_document(
    connection: AsyncConnection, caller: Caller, document_id: UUID, *, for_change: bool = False
) -> Row[Any]:
    """Return a document's row; 404 when the caller has no such document."""
    statement = select(document).where(document.c.id == document_id, visible(document, caller))
    if for_change:
        statement = statement.with_for_update(key_share=True)
    return await one_of(connection, statement, "document")


async def read_deliveries(connection: AsyncConnection, document_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    """Return the deliveries of documents, in the order in which they were made."""
    statement = select(delivery).where(delivery.c.document_id.in_(document_ids)).order_by(delivery.c.id)
    return (await connection.execute(statement)).all()


async def write(
    tx: AsyncConnection, row: Row[Any], changes: Mapping[str, Any], now: datetime | None = None
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


async def insist_on_unlocked(connection: AsyncConnection, row: Row[Any]) -> None:
    """Raise 409 when the document was exported and its dossier locks what is exported (R056)."""
    locked = row.locked
    if not locked and row.exported_at is not None:
        locks = select(dossier.c.lock_after_export).where(dossier.c.id == row.dossier_id)
        locked = (await connection.execute(locks)).scalar_one()
    if locked:
        raise Problem(
            409,
            "document_locked",
            "The document was exported, and its dossier locks what is exported.",
            "Correct it with a credit note.",
        )


def content_of(row: Row[Any], role: str) -> dict[str, Any]:
    """Return the file of that role; 404 when the document has none."""
    for file in row.content:
        if file["role"] == role:
            return dict(file)
    raise not_found("file")


def _owner(row: Row[Any]) -> Owner:
    return Owner(row.id, row.firm_id, row.enterprise_number, row.approval_required)
