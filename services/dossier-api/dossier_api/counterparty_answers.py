"""Answers that hold for every document of a counterparty: what its negative credit notes mean."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_bookkeeping import SIDES
from koppel_mesh.messages import DocumentKind
from koppel_mesh.prepared_sql import Record, Statement

from .parsed import finding
from .questions import CREDIT, NEGATIVE_CREDIT_NOTE
from .relations import comparable

_READ = Statement("""
    SELECT answer, answered_by, answered_at FROM counterparty_answer
    WHERE dossier_id = :dossier_id AND question = :question AND counterparty = ANY(CAST(:counterparties AS text[])) LIMIT 1
""")
_KEEP = Statement("""
    INSERT INTO counterparty_answer (dossier_id, question, counterparty, answer, answered_by, answered_at)
    SELECT :dossier_id, :question, unnest(CAST(:counterparties AS text[])), :answer, :answered_by, :answered_at
    ON CONFLICT (dossier_id, question, counterparty) DO UPDATE SET answer = excluded.answer,
        answered_by = excluded.answered_by, answered_at = excluded.answered_at
""")


async def remembered_answer(tx: AsyncConnection, row: Mapping[str, Any]) -> Record | None:
    """Return what a person said about negative credit notes of the document's counterparty; None when nobody was asked."""
    return await _READ.one_or_none(tx, {"counterparties": _counterparties(row), **_question_of(row)})


async def remember_answer(tx: AsyncConnection, row: Mapping[str, Any], answer: str, who: str, at: datetime) -> None:
    """Keep what negative credit notes of the document's counterparty mean."""
    said = {"answer": answer, "answered_by": who, "answered_at": at}
    await _KEEP.run(tx, {"counterparties": _counterparties(row), **_question_of(row), **said})


def read_as_answered(known: Record) -> dict[str, Any]:
    """Return the finding that a negative credit note was read as its counterparty's earlier ones."""
    meant = {
        "nl": "een tegoed" if known.answer == CREDIT else "een aanrekening",
        "fr": "un crédit" if known.answer == CREDIT else "un montant à payer",
        "en": "a credit" if known.answer == CREDIT else "a charge",
    }
    day = f"{known.answered_at:%d.%m.%Y}"
    return finding(
        NEGATIVE_CREDIT_NOTE,
        "warning",
        nl=f"Deze creditnota met negatief totaal is {meant['nl']}, zoals op {day} geantwoord werd voor deze tegenpartij.",
        fr=f"Cette note de crédit au total négatif est {meant['fr']}, selon la réponse du {day} pour cette contrepartie.",
        en=f"This credit note with a negative total is {meant['en']}, as was answered on {day} for this counterparty.",
    )


def _question_of(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"dossier_id": row["dossier_id"], "question": NEGATIVE_CREDIT_NOTE}


def _counterparties(row: Mapping[str, Any]) -> list[str]:
    """Return how the counterparty is known: by each of its numbers; only without one by its name."""
    keys = comparable(row["detail"].get("counterparty"))
    numbers = [keys[name] for name in ("enterprise_number", "vat_number") if keys[name]]
    side = SIDES[DocumentKind(row["kind"])]
    return [f"{side} {each}" for each in numbers or [keys["name_key"]] if each]
