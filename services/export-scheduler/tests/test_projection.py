"""Facts arrive late, twice and in any order; what is remembered in the end is the same."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from export_scheduler.projection import DocumentProjection, fold
from koppel_mesh.messages import DocumentChanged, DocumentKind, DocumentState

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIRST = DocumentChanged(
    document_id=UUID(int=1),
    dossier_id=UUID(int=2),
    firm_id=UUID(int=3),
    revision=1,
    kind=DocumentKind.SALES_INVOICE,
    number="F-1",
    issue_date=date(2026, 11, 20),
    created_at=NOW - timedelta(hours=1),
    state=DocumentState.AWAITING_APPROVAL,
    content=(),
)


def after(*facts: DocumentChanged, known: DocumentProjection | None = None) -> DocumentProjection:
    for fact in facts:
        known = fold(known, fact, NOW)
    assert known is not None
    return known


def fact(revision: int, state: DocumentState, version: int = 0, number: str = "F-1") -> DocumentChanged:
    return FIRST.model_copy(update={"revision": revision, "state": state, "version": version, "number": number})


@pytest.mark.parametrize("order", itertools.permutations(range(3)))
@pytest.mark.parametrize("numbered", [True, False])
def test_any_order_ends_the_same(order: tuple[int, ...], numbered: bool) -> None:
    story = [
        fact(1, DocumentState.AWAITING_APPROVAL, 1 * numbered),
        fact(1, DocumentState.FILED, 2 * numbered),
        fact(2, DocumentState.FILED, 3 * numbered, "F-2"),
    ]
    projected = after(*(story[place] for place in order), story[order[0]])
    assert (projected.revision, projected.state, projected.number, projected.approved_at) == (
        2,
        DocumentState.FILED,
        "F-2",
        NOW,
    )


def test_an_older_revision_changes_nothing() -> None:
    known = after(fact(2, DocumentState.FILED))
    assert fold(known, fact(1, DocumentState.FILED, number="old"), NOW) == known


def test_approval_asked_for_afterwards_takes_the_release_back() -> None:
    known = after(fact(1, DocumentState.FILED, 1), fact(1, DocumentState.AWAITING_APPROVAL, 2))
    assert (known.state, known.approved_at) == (DocumentState.AWAITING_APPROVAL, None)
    assert after(fact(1, DocumentState.FILED, 3), known=known).approved_at == NOW


def test_filed_without_ever_waiting_is_not_approved() -> None:
    assert after(fact(1, DocumentState.FILED)).approved_at is None


def test_editing_before_it_goes_restarts_nothing_and_after_it_went_opens_it_once() -> None:
    known = after(fact(1, DocumentState.FILED), fact(2, DocumentState.FILED))
    assert known.opened_at == FIRST.created_at
    went = replace(known, sent_revision=2)
    edited = after(fact(3, DocumentState.FILED), known=went)
    assert edited.opened_at == NOW
    later = fold(edited, fact(4, DocumentState.FILED), NOW + timedelta(minutes=5))
    assert later.opened_at == NOW


def test_a_document_without_a_date_counts_by_its_arrival_in_brussels() -> None:
    undated = FIRST.model_copy(update={"issue_date": None, "created_at": datetime(2026, 11, 30, 23, 30, tzinfo=UTC)})
    assert after(undated).document_on == date(2026, 12, 1)


def test_what_is_first_seen_as_exported_has_gone() -> None:
    assert after(fact(3, DocumentState.EXPORTED)).sent_revision == 3
