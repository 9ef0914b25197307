"""Questions that only a person can answer, and what an answer makes of the document.

A document with an open question is held: it goes nowhere, not even by hand. The answer is kept with the document, with who
gave it and when; that to ``negative_credit_note`` is remembered for the counterparty as well.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from koppel_bookkeeping.amounts import negated, plain
from koppel_bookkeeping.document import Question, QuestionOption
from koppel_mesh.http.problems import FieldError, HttpProblem
from koppel_mesh.messages import DocumentKind, LocalisedText

PROBABLE_DUPLICATE: Final = "probable_duplicate"
NEGATIVE_CREDIT_NOTE: Final = "negative_credit_note"
QUESTIONS: Final = (PROBABLE_DUPLICATE, NEGATIVE_CREDIT_NOTE)
RELEASE, DROP, CREDIT, DEBIT = "release", "drop", "credit", "debit"
_INVOICE_OF: Final = {
    DocumentKind.SALES_CREDIT_NOTE: DocumentKind.SALES_INVOICE,
    DocumentKind.PURCHASE_CREDIT_NOTE: DocumentKind.PURCHASE_INVOICE,
}


def _option(answer: str, nl: str, fr: str, en: str) -> QuestionOption:
    return QuestionOption(answer=answer, label=LocalisedText(nl=nl, fr=fr, en=en))


_DUPLICATE_OPTIONS = [
    _option(
        RELEASE,
        "Het is een ander document: verstuur het.",
        "C'est un autre document : envoyez-le.",
        "It is another document: send it.",
    ),
    _option(
        DROP,
        "Het is een kopie: verstuur het niet.",
        "C'est une copie : ne l'envoyez pas.",
        "It is a copy: do not send it.",
    ),
]
_SIGN_OPTIONS = [
    _option(
        CREDIT,
        "Het is een creditnota: boek de bedragen als tegoed.",
        "C'est une note de crédit : comptabilisez les montants en crédit.",
        "It is a credit note: book the amounts as a credit.",
    ),
    _option(
        DEBIT,
        "Het is een aanrekening: boek de bedragen als factuur.",
        "C'est une facturation : comptabilisez les montants comme facture.",
        "It is a charge: book the amounts as an invoice.",
    ),
]


def probable_duplicate(other_id: UUID, number: str | None, arrived_at: datetime) -> Question:
    """Return the question whether a document is a copy of one that came before."""
    day = arrived_at.date()
    return Question(
        code=PROBABLE_DUPLICATE,
        message=LocalisedText(
            nl=f"Dit lijkt op document {number or '?'}, ontvangen op {day:%d.%m.%Y}. Is het een kopie?",
            fr=f"Ceci ressemble au document {number or '?'}, reçu le {day:%d.%m.%Y}. Est-ce une copie ?",
            en=f"This looks like document {number or '?'}, received on {day:%d.%m.%Y}. Is it a copy?",
        ),
        options=_DUPLICATE_OPTIONS,
        other_document_id=other_id,
    )


def negative_credit_note(total: Decimal, currency: str) -> Question:
    """Return the question what a credit note with a negative total means: some senders write a credit with minus signs."""
    amount = f"{plain(total)} {currency}"
    return Question(
        code=NEGATIVE_CREDIT_NOTE,
        message=LocalisedText(
            nl=f"Deze creditnota heeft een negatief totaal ({amount}). Is het een tegoed of een aanrekening?",
            fr=f"Cette note de crédit a un total négatif ({amount}). Est-ce un crédit ou un montant à payer ?",
            en=f"This credit note has a negative total ({amount}). Is it a credit or a charge?",
        ),
        options=_SIGN_OPTIONS,
    )


def is_open(questions: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a question of a document waits for its answer."""
    return any(one["answer"] is None for one in questions)


def answer(
    row: Mapping[str, Any], code: str, given: str, *, who: str, at: datetime, reason: str | None
) -> dict[str, Any]:
    """Return the columns of a document that the answer to one of its questions changes.

    Raises:
        HttpProblem: 409 ``not_asked``; 422 for an answer that is not among the options.
    """
    asked = [Question.model_validate(one) for one in row["questions"]]
    question = next((one for one in asked if one.code == code), None)
    if question is None:
        raise HttpProblem(409, "not_asked", "This document waits for no answer to that question.")
    options = [option.answer for option in question.options]
    if given not in options:
        error = FieldError(field="answer", rule="unknown_answer", message=f"The answers are {', '.join(options)}.")
        raise HttpProblem(422, "unknown_answer", "This is not among the answers to that question.", errors=[error])
    if code == NEGATIVE_CREDIT_NOTE and question.answer not in {None, given}:
        raise HttpProblem(
            409, "already_answered", "This question was answered before.", f"The answer is {question.answer}."
        )
    kept = question.model_copy(update={"answer": given, "answered_at": at, "answered_by": who, "reason": reason})
    changes: dict[str, Any] = {
        "questions": [(kept if one.code == code else one).model_dump(mode="json") for one in asked]
    }
    if code == NEGATIVE_CREDIT_NOTE and question.answer is None:
        changes |= signs_turned(row, given)
    return changes


def signs_turned(row: Mapping[str, Any], given: str) -> dict[str, Any]:
    """Return kind and amounts of a negative credit note once its meaning is known: both meanings turn every sign."""
    detail = dict(row["detail"])
    detail["lines"] = [{**line, "net": _negated(line["net"])} for line in detail.get("lines", [])]
    detail["vat"] = [
        {**each, "base": _negated(each["base"]), "tax": _negated(each["tax"])} for each in detail.get("vat") or []
    ]
    kind = DocumentKind(row["kind"])
    return {
        "kind": kind if given == CREDIT else _INVOICE_OF[kind],
        "total": -row["total"],
        "detail": detail | {"signs_reversed": True},
    }


def _negated(amount: str | None) -> str | None:
    return None if amount is None else plain(negated(Decimal(amount)))
