"""Which problem a document has: the first of all that is in the way of its statements. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from koppel_bookkeeping.amounts import plain
from koppel_connector.contract import Problem
from koppel_mesh.messages import DocumentState

from .chain import Link, Place, Standing

NAMED_MAX = 20
_NOT_YET = frozenset({DocumentState.HELD, DocumentState.DROPPED, DocumentState.RECEIVED, DocumentState.AWAITING_ENTRY})
_CODES = {
    Standing.OVERLAP: "statement_overlap",
    Standing.DUPLICATE: "statement_duplicate",
    Standing.LATE: "statement_late",
}


def explain(found: Sequence[tuple[Any, Any, Place | None]], *, is_crossed: bool = False) -> Problem | None:
    """Return what is in the way of a document.

    Args:
        found: for each statement of it the account's row, its own row, and its place in the chain, where it has one.
        is_crossed: it and another document wait for each other.
    """
    if any(row.document_state in _NOT_YET for _, row, _ in found):
        return None  # dossier-api asks about it, or was told to drop it
    for account, _, _ in found:
        if account.owned_by is None and account.problem is not None:
            return account.problem  # type: ignore[no-any-return]
    if all(row.let_go_at is None for _, row, _ in found):
        for account, row, place in found:
            if problem := _of_statement(account, row, place):
                return problem
    gaps = (_gap(account, place) for account, _, place in found if place and place.standing is Standing.GAP)
    return next(gaps, Problem("statements_crossed") if is_crossed else None)


def unasked_before(account: Any, place: Place, unasked: Place) -> Problem:
    """Return the problem of a statement that waits for one that nobody asked to go."""
    return Problem(
        "statement_not_exported", account=account.number, statement=name_of(place.link), other=name_of(unasked.link)
    )


def _of_statement(account: Any, row: Any, place: Place | None) -> Problem | None:
    if row.is_partial:
        return Problem("statement_partial", account=account.number)
    if row.faults:
        fault = row.faults[0]
        return Problem(
            "statement_incorrect",
            account=account.number,
            statement=name_of(row),
            **{f"fault_{language}": fault[language] for language in ("nl", "fr", "en")},
        )
    if place is None or place.standing not in _CODES:
        return None
    other = name_of(place.before) if place.before else "?"
    return Problem(_CODES[place.standing], account=account.number, statement=name_of(place.link), other=other)


def _gap(account: Any, place: Place) -> Problem:
    before = place.before
    assert before is not None, "a gap is between two"
    return Problem(
        "statement_gap",
        account=account.number,
        statement=name_of(place.link),
        before=name_of(before),
        closing=_amount(before.closing, account.currency),
        opening=_amount(place.link.opening, account.currency),
        **_missing(place.missing),
    )


def _missing(numbers: Sequence[int]) -> dict[str, str]:
    if not numbers:
        return {
            "missing_nl": "een of meer uittreksels",
            "missing_fr": "un ou plusieurs extraits",
            "missing_en": "one or more statements",
        }
    named = ", ".join(f"{number:03d}" for number in numbers[:NAMED_MAX])
    if len(numbers) > NAMED_MAX:
        named += f" … {numbers[-1]:03d}"
    return {f"missing_{language}": named for language in ("nl", "fr", "en")}


def name_of(statement: Link | Any) -> str:
    """Return how people know a statement: its number and the day it closes, or the day alone."""
    day = f"{statement.closes_on:%d.%m.%Y}"
    return f"{statement.number:03d} ({day})" if statement.number else day


def _amount(amount: Decimal, currency: str) -> str:
    return f"{plain(amount)} {currency}"
