"""Whether a document is in its dossier already, with other bytes: looked for when it is filed and when its entry is completed.

The same date, currency and effect under one business key makes a probable duplicate, which is held and names the first; a
credit note and a negative invoice of one amount have one effect. The same number with anything else different is worth a
warning and goes. A statement is known by its key alone.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_bookkeeping.business_keys import (
    Likeness,
    document_number_lock,
    earlier_keys_of_statements,
    is_same_counterparty,
    is_same_document,
    keys_of_invoice,
    keys_of_statements,
)
from koppel_bookkeeping.document import Counterparty, Question, StatementSummary
from koppel_mesh.messages import DocumentKind, DocumentState
from koppel_mesh.prepared_sql import Statement

from .parsed import finding
from .questions import probable_duplicate

SAME_NUMBER = "same_number"
_STATEMENTS = {DocumentKind.BANK_STATEMENT, DocumentKind.CASH_STATEMENT}
_NOBODY = Counterparty()

# Two copies that arrive at one moment wait for each other here; the next statement then sees the other's row.
_LOCK_NUMBER = Statement("SELECT pg_advisory_xact_lock(hashtextextended(:number, 0))")
_OTHERS = Statement("""
    SELECT id, kind, number, issue_date, total, currency, detail -> 'counterparty' AS counterparty, created_at
    FROM document WHERE dossier_id = :dossier_id AND business_keys && CAST(:keys AS text[]) AND state <> :dropped
        AND id <> :id ORDER BY id LIMIT 50
""")
# Stored before statements told their separate application, under the keys of then. It may be a copy unless it ended before.
_OTHERS_OF_BEFORE = Statement("""
    SELECT id, number, created_at
    FROM document WHERE dossier_id = :dossier_id AND business_keys && CAST(:keys AS text[]) AND state <> :dropped
        AND id <> :id AND NOT jsonb_exists(detail -> 'statements' -> 0, 'separate_application')
        AND issue_date >= CAST(:since AS date) ORDER BY id LIMIT 1
""")


def business_keys(row: Mapping[str, Any]) -> list[str]:
    """Return the business keys of a document by its columns."""
    kind, detail = DocumentKind(row["kind"]), row["detail"]
    if kind in _STATEMENTS:
        return keys_of_statements(_statements(row))
    return keys_of_invoice(kind, _counterparty(detail.get("counterparty")), row.get("number"))


async def find_duplicates(
    tx: AsyncConnection, dossier_id: UUID, row: Mapping[str, Any]
) -> tuple[Question | None, dict[str, Any] | None]:
    """Return the question or the finding that other documents of the dossier give reason for; of both the first document's.

    Until ``tx`` ends nobody else looks for copies of this number in this dossier.
    """
    keys = row["business_keys"]
    if not keys:
        return None, None
    is_statement = DocumentKind(row["kind"]) in _STATEMENTS
    number = "statements" if is_statement else document_number_lock(row["number"])
    await _LOCK_NUMBER.run(tx, {"number": f"{dossier_id} {number}"})
    asked = {"dossier_id": dossier_id, "id": row["id"], "dropped": DocumentState.DROPPED}
    found = await _OTHERS.all(tx, {**asked, "keys": keys})
    if is_statement and not found:
        found = await _OTHERS_OF_BEFORE.all(tx, {**asked, **_keys_of_before(row)})
    party = _counterparty(row["detail"].get("counterparty"))
    others = [one for one in found if is_statement or is_same_counterparty(party, _counterparty(one.counterparty))]
    same = [one for one in others if is_statement or is_same_document(_likeness(row), _likeness(one))]
    if same:
        return probable_duplicate(same[0].id, same[0].number, same[0].created_at), None
    return None, (_same_number(others[0]) if others else None)


def _keys_of_before(row: Mapping[str, Any]) -> dict[str, Any]:
    statements = _statements(row)
    days = [one.closed_on for one in statements if one.closed_on is not None]
    return {"keys": earlier_keys_of_statements(statements), "since": min(days, default=row["issue_date"])}


def _statements(row: Mapping[str, Any]) -> list[StatementSummary]:
    return [StatementSummary.model_validate(one) for one in row["detail"].get("statements", [])]


def _same_number(other: Any) -> dict[str, Any]:
    day = f"{other.issue_date:%d.%m.%Y}" if other.issue_date else "?"
    total = f"{other.total} {other.currency}" if other.total is not None else "?"
    return finding(
        SAME_NUMBER,
        "warning",
        nl=f"Deze tegenpartij heeft al een document met nummer {other.number}: van {day}, totaal {total} ({other.id}).",
        fr=f"Cette contrepartie a déjà un document portant le numéro {other.number} : du {day}, total {total} ({other.id}).",
        en=f"This counterparty has a document with number {other.number} already: of {day}, total {total} ({other.id}).",
    )


def _likeness(row: Any) -> Likeness:
    return Likeness(DocumentKind(row["kind"]), row["issue_date"], row["total"], row["currency"])


def _counterparty(party: Mapping[str, Any] | None) -> Counterparty:
    return Counterparty.model_validate(party) if party else _NOBODY
